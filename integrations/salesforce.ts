import { z } from "zod";
import {
  type Address,
  at,
  bearer,
  type Call,
  cameToNothing,
  get,
  noCall,
  postForm,
  postJson,
  type Reply,
  read,
  readRefusal,
  unauthorized,
  unforeseen,
} from "../src/contract/call.ts";
import type { Identity } from "../src/contract/identity.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import { type Answer, accepted, erased, found, notFound } from "../src/contract/outcome.ts";
import { dnsLabel, type Settings, secret, text } from "../src/contract/settings.ts";

/**
 * Salesforce keeps the tenant's leads, contacts, person accounts and cases. They are found by e-mail address, then deleted for
 * good by jobs of many records: what is deleted one by one lies in the recycle bin for 15 days. What it can send (Outbound
 * Messages, Change Data Capture) each customer builds for itself and is not signed, so there is no hook here.
 */
const REST = "https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/";
const BULK = "https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/bulk_api_2_0.htm";
const REVOKE = "https://developer.salesforce.com/docs/platform/mobile-sdk/guide/oauth-revoking-tokens.html";

/** Versions are kept for years; this one is raised with a release. */
const VERSION = "v64.0";
const ASK_AFTER_SECONDS = 60;

/** Each kind of record, and the fields of it that have a person's address. */
const OBJECTS = new Map([
  ["salesforce.contact", { object: "Contact", fields: ["Email"] }],
  ["salesforce.lead", { object: "Lead", fields: ["Email"] }],
  ["salesforce.case", { object: "Case", fields: ["SuppliedEmail", "Contact.Email"] }],
  ["salesforce.account", { object: "Account", fields: ["PersonEmail"] }],
]);
const ACCOUNT = "salesforce.account";

const Token = z.object({ access_token: z.string().min(1) });
const Refused = z.object({ error: z.string() });
const Errors = z.array(z.object({ errorCode: z.string() })).min(1);
const Field = z.string().nullish();
const Row = z.object({
  Id: z.string().min(15),
  Email: Field,
  SuppliedEmail: Field,
  PersonEmail: Field,
  Contact: z.object({ Email: Field }).nullish(),
});
type Row = z.infer<typeof Row>;
const Rows = z.object({ done: z.boolean(), records: z.array(Row) });
const Job = z.object({
  id: z.string().min(1),
  state: z.enum(["Open", "UploadComplete", "InProgress", "JobComplete", "Failed", "Aborted"]),
  numberRecordsFailed: z.int().optional(),
});

const settings = {
  myDomain: dnsLabel("My Domain's name: acme, or acme--uat for a sandbox"),
  clientId: text("Consumer key of a connected app with the client credentials flow"),
  clientSecret: secret("Consumer secret of that app"),
  personAccounts: text("Whether the org has person accounts: yes or no", /^(yes|no)$/),
} satisfies Settings;

export const salesforce = defineIntegration({
  id: "salesforce",
  name: "Salesforce",
  about: "Customer relations: leads, contacts and cases.",
  origins: ["https://{myDomain}.my.salesforce.com", "https://{myDomain}.sandbox.my.salesforce.com"],
  settings,
  identities: {
    "salesforce.contact": "Record id of a contact",
    "salesforce.lead": "Record id of a lead",
    "salesforce.case": "Record id of a case",
    [ACCOUNT]: "Record id of a person account",
  },

  hooks: absent("Salesforce signs nothing that it sends by itself; flows that customers build can call the API", REST),

  oauth: absent("not yet connected by Quittance", REVOKE),

  actions: {
    erase: {
      source: BULK,
      by: ["email", ...OBJECTS.keys()],
      each: "identity",
      learns: [...OBJECTS.keys()],
      // A job takes far more; the address of a query does not.
      bulk: { most: 50, run: begin, check },
    },
    revoke: absent("needs the token of the org, which connections will hold", REVOKE),
  },

  // Sandboxes keep what was copied until they are refreshed; how long backups live is not stated.
  residuals: [],
  retainable: [],
  // What an org may call is counted by day; a refusal for that rests the lane.
  limits: { perSecond: 5, connections: 1, account: { settings: ["myDomain"] } },
});

type SalesforceOrder = Order<typeof settings>;
type Orders = readonly SalesforceOrder[];
type Auth = ReturnType<typeof bearer>;

/** A sandbox's name has two hyphens, and a domain of its own. */
function under([order]: Orders, { url, template }: Address): Address {
  const domain = order?.settings.myDomain ?? "";
  const org = domain.includes("--")
    ? at`https://${{ domain }}.sandbox.my.salesforce.com`
    : at`https://${{ domain }}.my.salesforce.com`;
  return { url: org.url + url, template: org.template + template };
}

/** What a call came to, or what stands in the way. */
type Tried<T> = { readonly value: T } | { readonly problem: Answer };

function* signIn(orders: Orders): Steps<Tried<Auth>> {
  const { clientId = "", clientSecret = "" } = orders[0]?.settings ?? {};
  const reply = yield postForm(under(orders, at`/services/oauth2/token`), {}, [
    ["grant_type", "client_credentials"],
    ["client_id", clientId],
    ["client_secret", clientSecret],
  ]);
  const refused = readRefusal(reply, Refused);
  if (refused.ok) return { problem: unauthorized(reply, "Salesforce gives the connected app no token") };
  const token = read(reply, Token);
  return token.ok ? { value: bearer(token.value.access_token) } : token;
}

/** Finds the records of those who are known by address, and begins a job for the records of each kind that are known. */
function* begin(orders: Orders): Steps<readonly Answer[]> {
  const signedIn = yield* signIn(orders);
  if ("problem" in signedIn) return orders.map(() => signedIn.problem);
  const auth = signedIn.value;
  const answers = new Map<SalesforceOrder, Answer>();
  const addressed = orders.filter(({ identity }) => identity.type === "email");
  if (addressed.length > 0) for (const [order, answer] of yield* search(addressed, auth)) answers.set(order, answer);
  for (const [type, { object }] of OBJECTS) {
    const own = orders.filter(({ identity }) => identity.type === type);
    const known = own.filter(isRecord);
    if (known.length > 0)
      for (const [order, answer] of yield* beginJob(known, object, auth)) answers.set(order, answer);
  }
  return orders.map((order) => answers.get(order) ?? noRecord);
}

const isRecord = ({ identity }: SalesforceOrder): boolean =>
  /^[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?$/.test(identity.value);
const noRecord: Answer = unforeseen(
  noCall,
  "a record id has 15 or 18 letters and digits; correct it where it was registered",
);

/** As SOQL writes a text. */
const quoted = (value: string): string => `'${value.replace(/[\\']/g, "\\$&")}'`;

/** The ids of an id's two spellings are told apart by its first 15. */
const short = (id: string): string => id.slice(0, 15);

const listed = (orders: Orders): string => `(${orders.map(({ identity }) => quoted(identity.value)).join(",")})`;

function* rowsOf(q: string, orders: Orders, auth: Auth): Steps<Tried<readonly Row[]>> {
  const reply = yield get(under(orders, at`/services/data/${{ version: VERSION }}/query?q=${{ q }}`), auth);
  const rows = read(reply, Rows);
  if (!rows.ok) return { problem: refusal(reply) ?? rows.problem };
  if (!rows.value.done)
    return { problem: unforeseen(reply, "more records than one answer holds have these addresses") };
  return { value: rows.value.records };
}

/** The records of all addresses at once, each then given to whose address it has; Salesforce compares without regard to case. */
function* search(orders: Orders, auth: Auth): Steps<ReadonlyMap<SalesforceOrder, Answer>> {
  const records: { readonly identity: Identity; readonly addresses: readonly string[] }[] = [];
  for (const [type, { object, fields }] of OBJECTS) {
    // In an org without person accounts the field does not exist.
    if (type === ACCOUNT && orders[0]?.settings.personAccounts !== "yes") continue;
    const having = fields.map((field) => `${field} IN ${listed(orders)}`).join(" OR ");
    const rows = yield* rowsOf(`SELECT Id,${fields.join(",")} FROM ${object} WHERE ${having}`, orders, auth);
    if ("problem" in rows) return new Map(orders.map((order) => [order, rows.problem]));
    for (const row of rows.value) records.push({ identity: { type, value: row.Id }, addresses: addressesOf(row) });
  }
  return new Map(
    orders.map((order) => {
      const own = records.filter(({ addresses }) => addresses.includes(order.identity.value.toLowerCase()));
      return [order, found(own.map(({ identity }) => identity))];
    }),
  );
}

const addressesOf = ({ Email, SuppliedEmail, PersonEmail, Contact }: Row): readonly string[] =>
  [Email, SuppliedEmail, PersonEmail, Contact?.Email].flatMap((each) => (each == null ? [] : [each.toLowerCase()]));

/** Reads which records are there, because a job counts those that are not as failed; then makes, fills and closes the job. */
function* beginJob(orders: Orders, object: string, auth: Auth): Steps<ReadonlyMap<SalesforceOrder, Answer>> {
  const all = (answer: Answer) => new Map(orders.map((order) => [order, answer]));
  const rows = yield* rowsOf(`SELECT Id FROM ${object} WHERE Id IN ${listed(orders)}`, orders, auth);
  if ("problem" in rows) return all(rows.problem);
  const ids = rows.value.map(({ Id }) => Id);
  const there = new Set(ids.map(short));
  if (there.size === 0) return all(notFound);

  const jobs = under(orders, at`/services/data/${{ version: VERSION }}/jobs/ingest`);
  const made = yield postJson(jobs, auth, { object, operation: "hardDelete", contentType: "CSV", lineEnding: "LF" });
  const job = read(made, Job);
  if (!job.ok) return all(refusal(made) ?? job.problem);
  const { id } = job.value;
  const filled = yield put(jobAt(orders, id, at`/batches`), auth, ["Id", ...ids, ""].join("\n"));
  if (filled.status !== 201) return all(refusal(filled) ?? unforeseen(filled));
  const closed = yield { ...postJson(jobAt(orders, id), auth, { state: "UploadComplete" }), method: "PATCH" };
  const queued = read(closed, Job);
  if (!queued.ok) return all(refusal(closed) ?? queued.problem);
  return new Map(
    orders.map((order) => [order, there.has(short(order.identity.value)) ? accepted(id, ASK_AFTER_SECONDS) : notFound]),
  );
}

const put = (address: Address, auth: Auth, body: string): Call => ({
  method: "PUT",
  at: address,
  headers: { ...auth, "content-type": "text/csv" },
  body,
});

function jobAt(orders: Orders, job: string, tail: Address = { url: "", template: "" }): Address {
  const { url, template } = under(orders, at`/services/data/${{ version: VERSION }}/jobs/ingest/${{ job }}`);
  return { url: url + tail.url, template: template + tail.template };
}

function* check(job: string, orders: Orders): Steps<readonly Answer[]> {
  const signedIn = yield* signIn(orders);
  if ("problem" in signedIn) return orders.map(() => signedIn.problem);
  const auth = signedIn.value;
  const reply = yield get(jobAt(orders, job), auth);
  const seen = read(reply, Job);
  if (!seen.ok) return orders.map(() => refusal(reply) ?? seen.problem);
  const { state, numberRecordsFailed: count } = seen.value;
  if (state !== "JobComplete" || count === 0) return orders.map(() => progress(seen.value));
  const results = yield get(jobAt(orders, job, at`/failedResults`), { ...auth, accept: "text/csv" });
  if (results.status !== 200) return orders.map(() => refusal(results) ?? unforeseen(results));
  const failures = failed(results.text);
  // Whom a row cannot be read of must not be taken for erased.
  if (failures.size !== count)
    return orders.map(() => unforeseen(results, "Salesforce's failed records do not add up; retry asks again"));
  return orders.map(({ identity }) => failures.get(short(identity.value)) ?? erased);
}

/** A job that is complete comes here without failures only. */
function progress({ id, state }: z.infer<typeof Job>): Answer {
  switch (state) {
    case "Open":
    case "UploadComplete":
    case "InProgress":
      return accepted(id, ASK_AFTER_SECONDS);
    case "JobComplete":
      return erased;
    case "Failed":
    case "Aborted":
      return cameToNothing(`Salesforce's job is ${state}; retry makes a new one`);
  }
}

/** Rows of `sf__Id`, `sf__Error` and the id that was sent. Of the error no more is shown than its code, because it may name people. */
function failed(csv: string): ReadonlyMap<string, Answer> {
  const failures = new Map<string, Answer>();
  for (const row of csv.split("\n").slice(1)) {
    const id = /([0-9A-Za-z]{15,18})"?\r?$/.exec(row)?.[1];
    if (id === undefined) continue;
    const code = /(?:^|,)"?([A-Z][A-Z_]+):/.exec(row)?.[1] ?? "no code";
    // Somebody else was quicker.
    const isGone = code === "ENTITY_IS_DELETED";
    const why = `Salesforce did not delete the record (${code}); retry makes a new job`;
    failures.set(short(id), isGone ? notFound : cameToNothing(why));
  }
  return failures;
}

/** What a refusal means for the lane, where it says so: 403 is either a spent day or a missing right. */
function refusal(reply: Reply): Answer | undefined {
  if (reply.status !== 403) return undefined;
  const errors = readRefusal(reply, Errors);
  return errors.ok && errors.value.some(({ errorCode }) => errorCode === "REQUEST_LIMIT_EXCEEDED")
    ? { outcome: "slow_down", seconds: 3600 }
    : unauthorized(reply, "Salesforce answered 403, as for a user without a right that this call needs");
}
