import { describe, expect, it } from "vitest";
import { googleBigquery } from "../../integrations/google-bigquery.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { settingsSchema } from "../../src/contract/settings.ts";
import { orderFor, type Played, play } from "../support/play.ts";
import { keyFile } from "../support/service-account.ts";

const { erase } = googleBigquery.actions;
if (isAbsent(erase) || !isBulk(erase) || erase.bulk.check === undefined) throw new Error("it erases in bulk");
const { run, check } = erase.bulk;

const settings = {
  serviceAccountKey: keyFile("PEM"),
  project: "example-project",
  location: "europe-west1",
  tables: "product.events:user_id, crm.people-v2:profile.id",
};
const one = { ...settings, tables: "product.events:user_id" };
const orderOf = (value: string, more = settings) => orderFor(more, { type: "user_id", value });
const token: Played = { status: 200, body: { access_token: "ya29.a" } };
const state = (status: object, query: object = {}): Played => ({
  status: 200,
  body: { status, statistics: { query } },
});
const running = state({ state: "RUNNING" });
const no = (status: number, reason: string, message = ""): Played => ({
  status,
  body: { error: { code: status, message, errors: [{ reason, message }] } },
});
const asked = (reply: Played, more = settings) =>
  play(check("quittance_b", [orderOf("1", more)]), [token, reply]).outcome[0];
const failed = (reason: string, message = "") => asked(state({ state: "DONE", errorResult: { reason, message } }));

describe("one job for many people", () => {
  it("deletes from every table by ids that are a parameter, under the batch's own id", () => {
    const evil = "1') OR TRUE --";
    const { calls, outcome } = play(run([orderOf("1"), orderOf(evil)], "batch_0a"), [token, running]);
    const job = calls[1];
    expect(job).toMatchObject({
      method: "POST",
      at: { url: "https://bigquery.googleapis.com/bigquery/v2/projects/example-project/jobs" },
      headers: { authorization: "Bearer ya29.a" },
    });
    expect(JSON.parse(job?.body ?? "")).toEqual({
      jobReference: { projectId: "example-project", jobId: "quittance_batch_0a", location: "europe-west1" },
      configuration: {
        query: {
          query:
            "DELETE FROM `example-project.product.events` WHERE CAST(`user_id` AS STRING) IN UNNEST(@ids);\n" +
            "DELETE FROM `example-project.crm.people-v2` WHERE CAST(`profile`.`id` AS STRING) IN UNNEST(@ids)",
          useLegacySql: false,
          parameterMode: "NAMED",
          queryParameters: [
            {
              name: "ids",
              parameterType: { type: "ARRAY", arrayType: { type: "STRING" } },
              parameterValue: { arrayValues: [{ value: "1" }, { value: evil }] },
            },
          ],
        },
      },
    });
    const accepted = { outcome: "accepted", reference: "quittance_batch_0a", askAfterSeconds: 30 };
    expect(outcome).toEqual([accepted, accepted]);
  });

  it("[I3] takes up the job of a call whose answer was lost", () => {
    const { outcome } = play(run([orderOf("1")], "b"), [token, no(409, "duplicate")]);
    expect(outcome).toMatchObject([{ outcome: "accepted", reference: "quittance_b" }]);
  });

  it.each(["a.b", "a.b:c`", "a.b:c;d", "a`.b:c", "a.b:1c", "a.b:c,", "x.a.b:c", ""])(
    "takes no tables like %j",
    (tables) => {
      expect(settingsSchema(googleBigquery.settings).safeParse({ ...settings, tables }).success).toBe(false);
    },
  );

  it("takes tables as they are named", () => {
    for (const tables of [settings.tables, "a.b:c", "a.b:c.d.e,f.g-h:i"])
      expect(settingsSchema(googleBigquery.settings).safeParse({ ...settings, tables }).success, tables).toBe(true);
  });

  it("[I4] says the same for all where no job is begun", () => {
    const answers = play(run([orderOf("1"), orderOf("2")], "b"), [token, no(403, "accessDenied")]).outcome;
    expect(answers).toMatchObject([{ outcome: "unauthorized" }, { outcome: "unauthorized" }]);
    expect(play(run([orderOf("1")], "b"), [token, no(400, "invalidQuery")]).outcome).toMatchObject([
      { outcome: "unforeseen", status: 400 },
    ]);
  });
});

describe("what became of it", () => {
  it("asks in the job's own location", () => {
    const { calls } = play(check("quittance_b", [orderOf("1")]), [token, running]);
    expect(calls[1]?.at.url).toBe(
      "https://bigquery.googleapis.com/bigquery/v2/projects/example-project/jobs/quittance_b?location=europe-west1",
    );
  });

  it("[I4] believes a job that is done only if it did not fail", () => {
    expect(asked(state({ state: "DONE" }))).toEqual({ outcome: "erased" });
    expect(failed("invalidQuery", "no such column")).toMatchObject({ outcome: "unforeseen", anew: true });
    expect(asked(state({ state: "DONE", errorResult: {} }))).toMatchObject({ outcome: "unforeseen" });
  });

  it("knows that nothing was found where there is one table, and is told how many rows went", () => {
    expect(asked(state({ state: "DONE" }, { numDmlAffectedRows: "0" }), one)).toEqual({ outcome: "not_found" });
    expect(asked(state({ state: "DONE" }, { numDmlAffectedRows: "3" }), one)).toEqual({ outcome: "erased" });
    expect(asked(state({ state: "DONE" }, { numDmlAffectedRows: "0" }))).toEqual({ outcome: "erased" });
  });

  it("[I2] tries anew, with another job, once rows that were just streamed can be deleted", () => {
    const message =
      "UPDATE or DELETE statement over table a.b would affect rows in the streaming buffer, which is not supported";
    const later = { outcome: "accepted", reference: "anew", askAfterSeconds: 1800 };
    expect(failed("invalidQuery", message)).toEqual(later);
    expect(play(run([orderOf("1")], "b"), [token, no(400, "invalidQuery", message)]).outcome).toEqual([later]);
    const { calls, outcome } = play(check("anew", [orderOf("1"), orderOf("2")]), []);
    expect([calls, outcome]).toEqual([[], [{ outcome: "more" }, { outcome: "more" }]]);
  });

  it.each([
    ["rateLimitExceeded", ""],
    ["backendError", ""],
    ["invalidQuery", "Could not serialize access to table a.b due to concurrent update"],
  ])("tries anew soon after %s %s", (reason, message) => {
    expect(failed(reason, message)).toMatchObject({ outcome: "accepted", reference: "anew", askAfterSeconds: 600 });
  });

  it("[I7] passes on no words of BigQuery's, which may name rows", () => {
    for (const [reason, message] of [
      ["invalid", "Bad value ada@example.com"],
      ["ada@example.com", "x"],
      ["accessDenied", "ada@example.com"],
    ] as const)
      expect(JSON.stringify(failed(reason, message))).not.toContain("ada@example.com");
  });

  it("begins anew on request where BigQuery knows no such job", () => {
    expect(asked(no(404, "notFound"))).toMatchObject({ outcome: "unforeseen", anew: true });
  });
});

it("[I4] names what BigQuery keeps: deleted rows for two weeks, and the job for half a year", () => {
  expect(googleBigquery.residuals.map(({ category, days }) => [category, days])).toEqual([
    ["time_travel_and_fail_safe", 14],
    ["job_history", 184],
  ]);
});
