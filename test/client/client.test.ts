import { describe, expect, it } from "vitest";
import { connect, NotRegistered } from "../../client/index.ts";

const KEY = "qk_1_averysecretkeythatnobodymustsee0123456789abcde";
const PERSON = "ada@example.com";

type Sent = { readonly url: string; readonly init: RequestInit };

/** A gateway that gives these answers, the last of them for ever. */
function gateway(...answers: readonly (Response | Error)[]) {
  const sent: Sent[] = [];
  const waits: number[] = [];
  const quittance = connect({
    url: "https://erasure.example.com/",
    key: KEY,
    sleep: async (ms) => {
      waits.push(ms);
    },
    fetch: async (url, init = {}) => {
      const answer = answers[Math.min(sent.length, answers.length - 1)];
      sent.push({ url: String(url), init });
      if (answer instanceof Error) throw answer;
      return answer?.clone() ?? new Response(null, { status: 500 });
    },
  });
  const bodies = () => sent.map(({ init }): unknown => JSON.parse(String(init.body)));
  return { quittance, sent, waits, bodies };
}
const taken = (count = 1, more: object = {}) =>
  Response.json({ registered: count, joins: [], ...more }, { status: 201 });
const busy = new Response(null, { status: 503, headers: { "retry-after": "0" } });

describe("the product's client", () => {
  it("registers in one line, at the entry that is called like the integration, or another", async () => {
    const { quittance, sent, bodies } = gateway(taken());
    expect(await quittance.holds(PERSON, "openai.file", "file-1")).toEqual({ registered: 1, joins: [] });
    await quittance.holds(PERSON, "azure-openai.thread", "thread_1", { subprocessor: "azure-eu" });
    expect(sent[0]?.url).toBe("https://erasure.example.com/v1/subjects/ada%40example.com/objects");
    expect(sent[0]?.init).toMatchObject({ method: "POST", redirect: "manual" });
    expect(new Headers(sent[0]?.init.headers).get("authorization")).toBe(`Bearer ${KEY}`);
    expect(bodies()).toEqual([
      { objects: [{ subprocessor: "openai", type: "openai.file", id: "file-1" }] },
      { objects: [{ subprocessor: "azure-eu", type: "azure-openai.thread", id: "thread_1" }] },
    ]);
  });

  it("sends many two hundred at a time, each once, and puts the answers together", async () => {
    const erasure = { id: "req_1", status_url: "https://erasure.example.com/status/1" };
    const { quittance, sent } = gateway(taken(200, { joins: ["req_0"] }), taken(50, { joins: ["req_0"], erasure }));
    const ids = Array.from({ length: 250 }, (_, at) => `file-${at}`);
    expect(await quittance.holds(PERSON, "openai.file", [...ids, "file-0"])).toEqual({
      registered: 250,
      joins: ["req_0"],
      erasure,
    });
    expect(sent).toHaveLength(2);
  });

  it("gives back what a vendor created, once it is registered", async () => {
    const { quittance, bodies } = gateway(taken());
    const file = { id: "file-1", bytes: 3 };
    expect(await quittance.created(PERSON, "openai.file", Promise.resolve(file))).toBe(file);
    expect(bodies()).toEqual([{ objects: [{ subprocessor: "openai", type: "openai.file", id: "file-1" }] }]);
    const refused = quittance.created(PERSON, "openai.file", Promise.reject(new Error("the vendor's own")));
    await expect(refused).rejects.toThrow("the vendor's own");
  });

  it("asks again while the gateway is busy or away, and no more often than it is told", async () => {
    const late = gateway(busy, new TypeError("fetch failed"), taken());
    expect(await late.quittance.holds(PERSON, "openai.file", "file-1")).toMatchObject({ registered: 1 });
    expect(late.sent).toHaveLength(3);
    expect(late.waits[0], "as long as it was told").toBe(0);
    expect(late.waits[1]).toBeGreaterThan(0);
    const away = gateway(busy);
    await expect(away.quittance.holds(PERSON, "openai.file", "file-1")).rejects.toMatchObject({ status: 503 });
    expect(away.sent).toHaveLength(3);
  });

  it("says what did not fit, and what nobody knows of now; neither key nor person", async () => {
    const errors = [{ field: "objects.0.subprocessor", expected: "one of stripe, own" }];
    const { quittance, sent } = gateway(Response.json({ title: "Input refused", errors }, { status: 422 }));
    const problem = await quittance.holds(PERSON, "openai.file", "file-1").catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(NotRegistered);
    expect(problem).toMatchObject({
      message: "objects.0.subprocessor: expected one of stripe, own",
      status: 422,
      errors,
      unregistered: { type: "openai.file", ids: ["file-1"] },
    });
    expect(sent, "what is refused is not asked again").toHaveLength(1);
    expect(`${String(problem)} ${JSON.stringify(problem)}`).not.toMatch(/ada@example|qk_1_/);
  });

  it.each([new Response("<html>", { status: 403 }), Response.redirect("https://elsewhere.example/", 307)])(
    "takes nothing else for an answer",
    async (answer) => {
      const { quittance, sent } = gateway(answer);
      await expect(quittance.holds(PERSON, "openai.file", "file-1")).rejects.toMatchObject({ status: answer.status });
      expect(sent).toHaveLength(1);
    },
  );

  it("shows its key to no address in the clear, and stops when it is told to", async () => {
    expect(() => connect({ url: "http://erasure.example.com", key: KEY })).toThrow("https");
    expect(() => connect({ url: "http://127.0.0.1:8787", key: KEY })).not.toThrow();
    const { quittance } = gateway(new TypeError("aborted"));
    const stopped = AbortSignal.abort(new Error("the request is over"));
    await expect(quittance.holds(PERSON, "openai.file", "x", { signal: stopped })).rejects.toThrow("is over");
  });
});
