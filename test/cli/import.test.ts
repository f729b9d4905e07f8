import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parseIdList } from "../../cli/id-list.ts";
import { folder, quittance } from "./support.ts";

const KEY = "qk_1_averysecretkeythatnobodymustsee0123456789abcde";
const file = folder();

type Body = {
  readonly type: string;
  readonly reference: string;
  readonly ids: readonly { readonly type: string; readonly value: string; readonly at?: string }[];
};
type Answer = { readonly status: number; readonly body: unknown };

/** Stands for a gateway: it knows one subprocessor, and counts what it is told. */
let server: Server;
let origin: string;
let calls: Body[] = [];
let seen: string[] = [];
let files: { readonly type: string; readonly lines: readonly string[] }[] = [];
let fileAnswers: (lines: readonly string[]) => Answer;
let answers: (call: Body, index: number) => Answer;
let identities = [{ type: "facebook.user_id" }];

const taken = ({ ids }: Body): Answer => ({
  status: 202,
  body: { counts: { opened: ids.length, held: 0, duplicate: 0, noted: 0, told: 0 }, results: [] },
});

const takenLines = (lines: readonly string[]): Answer => ({
  status: 202,
  body: {
    counts: { opened: 1, held: 0, duplicate: 0, noted: 0, told: 0, ignored: lines.length - 1 },
    results: lines.map((_, at) =>
      at === 0 ? { event: "user deleted", result: "opened" } : { event: "user protected", result: "ignored" },
    ),
  },
});

beforeAll(async () => {
  server = createServer(async (request, reply) => {
    seen.push(`${request.method} ${request.url} ${request.headers.authorization ?? "-"}`);
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const answer = (): Answer => {
      if (request.url === "/v1/subprocessors/fb") return { status: 200, body: { id: "fb", integration: "facebook" } };
      if (request.url === "/v1/integrations/facebook")
        return { status: 200, body: { identities, lists: [{ list: "users" }, { list: "tweets" }] } };
      if (request.url === "/v1/subprocessors/fb/signals/users") {
        files.push({ type: request.headers["content-type"] ?? "", lines: text.split("\n") });
        return fileAnswers(text.split("\n"));
      }
      if (request.url !== "/v1/subprocessors/fb/signals")
        return { status: 404, body: { detail: "There is no such subprocessor here." } };
      const body: Body = JSON.parse(text);
      calls.push(body);
      return answers(body, calls.length - 1);
    };
    const { status, body } = answer();
    reply.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  origin = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
});
beforeEach(() => {
  calls = [];
  seen = [];
  files = [];
  fileAnswers = takenLines;
  answers = taken;
  identities = [{ type: "facebook.user_id" }];
});
afterAll(() => {
  server.close();
});

/** Runs it, and makes sure that neither the key nor an id is anywhere in what was printed. */
async function imported(list: string, args: readonly string[] = [], given: { stdin?: string } = {}) {
  const path = given.stdin === undefined ? file(list) : "-";
  const line = ["import", "--subprocessor", "fb", "--type", "account_deleted", ...args, path];
  const result = await quittance(line, { env: { QUITTANCE_URL: origin, QUITTANCE_API_KEY: KEY }, ...given });
  expect(result.out + result.err).not.toContain(KEY);
  expect(result.out + result.err).not.toMatch(/user-\d|\n\s+at /);
  return result;
}

const users = (count: number) => Array.from({ length: count }, (_, index) => `user-${index}`);

describe("handing over a list", () => {
  it("goes a thousand at a time, says how far it is, and counts what became of it", async () => {
    const { code, out, err } = await imported(users(2300).join("\n"), ["--json"]);
    expect(code).toBe(0);
    expect(calls.map(({ ids }) => ids.length)).toEqual([1000, 1000, 300]);
    expect(calls.flatMap(({ ids }) => ids.map(({ value }) => value))).toEqual(users(2300));
    expect(calls[0]?.ids[0]).toEqual({ type: "facebook.user_id", value: "user-0" });
    expect(err.split("\n").filter((line) => line !== "")).toEqual([
      "1000 of 2300 ids",
      "2000 of 2300 ids",
      "2300 of 2300 ids",
    ]);
    expect(JSON.parse(out)).toMatchObject({ subprocessor: "fb", ids: 2300, calls: 3, opened: 2300, sent: 2300 });
    expect(seen.every((each) => each.endsWith(` Bearer ${KEY}`))).toBe(true);
  });

  it("is the same import for the same list, and another for one that has grown, unless it has a name", async () => {
    for (const list of ["user-1", "user-1", "user-1\nuser-2"]) await imported(list);
    const [first, second, third] = calls.map(({ reference }) => reference);
    expect(first).toMatch(/^sha256:/);
    expect(second).toBe(first);
    expect(third).not.toBe(first);
    await imported("user-1", ["--reference", "november"]);
    expect(calls.at(-1)?.reference).toBe("november");
  });

  it("reads standard input", async () => {
    const { code } = await imported("", ["--id-type", "facebook.user_id"], { stdin: "user-1\r\nuser-2\r\n" });
    expect(code).toBe(0);
    expect(calls.map(({ ids }) => ids.length)).toEqual([2]);
  });

  it("cuts a list of long ids so that each call is small enough", async () => {
    await imported(Array.from({ length: 1500 }, (_, at) => `${at}${"é".repeat(500)}`).join("\n"));
    expect(calls.reduce((sum, { ids }) => sum + ids.length, 0)).toBe(1500);
    expect(Math.max(...calls.map((call) => Buffer.byteLength(JSON.stringify(call))))).toBeLessThan(1_048_576);
  });

  it("sends nothing in a dry run, and asks nobody", async () => {
    const { code, out } = await imported(users(1200).join("\n"), ["--dry-run"]);
    expect([code, seen]).toEqual([0, []]);
    expect(out).toContain("ids: 1200");
    expect(out).toContain("calls: 2");
    const bare = ["import", "--subprocessor", "fb", "--type", "account_deleted", "--dry-run", file("user-1")];
    expect((await quittance(bare, { env: {} })).code).toBe(0);
  });

  it("stops at the first call that is refused, and says that it can be run again", async () => {
    answers = (call, index) => (index === 1 ? { status: 503, body: { detail: "Nothing was recorded." } } : taken(call));
    const { code, err, out } = await imported(users(2500).join("\n"), ["--json"]);
    expect(code).toBe(1);
    expect(err).toContain("answered 503: Nothing was recorded.");
    expect(err).toContain("stopped: 1000 of 2500 ids were handed over. Run the same again");
    expect(JSON.parse(out)).toMatchObject({ sent: 1000, opened: 1000 });
    expect(calls).toHaveLength(2);
  });

  it("names the line of an id that the gateway refuses", async () => {
    answers = () => ({ status: 422, body: { errors: [{ field: "ids.1.at", expected: "a time that has passed" }] } });
    const { code, err } = await imported("\nuser-1\n\nuser-2\n");
    expect([code, err]).toEqual([1, expect.stringContaining("refused line 4 (at): expected a time that has passed")]);
  });

  it("asks which ids they are where there are several kinds, and takes the word of who says so", async () => {
    identities = [{ type: "a.user" }, { type: "a.account" }];
    const { code, err } = await imported("user-1");
    expect([code, err]).toEqual([1, expect.stringContaining("--id-type, one of a.user, a.account")]);
    expect((await imported("user-1", ["--id-type", "a.user"])).code).toBe(0);
    expect(calls.map(({ ids }) => ids[0]?.type)).toEqual(["a.user"]);
  });

  it("says so where there is no such subprocessor, or no gateway", async () => {
    const unknown = await imported("user-1", ["--subprocessor", "nobody"]);
    expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining("answered 404")]);
    const away = await imported("user-1", ["--gateway", "http://127.0.0.1:1"]);
    expect([away.code, away.err]).toEqual([1, expect.stringContaining("cannot be reached. Is the gateway running?")]);
  });

  it("finds the gateway of npm start by itself, and the tenant that has the subprocessor", async () => {
    const subprocessors = { fb: { integration: "facebook" } };
    const tenants = { one: { api_key: "qk_another_key", subprocessors: {} }, two: { api_key: KEY, subprocessors } };
    const dev = file(JSON.stringify({ url: origin, tenants }));
    const line = ["import", "--subprocessor", "fb", "--type", "erasure_requested", "--dev", dev];
    const { code, err } = await quittance([...line, file("user-1")], { env: {} });
    expect([code, seen.at(-1)]).toEqual([0, `POST /v1/subprocessors/fb/signals Bearer ${KEY}`]);
    expect(err).toContain(`asking ${origin} as two`);
    const other = await quittance([...line, "--tenant", "thre", file("user-1")], { env: {} });
    expect([other.code, other.err]).toEqual([2, expect.stringContaining("there is no tenant thre")]);
  });

  it("says so where all of it was only noted, and why", async () => {
    answers = ({ ids }) => ({
      status: 202,
      body: {
        counts: { opened: 0, held: 0, duplicate: 0, noted: ids.length, told: 0 },
        results: ids.map(() => ({ request: "req_1", result: "noted", noted: "recorded" })),
      },
    });
    const why =
      'nothing was begun: your policy takes fb/import\'s account_deleted for a note; set `authority` {"fb/import": {"account_deleted": "everywhere"}} with PUT /v1/policy, and hand the list over under another --reference';
    const { code, out } = await imported("user-1\nuser-2");
    expect([code, out.trimEnd().split("\n").at(-1)]).toEqual([0, why]);
    const json = await imported("user-1\nuser-2", ["--json"]);
    expect([JSON.parse(json.out).noted, json.err]).toEqual([2, expect.stringContaining(why)]);
    const disabled = await imported("user-1", ["--type", "account_disabled"]);
    expect(disabled.out).toContain("nothing was begun: account_disabled is only ever noted");
  });

  it("says so where there was nothing in the list", async () => {
    for (const empty of ["", "\n \n", "id,at\n"]) {
      const { code, err } = await imported(empty);
      expect([code, err, seen]).toEqual([1, expect.stringContaining("there was nothing in it"), []]);
    }
  });
});

describe("what X's batch compliance jobs answer", () => {
  const row = (id: string, reason: string, more: object = {}) =>
    JSON.stringify({
      id,
      action: "delete",
      created_at: "2011-01-01T00:00:00.000Z",
      redacted_at: "2026-11-20T10:00:00.000Z",
      reason,
      ...more,
    });
  const rows = ["deleted", "suspended", "deactivated", "protected", "scrub_geo", "bounced"]
    .map((reason, at) => row(`user-${at}`, reason))
    .join("\n");

  it("is taken for what it says: whoever may come back is not deleted", async () => {
    const { out } = await imported(rows, ["--json"]);
    expect(calls[0]?.ids).toEqual([{ type: "facebook.user_id", value: "user-0", at: "2026-11-20T10:00:00.000Z" }]);
    expect(JSON.parse(out).passed_over).toEqual({
      "reason suspended": 1,
      "reason deactivated": 1,
      "reason protected": 1,
      "reason scrub_geo": 1,
      "reason bounced": 1,
    });
  });

  it("is of the reasons that are named, or that fit the signal", async () => {
    await imported(rows, ["--type", "account_disabled"]);
    await imported(rows, ["--reason", "deleted", "--reason", "suspended"]);
    expect(calls.map(({ ids }) => ids.map(({ value }) => value))).toEqual([
      ["user-1", "user-2"],
      ["user-0", "user-1"],
    ]);
  });

  it("is of no use where something else is to be done", async () => {
    const { out } = await imported(row("user-1", "deleted", { action: "keep" }), ["--json"]);
    expect([calls, JSON.parse(out).passed_over]).toEqual([[], { "action keep": 1 }]);
  });
});

describe("a vendor's own file", () => {
  const users = (count: number) =>
    Array.from({ length: count }, (_, at) => JSON.stringify({ id: `user-${at}`, reason: "deleted" }));

  /** Makes sure that no id is anywhere in what was printed. */
  async function importedFile(text: string, more: readonly string[] = []) {
    const line = ["import", "--subprocessor", "fb", "--list", "users", "--json", ...more, file(text)];
    const result = await quittance(line, { env: { QUITTANCE_URL: origin, QUITTANCE_API_KEY: KEY } });
    expect(result.out + result.err).not.toMatch(/user-\d|\n\s+at /);
    return result;
  }

  it("goes as it is, a thousand lines at a time, and shows what was passed over", async () => {
    const { code, out } = await importedFile(`\uFEFF${users(1500).join("\r\n")}\r\n\r\n`);
    expect(code).toBe(0);
    expect(files.map(({ type, lines }) => [type, lines.length])).toEqual([
      ["application/x-ndjson", 1000],
      ["application/x-ndjson", 500],
    ]);
    expect(files.flatMap(({ lines }) => lines)).toEqual(users(1500));
    expect(JSON.parse(out)).toMatchObject({
      list: "users",
      ids: 1500,
      opened: 2,
      sent: 1500,
      passed_over: { "user protected": 1498 },
    });
  });

  it("names the line that the gateway refuses, and stops there", async () => {
    fileAnswers = () => ({
      status: 422,
      body: { errors: [{ field: "lines.1.redacted_at", expected: "what the vendor documents" }] },
    });
    const { code, err, out } = await importedFile(`${users(1).join("")}\n\n${users(1200).join("\n")}`);
    expect([code, files.length]).toEqual([1, 1]);
    expect(err).toContain("refused line 3 (redacted_at): expected what the vendor documents");
    expect(err).toContain("stopped: 0 of 1201 ids were handed over");
    expect(JSON.parse(out)).toMatchObject({ sent: 0, opened: 0 });
  });

  it("is refused with the names of the lists that there are", async () => {
    const line = ["import", "--subprocessor", "fb", "--list", "user", file(users(2).join("\n"))];
    const { code, err } = await quittance(line, { env: { QUITTANCE_URL: origin, QUITTANCE_API_KEY: KEY } });
    expect(code).toBe(1);
    expect(err).toContain("fb has no list user; there are users, tweets");
    expect(err).not.toContain("un the same again");
  });

  it("is nothing where there is nothing in it", async () => {
    const { code, err } = await importedFile("\n\n");
    expect([code, err, seen]).toEqual([1, expect.stringContaining("there was nothing in it"), []]);
  });

  it("asks nobody in a dry run", async () => {
    const { code, out } = await importedFile(users(1200).join("\n"), ["--dry-run"]);
    expect([code, seen]).toEqual([0, []]);
    expect(JSON.parse(out)).toMatchObject({ ids: 1200, calls: 2, dry_run: true });
  });
});

describe("reading a list", () => {
  const read = (text: string) => {
    const listed = parseIdList(text);
    return listed.ok
      ? listed.value.map(({ line, id, at, reason }) => [line, id, at, reason].filter((each) => each !== undefined))
      : listed.problem;
  };

  it("takes one id a line, whatever ends the lines", () => {
    expect(read("\uFEFFa\r\n\r\n b \nc")).toEqual([
      [1, "a"],
      [3, "b"],
      [4, "c"],
    ]);
    expect(read("")).toEqual([]);
  });

  it("takes CSV with a column id, quoted or not, in any order", () => {
    expect(read('Reason,ID,"at"\r\ndeleted,a,2026-11-20T10:00:00Z\r\n\r\n,"b ""x"", y",\r\n"a\nb",c,')).toEqual([
      [2, "a", "2026-11-20T10:00:00Z", "deleted"],
      [4, 'b "x", y'],
      [5, "c", "a\nb"],
    ]);
    expect(read("id\n1\n2\n")).toEqual([
      [2, "1"],
      [3, "2"],
    ]);
  });

  it("never takes the age of an account for the time of its end", () => {
    expect(read('{"id":"a","created_at":"2011-01-01T00:00:00Z"}')).toEqual([[1, "a"]]);
    expect(read("id,created_at\na,2011-01-01T00:00:00Z")).toEqual([[2, "a"]]);
  });

  it.each([
    ["a b", "line 1: expected one id"],
    ["a\nb,c", "line 2: expected one id"],
    ['{"id":"a"}\n{"id":12345678901234567890}', "line 2.id: expected an id"],
    ['{"id":"a"}\n{"ID":"b"}', "line 2.id: expected an id"],
    ['{"id":"a"}\n{"id":', "line 2 is not JSON"],
    ['{"id":"a","redacted_at":"yesterday"}', "line 1.redacted_at: expected an RFC 3339 time"],
    ['[{"id":"a"}]', "one JSON object a line"],
    ["id,at\na", "line 2: expected 2 fields"],
    ["id,at\n,2026-11-20T10:00:00Z", "line 2.id: expected an id"],
    ['id,at\n"a,b\nc,d', "a quoted field does not end"],
    ['id\n"a"b', "a quoted field does not end"],
    ["a".repeat(513), "line 1.id: expected an id"],
  ])("refuses the whole by the line that does not fit, without saying what stands there: %j", (text, problem) => {
    expect(read(text)).toContain(problem);
  });
});

describe("wrong usage", () => {
  const all = ["--subprocessor", "fb", "--type", "account_deleted", "--gateway", "https://a.example", "--key", KEY];

  it.each<[readonly string[], RegExp]>([
    [[...all], /expected one list/],
    [[...all, "a", "b"], /expected one list/],
    [[...all, "https://a.example/list"], /download the list first/],
    [[...all.slice(2), "a"], /--subprocessor ID/],
    [[...all.slice(0, 2), ...all.slice(4), "a"], /--type/],
    [[...all.slice(0, 4), ...all.slice(6), "a"], /--gateway/],
    [[...all, "--gateway", "http://a.example", "a"], /--gateway/],
    [[...all, "--gateway", "https://a.example/path", "a"], /--gateway: expected an origin without a path/],
    [
      [...all.slice(0, 4), "--dev", "/nowhere/dev.json", file("user-1")],
      /dev.json does not exist, which npm start writes/,
    ],
    [[...all, "--dev", "/nowhere/dev.json", "a"], /give one of them/],
    [[...all, "--tenant", "cloutmetrics", "a"], /--tenant is for a gateway of npm start/],
    [[...all.slice(0, 6), "a"], /QUITTANCE_API_KEY/],
    [[...all, "--at", "yesterday", "a"], /--at: expected an RFC 3339 time/],
    [[...all, "--reference", "", "a"], /--reference/],
    [[...all, "--colour", "a"], /Unknown option '--colour'/],
    [[...all, "--list", "users", "a"], /--type says nothing/],
    [
      [...all.slice(0, 2), ...all.slice(4), "--list", "users", "--at", "2026-11-20T10:00:00Z", "a"],
      /--at says nothing/,
    ],
    [[...all, "/nowhere/at-all"], /does not exist/],
    [[...all, file("a b")], /line 1: expected one id/],
  ])("%j is refused in plain words, with exit code 2", async (args, words) => {
    const { code, out, err } = await quittance(["import", ...args], { env: {} });
    expect(err).toMatch(words);
    expect(out).toBe("");
    expect(code).toBe(2);
  });

  it("has help of its own", async () => {
    const { code, out } = await quittance(["import", "--help"]);
    expect(code).toBe(0);
    for (const word of ["Usage:", "Exit codes:", "--dry-run", "redacted_at", "--reference", "--list"])
      expect(out).toContain(word);
    expect((await quittance(["--help"])).out).toContain("quittance import");
  });
});
