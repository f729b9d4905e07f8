import { describe, expect, it } from "vitest";
import { googleCloudStorage } from "../../integrations/google-cloud-storage.ts";
import type { Call } from "../../src/contract/call.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { erased, notFound } from "../../src/contract/outcome.ts";
import { settingsSchema } from "../../src/contract/settings.ts";
import { orderFor, type Played, play } from "../support/play.ts";
import { keyFile } from "../support/service-account.ts";

const { erase } = googleCloudStorage.actions;
if (isAbsent(erase) || isBulk(erase) || erase.look === undefined) throw new Error("it erases and looks");
const { look } = erase;

const settings = { serviceAccountKey: keyFile("PEM"), bucket: "example-uploads", prefix: "users/{id}/" };
const order = (type: string, value: string, more = {}) => orderFor({ ...settings, ...more }, { type, value });
const ada = order("user_id", "1");
const named = (value: string) => order("google-cloud-storage.object", value);
const token: Played = { status: 200, body: { access_token: "ya29.a" } };
const page = (items: readonly object[], nextPageToken?: string): Played => ({
  status: 200,
  body: { items, nextPageToken },
});
const item = (name: string, more: object = {}) => ({ name, generation: "1700000000000001", ...more });
const none = page([]);
const no = (status: number, reason: string): Played => ({
  status,
  body: { error: { code: status, errors: [{ reason }] } },
});
const paths = (calls: readonly Call[]) =>
  calls.map(({ method, at }) => `${method} ${at.url.replace(/^https:\/\/[^/]+/, "")}`);

describe("who asks", () => {
  it("exchanges a signed assertion for a token of the least scope, at Google whatever the key file says", () => {
    const { calls } = play(erase.run(ada), [token, none, none]);
    expect(calls[0]).toMatchObject({
      method: "POST",
      at: { url: "https://oauth2.googleapis.com/token" },
      body: "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer",
      sign: {
        scheme: "jwt-bearer",
        key: "PEM",
        keyId: "0123456789abcdef0123456789abcdef01234567",
        claims: {
          iss: "quittance@example-project.iam.gserviceaccount.com",
          scope: "https://www.googleapis.com/auth/devstorage.read_write",
          aud: "https://oauth2.googleapis.com/token",
        },
        forSeconds: 3600,
      },
    });
    expect(calls[1]?.headers).toEqual({ authorization: "Bearer ya29.a" });
  });

  it.each([
    [
      "a key that Google does not know",
      { status: 400, body: { error: "invalid_grant", error_description: "account not found" } },
    ],
    ["a scope that it may not have", { status: 400, body: { error: "invalid_scope" } }],
  ])("stops the lane for %s", (_, reply) => {
    expect(play(erase.run(ada), [reply]).outcome).toMatchObject({ outcome: "unauthorized", status: 400 });
  });

  it.each(["{}", '{"private_key": 1}', '{"private_key": ', "[]"])(
    "stops the lane without a call for %s",
    (serviceAccountKey) => {
      const { calls, outcome } = play(erase.run(order("user_id", "1", { serviceAccountKey })), []);
      expect([calls, outcome]).toMatchObject([[], { outcome: "unauthorized", status: 0 }]);
    },
  );

  it.each([
    [no(403, "forbidden"), { outcome: "unauthorized", status: 403 }],
    [no(403, "rateLimitExceeded"), { outcome: "slow_down" }],
    [no(404, "notFound"), { outcome: "unforeseen", status: 404 }],
  ])("says what a list's refusal means: %j", (reply, outcome) => {
    expect(play(erase.run(ada), [token, reply]).outcome).toMatchObject(outcome);
    expect(play(look.run(ada), [token, reply]).outcome).toMatchObject(outcome);
  });
});

describe("erasing a person's objects", () => {
  it("deletes every generation by its number, page by page, and then asks what soft delete keeps", () => {
    const { calls, outcome } = play(erase.run(ada), [
      token,
      page([item("users/1/a b.jpg"), item("users/1/a b.jpg", { generation: "1700000000000002" })], "next=="),
      { status: 204 },
      { status: 204 },
      page([item("users/1/ü#?.txt")]),
      { status: 204 },
      none,
    ]);
    const fields =
      "items(name%2Cgeneration%2CtemporaryHold%2CeventBasedHold%2CretentionExpirationTime%2Cretention%2ChardDeleteTime)%2CnextPageToken";
    const rest = `prefix=users%2F1%2F&maxResults=500&fields=${fields}`;
    const objects = "/storage/v1/b/example-uploads/o";
    expect(paths(calls).slice(1)).toEqual([
      `GET ${objects}?versions=true&${rest}`,
      `DELETE ${objects}/users%2F1%2Fa%20b.jpg?generation=1700000000000001`,
      `DELETE ${objects}/users%2F1%2Fa%20b.jpg?generation=1700000000000002`,
      `GET ${objects}?versions=true&${rest}&pageToken=next%3D%3D`,
      `DELETE ${objects}/users%2F1%2F%C3%BC%23%3F.txt?generation=1700000000000001`,
      `GET ${objects}?softDeleted=true&${rest}`,
    ]);
    expect(outcome).toEqual(erased);
  });

  it("[I7] shows no name in its evidence", () => {
    const { calls } = play(erase.run(ada), [token, page([item("users/1/x")]), { status: 204 }, none]);
    for (const { at } of calls) expect(at.template.split("?")[0]).not.toMatch(/users|example-uploads/);
  });

  it("[I4 I14] deletes nothing of another person, and believes no list that were to name it", () => {
    for (const items of [[item("users/10/x")], [item("users/1")], [item("users/1/x"), item("users/10/x")]]) {
      const { calls, outcome } = play(erase.run(ada), [token, page(items)]);
      expect(calls).toHaveLength(2);
      expect(outcome).toMatchObject({ outcome: "unforeseen", status: 0 });
      expect(play(look.run(ada), [token, page(items)]).outcome).toMatchObject({ outcome: "unforeseen", status: 0 });
    }
  });

  it.each(["1/2", "..", "a\u0001", ".", "a\\b"])("[I14] makes no call for the id %j", (id) => {
    expect(play(erase.run(order("user_id", id)), []).outcome).toMatchObject({ outcome: "unforeseen", status: 0 });
    expect(play(look.run(order("user_id", id)), []).outcome).toMatchObject({ outcome: "unforeseen", status: 0 });
  });

  it("takes a prefix only where one person's id stands in it, before a slash", () => {
    const fits = (prefix: string) =>
      settingsSchema(googleCloudStorage.settings).safeParse({ ...settings, prefix }).success;
    expect(["users/{id}/", "{id}/", "users/{id}", "users/", "/"].map(fits)).toEqual([true, true, false, false, false]);
  });

  it("goes on soon after as many as one attempt deletes", () => {
    const items = Array.from({ length: 201 }, (_, at) => item(`users/1/${at}`));
    const { calls, outcome } = play(erase.run(ada), ({ method, at }) =>
      method === "POST"
        ? token
        : method === "DELETE"
          ? { status: 204 }
          : at.url.includes("softDeleted")
            ? none
            : page(items),
    );
    expect(calls.filter(({ method }) => method === "DELETE")).toHaveLength(200);
    expect(outcome).toEqual({ outcome: "more" });
  });

  it.each([
    no(403, "retentionPolicyNotMet"),
    no(403, "objectUnderActiveHold"),
    no(404, "bucketNotFound"),
    { status: 200 },
  ])("[I4] claims nothing when a deletion is answered with %j", (reply) => {
    const { outcome } = play(erase.run(ada), [token, page([item("users/1/x")]), reply]);
    expect(outcome).toMatchObject({ outcome: "unforeseen", status: reply.status });
  });
});

describe("what cannot go yet", () => {
  it.each([{ temporaryHold: true }, { eventBasedHold: true }])(
    "asks a person about %j, which has no end, once all else is gone",
    (hold) => {
      const { calls, outcome } = play(erase.run(ada), [
        token,
        page([item("users/1/a", hold), item("users/1/b")]),
        { status: 204 },
      ]);
      expect(calls.at(-1)?.at.url).toMatch(/users%2F1%2Fb/);
      expect(outcome).toMatchObject({ outcome: "unforeseen", what: expect.stringContaining("under a hold") });
    },
  );

  it("[I9] keeps what a retention policy keeps until the last of its days, and leaves what is needed to erase it then", () => {
    const { outcome } = play(erase.run(ada), [
      token,
      page([
        item("users/1/a", { retentionExpirationTime: "2027-01-01T00:00:00Z" }),
        item("users/1/b", {
          retentionExpirationTime: "2026-01-01T00:00:00Z",
          retention: { mode: "Locked", retainUntilTime: "2027-06-01T00:00:00.5Z" },
        }),
        item("users/1/c", { retentionExpirationTime: "2026-11-21T08:59:59Z" }),
      ]),
      { status: 204 },
    ]);
    expect(outcome).toMatchObject({
      outcome: "retained",
      category: "objects_under_retention",
      residue: [{ type: "user_id", value: "1" }],
      notBefore: { until: "2027-06-01T00:00:00.500Z" },
    });
  });

  it("[I4] says until when the bucket keeps what was deleted, by the last of all pages", () => {
    const { outcome } = play(erase.run(ada), [
      token,
      none,
      page([item("users/1/a", { hardDeleteTime: "2026-11-28T09:00:00Z" })], "next"),
      page([item("users/1/b", { hardDeleteTime: "2026-11-25T09:00:00Z" })]),
    ]);
    expect(outcome).toMatchObject({
      outcome: "retained",
      category: "soft_deleted_objects",
      residue: [],
      notBefore: { until: "2026-11-28T09:00:00.000Z" },
    });
  });

  it("[I4] promises no date where hard deletions are paused", () => {
    expect(play(erase.run(ada), [token, none, page([item("users/1/a")])]).outcome).toMatchObject({
      outcome: "unforeseen",
    });
  });
});

describe("erasing one object", () => {
  it.each(["gs://example-uploads/docs/a.pdf", "docs/a.pdf"])(
    "takes %s, and leaves what only begins like it",
    (value) => {
      const { calls, outcome } = play(erase.run(named(value)), [
        token,
        page([item("docs/a.pdf"), item("docs/a.pdf.bak")], "next"),
        { status: 204 },
        page([item("docs/a.pdf.bak", { hardDeleteTime: "2026-11-28T09:00:00Z" })]),
      ]);
      expect(calls).toHaveLength(4);
      expect(outcome).toEqual(erased);
    },
  );

  it("makes no call for an object of another bucket", () => {
    expect(play(erase.run(named("gs://elsewhere/a.pdf")), []).outcome).toMatchObject({
      outcome: "unforeseen",
      status: 0,
    });
  });

  it("finds nothing where only its like is", () => {
    expect(play(erase.run(named("a")), [token, page([item("ab")]), none]).outcome).toEqual(notFound);
    expect(play(look.run(named("a")), [token, page([item("ab")], "next")]).outcome).toBe("absent");
  });
});

it("[I4] sees nothing proven in an empty page of a list that goes on", () => {
  expect(play(look.run(ada), [token, page([], "next")]).outcome).toMatchObject({ outcome: "unforeseen" });
});
