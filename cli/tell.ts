import { fail, ok, type Result } from "../src/result.ts";
import { curlOf } from "./curl.ts";
import type { KnownEvent } from "./events.ts";
import type { Delivery } from "./make.ts";
import { isTaken, pageIn, report, withoutQuery } from "./report.ts";
import type { Asked } from "./send-option.ts";
import { list, object, optional, parseJson, type ReadBy, text } from "./shape.ts";
import { readText, unreached } from "./source.ts";
import type { Target } from "./target.ts";
import { type ExitCode, type Line, printJson, printLines, type Terminal } from "./terminal.ts";

/** A hook, what it is to be told, and how that was asked for. */
export type About = {
  readonly known: KnownEvent;
  readonly target: Target;
  readonly options: Asked;
  readonly deliveries: readonly Delivery[];
};

const facts = ({ known, target, options }: About) => ({
  integration: known.integration.id,
  event: known.name,
  endpoint: known.endpoint,
  tenant: target.tenant,
  subprocessor: target.subprocessor,
  person: options.person ?? known.sample.person,
});

const facet = ({ seed, at, url }: Delivery) => ({ seed, at: new Date(at).toISOString(), method: "POST", url });

/** What would be sent, with signatures and all. */
export function shown(terminal: Terminal, about: About): Result<ExitCode, string> {
  if (about.options.json) {
    const deliveries = about.deliveries.map((each) => ({
      ...facet(each),
      headers: each.headers,
      body: each.body,
      curl: curlOf(each.url, each.headers, each.body),
    }));
    printJson(terminal, { ...facts(about), deliveries });
    return ok(0);
  }
  for (const { url, headers, body } of about.deliveries)
    printLines(terminal, [
      { text: `POST ${url}`, tone: "strong" },
      ...Object.entries(headers).map(([name, value]): Line => ({ text: `${name}: ${value}` })),
      { text: "" },
      ...body.split("\n").map((line): Line => ({ text: line })),
      { text: "" },
      ...curlOf(url, headers, body)
        .split("\n")
        .map((line): Line => ({ text: line, tone: "faint" })),
      { text: "" },
    ]);
  return ok(0);
}

export type Answered = { readonly status: number; readonly body: string };

/** Sends, and prints what was answered and what came of it. */
export async function told(terminal: Terminal, about: About): Promise<Result<ExitCode, string>> {
  const before = await requestsOf(terminal, about.target);
  const answers: Answered[] = [];
  for (const delivery of about.deliveries) {
    const answer = await delivered(terminal, delivery);
    if (!answer.ok) return answer;
    answers.push(answer.value);
  }
  const known = new Set(before?.map(({ id }) => id));
  const source = `${about.target.subprocessor}/${about.known.endpoint}`;
  const after = before === undefined ? undefined : await requestsOf(terminal, about.target);
  const requests = after?.filter((each) => each.source === source && !known.has(each.id));
  if (about.options.json)
    printJson(terminal, {
      ...facts(about),
      deliveries: about.deliveries.map((each, index) => ({
        ...facet({ ...each, url: withoutQuery(each.url) }),
        ...answers[index],
      })),
      ...(requests !== undefined && { requests }),
    });
  else printLines(terminal, await report(about, answers, requests, await pageOf(terminal, about.target, answers)));
  return ok(answers.every(isTaken) ? 0 : 1);
}

const TIMEOUT_MS = 20_000;

/** One delivery as it comes from a vendor; a redirect is an answer and not followed. */
async function delivered(terminal: Terminal, { url, headers, body }: Delivery): Promise<Result<Answered, string>> {
  try {
    const init = {
      method: "POST",
      headers,
      body,
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    } as const;
    const reply = await terminal.fetch(url, init);
    return ok({ status: reply.status, body: await reply.text() });
  } catch (error) {
    // As when reading: only the code of what a connection fails with is looked at.
    if (error instanceof Error) return fail(`${new URL(url).origin} ${unreached(error, TIMEOUT_MS)}`);
    throw error;
  }
}

const Requests = object({
  requests: list(
    object({ id: text, type: text, source: text, status: text, held: optional(text), status_url: optional(text) }),
  ),
});
export type Shown = ReadBy<typeof Requests>["requests"][number];

/** The tenant's newest requests, where there is a key to ask with; undefined where they cannot be seen. */
async function requestsOf(terminal: Terminal, { gateway, key }: Target): Promise<readonly Shown[] | undefined> {
  if (key === undefined) return undefined;
  const url = new URL("/v1/requests", gateway);
  const source = await readText(terminal, { at: "url", url }, key.value);
  const parsed = source.ok ? parseJson(source.value, url.pathname) : source;
  const page = parsed.ok ? Requests(parsed.value, "requests") : parsed;
  return page.ok ? page.value.requests : undefined;
}

const Page = object({ status: optional(text), noted: optional(text) });
export type Page = ReadBy<typeof Page>;

/** What the person's page says, where one delivery was answered with its address; it is this gateway's own or none. */
async function pageOf(
  terminal: Terminal,
  { gateway }: Target,
  answers: readonly Answered[],
): Promise<Page | undefined> {
  const [answer, another] = answers;
  const address = answer === undefined || another !== undefined ? undefined : pageIn(answer);
  if (address === undefined || !address.startsWith(`${gateway}/`)) return undefined;
  const source = await readText(terminal, { at: "url", url: new URL(address) });
  const parsed = source.ok ? parseJson(source.value, "the page") : source;
  const page = parsed.ok ? Page(parsed.value, "the page") : parsed;
  return page.ok ? page.value : undefined;
}
