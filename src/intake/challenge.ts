import type { Challenge, ChallengeAnswer } from "../contract/challenge.ts";
import type { Proven } from "../contract/signal.ts";
import { base64Of, hexOf, sameSecret, utf8 } from "./schemes/bytes.ts";

/** A longer value is nobody's challenge. */
const MAX_VALUE = 512;

type Asked = {
  readonly method: string;
  readonly url: string;
  readonly values: (setting: string) => Promise<readonly string[]>;
};

/** Whether a request only asks if somebody is there. */
export const isPresence = (challenges: readonly Challenge[], method: string): boolean =>
  challenges.some((challenge) => challenge.ask === "presence" && challenge.method === method);

/** Answers a challenge that stands in the address. */
export async function answerAsked(challenges: readonly Challenge[], asked: Asked): Promise<Response | undefined> {
  const { searchParams } = new URL(asked.url);
  for (const challenge of challenges) {
    if (challenge.ask !== "query" || asked.method !== "GET") continue;
    const [value, ...more] = searchParams.getAll(challenge.name);
    if (value === undefined || more.length > 0 || !fits(challenge.shape, value)) continue;
    if (challenge.token !== undefined && !(await agrees(searchParams, challenge.token, asked))) continue;
    const answered = await give(challenge.answer, value, asked);
    if (answered !== undefined) return answered;
  }
  return undefined;
}

/** Answers a challenge that came as a delivery, which has been verified by now. */
export async function answerProven(
  challenges: readonly Challenge[],
  proven: Proven,
  asked: Asked,
): Promise<Response | undefined> {
  for (const challenge of challenges) {
    if (challenge.ask !== "delivery") continue;
    const value = challenge.find(proven);
    if (value !== undefined && fits(challenge.shape, value)) return give(challenge.answer, value, asked);
  }
  return undefined;
}

const fits = (shape: RegExp, value: string): boolean =>
  value.length <= MAX_VALUE && shape.exec(value)?.[0].length === value.length;

async function agrees(
  query: URLSearchParams,
  { name, key }: { readonly name: string; readonly key: string },
  asked: Asked,
): Promise<boolean> {
  const [given, ...more] = query.getAll(name);
  if (given === undefined || more.length > 0) return false;
  const results = await Promise.all((await asked.values(key)).map((token) => sameSecret(token, given)));
  return results.includes(true);
}

async function give(answer: ChallengeAnswer, value: string, asked: Asked): Promise<Response | undefined> {
  if (answer.give === "value") return plain(value);
  // Discord wants a content type even where there is no content.
  if (answer.give === "nothing")
    return new Response(null, { status: answer.status, headers: { "content-type": "text/plain; charset=utf-8" } });
  const [key] = await asked.values(answer.key);
  if (key === undefined) return undefined;
  if (answer.give === "digest") {
    const registered = asked.url.split("?")[0] ?? "";
    const digest = await crypto.subtle.digest("SHA-256", utf8(value + key + registered));
    return Response.json(answer.body(value, hexOf(digest)));
  }
  const imported = await crypto.subtle.importKey("raw", utf8(key), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const mac = await crypto.subtle.sign("HMAC", imported, utf8(value));
  return Response.json(answer.body(value, answer.encoding === "hex" ? hexOf(mac) : base64Of(mac)));
}

const plain = (text: string) =>
  new Response(text, { headers: { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" } });
