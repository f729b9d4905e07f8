import { accepted, erased, notFound } from "../../../src/contract/outcome.ts";
import type { Played } from "../../support/play.ts";
import { on, person, type Sample, type Step, type Way } from "./kit.ts";

const contact = { type: "salesforce.contact", value: "003Ab00000XyZ01IAF" };
const salesforceWay = (way: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
  action: "erase",
  part: "run",
  identity: contact,
  ...way,
});
// 400 and 401 refuse the credential, with a word for it.
const token = on(200, 400, 401)({ status: 200, body: { access_token: "00D!AQ", token_type: "Bearer" } });
const called = on(200, 401, 403);
const records = (...ids: readonly string[]): Step =>
  called({
    status: 200,
    body: { totalSize: ids.length, done: true, records: ids.map((Id) => ({ Id, Email: person.value })) },
  });
const job = (state: string, more: object = {}): Played => ({ status: 200, body: { id: "7501", state, ...more } });
const complete = called(job("JobComplete", { numberRecordsProcessed: 1, numberRecordsFailed: 1 }));
const failures = (error: string): Step =>
  called({ status: 200, body: `"sf__Id","sf__Error",Id\n"${contact.value}","${error}","${contact.value}"\n` });

export const sample: Sample = {
  settings: { myDomain: "acme", clientId: "3MVG9", clientSecret: "0123456789ABCDEF", personAccounts: "yes" },
  hooks: {},
  ways: [
    salesforceWay({
      name: "records by e-mail",
      identity: person,
      steps: [token, records(contact.value), records(), records("500Ab00000XyZ01IAF"), records()],
      outcome: {
        outcome: "found",
        identities: [contact, { type: "salesforce.case", value: "500Ab00000XyZ01IAF" }],
      },
    }),
    salesforceWay({
      name: "nobody by e-mail",
      identity: person,
      steps: [token, records(), records(), records(), records()],
      outcome: notFound,
    }),
    salesforceWay({
      name: "job begun",
      steps: [
        token,
        records(contact.value),
        called(job("Open")),
        on(201, 401, 403)({ status: 201 }),
        called(job("UploadComplete")),
      ],
      outcome: accepted("7501", 60),
    }),
    salesforceWay({ name: "no such record", steps: [token, records()], outcome: notFound }),
    salesforceWay({
      name: "job at work",
      part: { check: "7501" },
      steps: [token, called(job("InProgress"))],
      outcome: accepted("7501", 60),
    }),
    salesforceWay({
      name: "job complete",
      part: { check: "7501" },
      steps: [token, called(job("JobComplete", { numberRecordsFailed: 0 }))],
      outcome: erased,
    }),
    salesforceWay({
      name: "record that was gone",
      part: { check: "7501" },
      steps: [token, complete, failures("ENTITY_IS_DELETED:entity is deleted:--")],
      outcome: notFound,
    }),
  ],
};
