import { describe, expect, it } from "vitest";
import { salesforce } from "../../integrations/salesforce.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { accepted, erased, notFound } from "../../src/contract/outcome.ts";
import { orderFor, type Played, play } from "../support/play.ts";

const { erase } = salesforce.actions;
if (isAbsent(erase) || !isBulk(erase) || erase.bulk.check === undefined) throw new Error("Salesforce has an erasure");
const { run, check } = erase.bulk;

const settings = { myDomain: "acme", clientId: "id-1", clientSecret: "secret-1", personAccounts: "no" };
const order = (type: string, value: string, more: Partial<typeof settings> = {}) =>
  orderFor({ ...settings, ...more }, { type, value });
const [ada, bob, cy] = ["003000000000001AAA", "003000000000002AAA", "003000000000003AAA"];
const contact = (id: string) => order("salesforce.contact", id);

const token: Played = { status: 200, body: { access_token: "00D!AQ" } };
const records = (...ids: readonly string[]): Played => ({
  status: 200,
  body: { done: true, records: ids.map((Id) => ({ Id })) },
});
const job = (state: string, numberRecordsFailed?: number): Played => ({
  status: 200,
  body: { id: "7501", state, numberRecordsFailed },
});
const begun = [job("Open"), { status: 201 }, job("UploadComplete")];
const soql = (url = "") => new URL(url).searchParams.get("q");

it("says why it has no hook", () => {
  expect(isAbsent(salesforce.hooks)).toBe(true);
});

describe("finding records at Salesforce", () => {
  it("asks for leads, contacts and cases of all addresses at once, and for person accounts where there are any", () => {
    const email = (value: string, personAccounts = "no") => order("email", value, { personAccounts });
    const rows = (...all: readonly object[]): Played => ({ status: 200, body: { done: true, records: all } });
    const { calls, outcome } = play(
      run([email("o'ada@example.com"), email("bob@example.com"), email("cy@example.com")], "b"),
      [
        token,
        rows({ Id: ada, Email: "O'Ada@example.com" }, { Id: bob, Email: "bob@example.com" }),
        rows({ Id: "00Q000000000001AAA", Email: "bob@example.com" }),
        rows({ Id: "500000000000001AAA", SuppliedEmail: null, Contact: { Email: "o'ada@example.com" } }),
      ],
    );
    expect(outcome).toEqual([
      {
        outcome: "found",
        identities: [
          { type: "salesforce.contact", value: ada },
          { type: "salesforce.case", value: "500000000000001AAA" },
        ],
      },
      {
        outcome: "found",
        identities: [
          { type: "salesforce.contact", value: bob },
          { type: "salesforce.lead", value: "00Q000000000001AAA" },
        ],
      },
      notFound,
    ]);
    expect(calls[0]).toMatchObject({
      method: "POST",
      at: { url: "https://acme.my.salesforce.com/services/oauth2/token" },
      body: "grant_type=client_credentials&client_id=id-1&client_secret=secret-1",
    });
    const all = "('o\\'ada@example.com','bob@example.com','cy@example.com')";
    expect(calls.slice(1).map(({ at }) => soql(at.url))).toEqual([
      `SELECT Id,Email FROM Contact WHERE Email IN ${all}`,
      `SELECT Id,Email FROM Lead WHERE Email IN ${all}`,
      `SELECT Id,SuppliedEmail,Contact.Email FROM Case WHERE SuppliedEmail IN ${all} OR Contact.Email IN ${all}`,
    ]);
    expect(calls[1]?.headers).toEqual({ authorization: "Bearer 00D!AQ" });
    const account = rows({ Id: "001000000000001AAA", PersonEmail: "bob@example.com" });
    expect(
      play(run([email("bob@example.com", "yes")], "b"), [token, rows(), rows(), rows(), account]).outcome,
    ).toMatchObject([{ outcome: "found", identities: [{ type: "salesforce.account" }] }]);
  });

  it("[I13] lets no address out of its quotes", () => {
    const { calls } = play(run([order("email", "a\\' OR Email != 'x")], "b"), [token, records(), records(), records()]);
    expect(soql(calls[1]?.at.url)).toBe("SELECT Id,Email FROM Contact WHERE Email IN ('a\\\\\\' OR Email != \\'x')");
  });

  it("goes to a sandbox's own domain", () => {
    const sandbox = { myDomain: "acme--uat" };
    const { calls } = play(run([order("salesforce.lead", ada, sandbox)], "b"), [token, records()]);
    expect(new Set(calls.map(({ at }) => new URL(at.url).host))).toEqual(
      new Set(["acme--uat.sandbox.my.salesforce.com"]),
    );
  });

  it("[I4] does not take a part for all", () => {
    const part: Played = { status: 200, body: { done: false, records: [{ Id: ada }] } };
    expect(play(run([order("email", "a@example.com")], "b"), [token, part]).outcome).toMatchObject([
      { outcome: "unforeseen" },
    ]);
  });
});

describe("deleting records at Salesforce", () => {
  it("reads which are there, and begins one job for all of a kind", () => {
    const { calls, outcome } = play(run([contact(ada), contact(bob), contact("003000000000003")], "b"), [
      token,
      records(ada, cy),
      ...begun,
    ]);
    expect(outcome).toEqual([accepted("7501", 60), notFound, accepted("7501", 60)]);
    expect(calls.slice(2).map(({ method, at }) => `${method} ${new URL(at.url).pathname}`)).toEqual([
      "POST /services/data/v64.0/jobs/ingest",
      "PUT /services/data/v64.0/jobs/ingest/7501/batches",
      "PATCH /services/data/v64.0/jobs/ingest/7501",
    ]);
    expect(JSON.parse(calls[2]?.body ?? "")).toEqual({
      object: "Contact",
      operation: "hardDelete",
      contentType: "CSV",
      lineEnding: "LF",
    });
    expect(calls[3]).toMatchObject({ headers: { "content-type": "text/csv" }, body: `Id\n${ada}\n${cy}\n` });
    expect(JSON.parse(calls[4]?.body ?? "")).toEqual({ state: "UploadComplete" });
  });

  it("begins a job for each kind, and none where nobody is there", () => {
    const { outcome } = play(run([contact(ada), order("salesforce.lead", bob)], "b"), [
      token,
      records(),
      records(bob),
      ...begun,
    ]);
    expect(outcome).toEqual([notFound, accepted("7501", 60)]);
  });

  it("[I4] makes no call for what is no record id", () => {
    expect(play(run([contact("003' OR Id != '")], "b"), [token]).outcome).toMatchObject([
      { outcome: "unforeseen", status: 0 },
    ]);
  });

  it.each([
    ["the job", [{ status: 400, body: [{ errorCode: "INVALIDOPERATION" }] }]],
    ["the rows", [job("Open"), { status: 200 }]],
    ["the end", [job("Open"), { status: 201 }, { status: 409 }]],
  ])("[I4] is stuck where %s is refused", (_, replies) => {
    expect(play(run([contact(ada)], "b"), [token, records(ada), ...replies]).outcome).toMatchObject([
      { outcome: "unforeseen" },
    ]);
  });

  it("rests for an hour when the day's calls are spent, and with a credential that may not", () => {
    const refused = (errorCode: string): Played => ({ status: 403, body: [{ errorCode, message: "no" }] });
    const begin = (reply: Played) => play(run([contact(ada)], "b"), [token, reply]).outcome;
    expect(begin(refused("REQUEST_LIMIT_EXCEEDED"))).toEqual([{ outcome: "slow_down", seconds: 3600 }]);
    expect(begin(refused("INSUFFICIENT_ACCESS"))).toMatchObject([{ outcome: "unauthorized" }]);
    const noToken: Played = { status: 400, body: { error: "invalid_client", error_description: "no" } };
    expect(play(run([contact(ada)], "b"), [noToken]).outcome).toMatchObject([{ outcome: "unauthorized" }]);
  });
});

describe("asking about a job at Salesforce", () => {
  const orders = [contact(ada), contact(bob), contact(cy)];
  const ask = (...replies: readonly Played[]) => play(check("7501", orders), [token, ...replies]).outcome;
  const failures = (...rows: readonly string[]): Played => ({
    status: 200,
    body: ['"sf__Id","sf__Error",Id', ...rows, ""].join("\n"),
  });

  it.each(["Open", "UploadComplete", "InProgress"])("asks again a minute later while it is %s", (state) => {
    expect(ask(job(state))).toEqual(orders.map(() => accepted("7501", 60)));
  });

  it("is done when it is complete without failures", () => {
    expect(ask(job("JobComplete", 0))).toEqual([erased, erased, erased]);
  });

  it("gives each its own end where a part failed, and shows no more of an error than its code", () => {
    const outcome = ask(
      job("JobComplete", 2),
      failures(
        `"${bob}","DELETE_FAILED:Ada Example, who has ""open"" cases:--","${bob}"`,
        `"","ENTITY_IS_DELETED:entity is deleted:--","${cy}"`,
      ),
    );
    expect(outcome).toMatchObject([erased, { outcome: "unforeseen", anew: true }, notFound]);
    expect(JSON.stringify(outcome)).toContain("DELETE_FAILED");
    expect(JSON.stringify(outcome)).not.toContain("Example");
  });

  it.each([
    ["fewer rows than failures", [job("JobComplete", 2), failures(`"","DELETE_FAILED:no:--","${bob}"`)]],
    ["no rows", [job("JobComplete", 1), failures()]],
    ["no number of failures", [job("JobComplete"), failures(`"","DELETE_FAILED:no:--","${bob}"`)]],
    ["another state", [job("Deleted")]],
    ["404", [{ status: 404, body: [{ errorCode: "NOT_FOUND" }] }]],
  ])("[I4] calls nobody erased with %s", (_, replies) => {
    for (const answer of ask(...replies)) expect(answer).toMatchObject({ outcome: "unforeseen" });
  });

  it.each(["Failed", "Aborted"])("begins anew, when it is told to, after a job that is %s", (state) => {
    expect(ask(job(state))).toMatchObject(orders.map(() => ({ outcome: "unforeseen", anew: true })));
  });
});
