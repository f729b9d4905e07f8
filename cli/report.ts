import type { KnownEvent } from "./events.ts";
import type { Delivery } from "./make.ts";
import { signalsOf } from "./meaning.ts";
import { table } from "./summary.ts";
import type { About, Answered, Page, Shown } from "./tell.ts";
import type { Line } from "./terminal.ts";

/** What a person reads: the answer, what came of it and where to look, and how to send the very same again. */
export async function report(
  about: About,
  answers: readonly Answered[],
  requests: readonly Shown[] | undefined,
  page: Page | undefined,
): Promise<readonly Line[]> {
  const [first] = about.deliveries;
  const [answer] = answers;
  if (first === undefined || answer === undefined) return [];
  const head: Line = { text: `POST ${withoutQuery(first.url)}`, tone: "strong" };
  const address = pageIn(answer);
  return [
    head,
    ...(answers.length === 1 ? answerLines(answer) : tally(answers)),
    ...(address === undefined || answers.length > 1 ? [] : [{ text: `the person's page: ${address}` }]),
    { text: "" },
    ...(answers.some(isTaken) ? await causedLines(about, requests, page) : refusedLines),
    ...(answers.length === 1 ? [again(first)] : []),
  ];
}

/** The person's page, where the vendor is told of it. */
export const pageIn = ({ body }: Answered): string | undefined =>
  /https?:\/\/[^"\s]+\/status\/[a-z0-9]+/.exec(body)?.[0];

/** Why nothing new came of it: the person's page knows, where there is one; else it may be either. */
function uncausedWords({ integration }: KnownEvent, page: Page | undefined): string {
  if (page?.noted !== undefined) return `it was noted and not obeyed (${NOTED[page.noted] ?? page.noted})`;
  if (page !== undefined) return `it is a repeat of one whose request is ${page.status ?? "known"}`;
  return `it is a repeat, or it was noted and not obeyed (${integration.name} is not told which)`;
}

const NOTED: Readonly<Record<string, string>> = {
  recorded: "the policy takes it for a note",
  superseded: "older than the connection or consent that is known",
  echo: "the echo of what the gateway did itself",
  unknown: "about nobody who is linked",
};

/** An address as it may be shown: a vendor's query may hold a secret. */
export const withoutQuery = (url: string): string => url.split("?")[0] ?? "";

export const isTaken = ({ status }: Answered): boolean => status >= 200 && status < 300;

const again = ({ seed, at }: Delivery): Line => ({
  text: `The very same again: add --seed ${seed} --at ${new Date(at).toISOString()}`,
  tone: "faint",
});

const answerLines = (answer: Answered): readonly Line[] => [
  { text: `${answer.status}`, tone: isTaken(answer) ? "good" : "bad" },
  ...answer.body.split("\n").flatMap((line): readonly Line[] => (line === "" ? [] : [{ text: line }])),
];

const tally = (answers: readonly Answered[]): readonly Line[] =>
  [...Map.groupBy(answers, ({ status }) => status)].map(([status, { length }]) => ({
    text: `${status}: ${length} of ${answers.length}`,
    tone: status >= 200 && status < 300 ? "good" : "bad",
  }));

const refusedLines: readonly Line[] = [
  { text: "The gateway refused it. Its log says which check failed (delivery_refused); senders are not told." },
];

/** Where to look for what came of it. */
async function causedLines(
  { target: { gateway, key }, known }: About,
  requests: readonly Shown[] | undefined,
  page: Page | undefined,
): Promise<readonly Line[]> {
  const look = (path: string) =>
    `curl -s ${gateway}${path} -H "authorization: Bearer $KEY"   # ${key === undefined ? "the tenant's API key" : key.from}`;
  if (requests === undefined) return [{ text: `what came of it: ${look("/v1/requests")}` }];
  if (requests.length > 0)
    return [
      { text: requests.length === 1 ? "A request came of it:" : `${requests.length} requests came of it:` },
      ...table(
        requests.map(({ id, type, status, held, status_url = "" }) => [
          id,
          type,
          held === undefined ? status : `held: ${held}`,
          status_url,
        ]),
      ),
      { text: look(requests.length === 1 ? `/v1/requests/${requests[0]?.id}` : "/v1/requests") },
    ];
  return (await signalsOf(known)).length === 0
    ? [{ text: "It is known and of no concern: no request comes of it." }, { text: look("/v1/deliveries/ignored") }]
    : [{ text: `No new request came of it: ${uncausedWords(known, page)}.` }, { text: look("/v1/requests") }];
}
