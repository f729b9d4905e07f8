import { generateKeyPairSync } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { createSandbox, type Sandbox } from "../../dev/sandbox/sandbox.ts";
import { googleAi } from "../../integrations/google-ai.ts";
import { googleAnalytics } from "../../integrations/google-analytics.ts";
import { googleBigquery } from "../../integrations/google-bigquery.ts";
import { googleCloudStorage } from "../../integrations/google-cloud-storage.ts";
import { googleIdentityPlatform } from "../../integrations/google-identity-platform.ts";
import { isAbsent, isBulk, type Steps } from "../../src/contract/integration.ts";
import { signed } from "../../src/platform/sign.ts";
import { carryOut } from "../support/carry-out.ts";
import { orderFor, replyOf } from "../support/play.ts";
import { keyFile } from "../support/service-account.ts";

const EMAIL = "quittance@example-project.iam.gserviceaccount.com";
const pair = () =>
  generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
const { privateKey, publicKey } = pair();
const serviceAccountKey = keyFile(privateKey, EMAIL);

let time: number;
let sandbox: Sandbox;
const now = () => time;
const wait = (seconds: number) => {
  time += seconds * 1000;
};
const holds = async (text: string) =>
  (await sandbox.admin(new Request(`http://sandbox/holdings?text=${encodeURIComponent(text)}`))).json();
const seed = async (vendor: string, body: object) => {
  const answer = await sandbox.admin(
    new Request("http://sandbox/seed", { method: "POST", body: JSON.stringify({ vendor, ...body }) }),
  );
  expect(answer.status).toBe(200);
};
const id = (type: string, value: string) => ({ type, value });

beforeEach(async () => {
  time = Date.parse("2026-11-21T09:00:00Z");
  sandbox = createSandbox({ now });
  await seed("google-token", { service_accounts: [{ email: EMAIL, public_key: publicKey }] });
});

describe("access tokens of service accounts", () => {
  const settings = { serviceAccountKey, project: "example-project", tenant: "" };
  const ada = id("email", "ada@example.com");

  it("are given to whoever signs with the account's own key, and to nobody else", async () => {
    const { erase } = googleIdentityPlatform.actions;
    expect(await carryOut(sandbox, erase, settings, ada, { now })).toMatchObject([
      { answer: { outcome: "not_found" } },
    ]);
    const other = { ...settings, serviceAccountKey: keyFile(pair().privateKey, EMAIL) };
    expect(await carryOut(sandbox, erase, other, ada, { now })).toMatchObject([
      { answer: { outcome: "unauthorized" } },
    ]);
    const late = () => time - 4000 * 1000;
    expect(await carryOut(sandbox, erase, settings, ada, { now: late })).toMatchObject([
      { answer: { outcome: "unauthorized" } },
    ]);
  });

  it("are good for their scope, and for an hour", async () => {
    const { erase } = googleCloudStorage.actions;
    await carryOut(sandbox, erase, { serviceAccountKey, bucket: "b", prefix: "{id}/" }, id("user_id", "1"), { now });
    const [, listing] = sandbox.recorded();
    const token = listing?.headers.authorization ?? "";
    const asked = async (url: string) =>
      (await sandbox.fetch(new Request(url, { headers: { authorization: token } }))).status;
    expect(await asked("https://storage.googleapis.com/storage/v1/b/b/o")).toBe(404);
    expect(await asked("https://bigquery.googleapis.com/bigquery/v2/projects/p/jobs/j")).toBe(403);
    wait(3600);
    expect(await asked("https://storage.googleapis.com/storage/v1/b/b/o")).toBe(401);
  });
});

describe("the stand-in for Cloud Storage", () => {
  const { erase } = googleCloudStorage.actions;
  const settings = { serviceAccountKey, bucket: "uploads", prefix: "users/{id}/" };
  const objects = (...names: readonly string[]) => names.map((name) => ({ name, content: `of ${name}` }));

  it("keeps deleted objects out of reach for seven days, of one person and nobody else", async () => {
    await seed("google-cloud-storage", {
      buckets: [{ name: "uploads", objects: objects("users/1/a", "users/1/a", "users/10/b") }],
    });
    const [end] = await carryOut(sandbox, erase, settings, id("user_id", "1"), { now });
    expect(end?.answer).toMatchObject({
      outcome: "retained",
      category: "soft_deleted_objects",
      notBefore: { until: "2026-11-28T09:00:00.000Z" },
    });
    expect(JSON.stringify(await holds("of users/1/a"))).not.toContain("/objects/");
    wait(7 * 86_400);
    expect(await holds("of users/1/a")).toEqual([]);
    expect(await holds("of users/10/b")).not.toEqual([]);
    expect(await carryOut(sandbox, erase, settings, id("user_id", "1"), { now })).toMatchObject([
      { answer: { outcome: "not_found" } },
    ]);
  });

  it("deletes all generations, over pages and attempts, where nothing is kept", async () => {
    const many = objects(...Array.from({ length: 620 }, (_, at) => `users/1/${at % 310}`));
    await seed("google-cloud-storage", {
      buckets: [{ name: "uploads", versioning: true, soft_delete_seconds: 0, objects: many }],
    });
    const [end] = await carryOut(sandbox, erase, settings, id("user_id", "1"), { now, wait });
    expect([end?.answer.outcome, end?.sight]).toEqual(["erased", "absent"]);
    expect(await holds("of users/1")).toEqual([]);
  });

  it("refuses what is held or retained, and goes on where it was left on its day", async () => {
    const bucket = { name: "uploads", soft_delete_seconds: 0, retention_seconds: 86_400 };
    await seed("google-cloud-storage", { buckets: [{ ...bucket, objects: objects("users/1/a") }] });
    const ada = id("user_id", "1");
    expect(await carryOut(sandbox, erase, settings, ada, { now })).toMatchObject([
      { answer: { category: "objects_under_retention", notBefore: { until: "2026-11-22T09:00:00.000Z" } } },
    ]);
    await seed("google-cloud-storage", {
      buckets: [{ name: "uploads", objects: [{ name: "users/2/a", temporary_hold: true }] }],
    });
    expect(await carryOut(sandbox, erase, settings, id("user_id", "2"), { now })).toMatchObject([
      { answer: { outcome: "unforeseen" } },
    ]);
  });
});

describe("the stand-in for BigQuery", () => {
  const { erase } = googleBigquery.actions;
  if (isAbsent(erase) || !isBulk(erase)) throw new Error("it erases in bulk");
  const { bulk } = erase;
  const tables = "product.events:user_id,crm.people:profile.id";
  const settings = { serviceAccountKey, project: "example-project", location: "EU", tables };
  const orders = (...ids: readonly string[]) => ids.map((value) => orderFor(settings, id("user_id", value)));
  const sent = async <A>(steps: Steps<A>): Promise<A> => {
    let step = steps.next();
    while (step.done !== true) {
      const { method, at } = step.value;
      const { headers, body } = await signed(step.value, now());
      const reply = await sandbox.fetch(new Request(at.url, { method, headers, ...(body !== undefined && { body }) }));
      step = steps.next(replyOf({ status: reply.status, body: await reply.text() }));
    }
    return step.value;
  };
  const begin = (batch: string, ...ids: readonly string[]) => sent(bulk.run(orders(...ids), batch));
  const ask = (reference: string, ...ids: readonly string[]) => {
    if (bulk.check === undefined) throw new Error("it can be asked");
    return sent(bulk.check(reference, orders(...ids)));
  };
  const rows = (...ids: readonly (string | number)[]) =>
    ids.map((user_id) => ({ user_id, page: `seen by ${user_id}` }));

  it("deletes the rows of many people from all tables, once the job is done; time travel keeps them", async () => {
    await seed("google-bigquery", {
      tables: [
        { name: "example-project.product.events", rows: rows(1, "2", "2", 3) },
        { name: "example-project.crm.people", rows: [{ profile: { id: "2", name: "seen by 2" } }] },
      ],
    });
    expect(await begin("b1", "1", "2")).toMatchObject([{ reference: "quittance_b1" }, { reference: "quittance_b1" }]);
    expect(await begin("b1", "1", "2"), "the same batch is one job").toMatchObject([{ outcome: "accepted" }, {}]);
    expect(await ask("quittance_b1", "1", "2")).toMatchObject([{ outcome: "accepted" }, { outcome: "accepted" }]);
    wait(30);
    expect(await ask("quittance_b1", "1", "2")).toEqual([{ outcome: "erased" }, { outcome: "erased" }]);
    expect(JSON.stringify(await holds("seen by 2"))).not.toContain("/tables/");
    wait(14 * 86_400);
    expect(await holds("seen by 2")).toEqual([]);
    expect(await holds("seen by 3")).not.toEqual([]);
  });

  it("[I2] refuses rows that were just streamed, and takes them later as another job", async () => {
    await seed("google-bigquery", {
      tables: [
        { name: "example-project.product.events", streamed: rows(1) },
        { name: "example-project.crm.people", rows: [] },
      ],
    });
    await begin("b1", "1");
    wait(30);
    expect(await ask("quittance_b1", "1")).toMatchObject([{ reference: "anew", askAfterSeconds: 1800 }]);
    wait(1800);
    expect(await ask("anew", "1")).toEqual([{ outcome: "more" }]);
    await begin("b2", "1");
    wait(30);
    expect(await ask("quittance_b2", "1")).toEqual([{ outcome: "erased" }]);
  });
});

describe("the stand-in for Identity Platform", () => {
  it("deletes the accounts of an address, in the tenant that is set", async () => {
    const accounts = [
      { localId: "uid-1", email: "ada@example.com" },
      { localId: "uid-2", email: "bob@example.com" },
    ];
    await seed("google-identity-platform", { project: "example-project", tenant: "members-1", accounts });
    const settings = { serviceAccountKey, project: "example-project", tenant: "members-1" };
    const { erase } = googleIdentityPlatform.actions;
    const [end] = await carryOut(sandbox, erase, settings, id("email", "ada@example.com"), { now, wait });
    expect([end?.answer.outcome, end?.sight]).toEqual(["erased", "absent"]);
    expect(await holds("ada@example.com")).toEqual([]);
    expect(await holds("bob@example.com")).not.toEqual([]);
  });
});

describe("the stand-in for Vertex AI", () => {
  const { erase } = googleAi.actions;
  const place = "projects/example-project/locations/us-central1";

  it("deletes by an operation, a corpus with its files, and a cached content at once", async () => {
    const names = ["reasoningEngines/1/memories/2", "ragCorpora/3", "ragCorpora/3/ragFiles/4", "cachedContents/5"];
    await seed("google-ai", { resources: names.map((name) => ({ name: `${place}/${name}`, content: "about Ada" })) });
    for (const [type, name] of [
      ["google-ai.memory", "reasoningEngines/1/memories/2"],
      ["google-ai.rag_corpus", "ragCorpora/3"],
      ["google-ai.cached_content", "cachedContents/5"],
    ] as const) {
      const [end] = await carryOut(sandbox, erase, { serviceAccountKey }, id(type, `${place}/${name}`), { now, wait });
      expect([end?.answer.outcome, end?.sight], type).toEqual(["erased", "absent"]);
    }
    expect(await holds("about Ada")).toEqual([]);
  });

  it("does not delete a model that serves", async () => {
    await seed("google-ai", { resources: [{ name: `${place}/models/1`, deployed: true }] });
    const model = id("google-ai.model", `${place}/models/1`);
    expect(await carryOut(sandbox, erase, { serviceAccountKey }, model, { now })).toMatchObject([
      { answer: { outcome: "unforeseen", status: 400 } },
    ]);
  });
});

describe("the stand-in for Google Analytics", () => {
  it("has deleted by the day that is claimed, and not long before", async () => {
    const settings = { serviceAccountKey, properties: "111" };
    const client = id("google-analytics.client_id", "1234.5678");
    await seed("google-analytics", {
      property: "111",
      events: [{ clientId: "1234.5678", page: "/ada" }, { clientId: "9.9" }],
    });
    const [end] = await carryOut(sandbox, googleAnalytics.actions.erase, settings, client, { now });
    const until = end?.answer.outcome === "retained" ? Date.parse(end.answer.notBefore?.until ?? "") : 0;
    expect(await holds("1234.5678")).not.toEqual([]);
    time = until;
    expect(await holds("1234.5678")).toEqual([]);
    expect(await holds("9.9")).not.toEqual([]);
  });
});
