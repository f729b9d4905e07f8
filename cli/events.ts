import { type Hook, type Integration, isAbsent } from "../src/contract/integration.ts";
import type { SampleEvent, Sender } from "./senders/sender.ts";

/** Which vendors there are, and who can write what they send; by the names under which they are exported. */
export type Catalogue = {
  readonly integrations: readonly Integration[];
  readonly senders: Readonly<Record<string, Sender>>;
};

/** One kind of delivery that can be made, and where it is sent to. */
export type KnownEvent = {
  readonly integration: Integration;
  readonly endpoint: string;
  readonly hook: Hook;
  readonly name: string;
  readonly sample: SampleEvent;
};

/** Every event of every integration that has a sender. */
export const eventsOf = ({ integrations, senders }: Catalogue): readonly KnownEvent[] =>
  integrations.flatMap((integration) => {
    const sender = senderOf(senders, integration.id);
    if (sender === undefined || isAbsent(integration.hooks)) return [];
    return Object.entries(integration.hooks).flatMap(([endpoint, hook]) =>
      Object.entries(sender[endpoint] ?? {}).map(([name, sample]) => ({ integration, endpoint, hook, name, sample })),
    );
  });

/** An integration's id in kebab-case is its export's name in camelCase. */
const senderOf = (senders: Catalogue["senders"], id: string): Sender | undefined =>
  Object.entries(senders).find(([name]) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`) === id)?.[1];

/** An event whose name is an address is called by the end of it, too. */
export const shortName = (event: string): string =>
  event.includes("://") ? event.slice(event.lastIndexOf("/") + 1) : event;

/** By what an event can be called among others: by the end of an address only where no other has the same. */
export function callName({ integration, name }: KnownEvent, events: readonly KnownEvent[]): string {
  const short = shortName(name);
  const others = events.filter((each) => each.integration.id === integration.id && each.name !== name);
  return others.some((each) => shortName(each.name) === short) ? name : short;
}

/** The names that somebody may have meant, nearest first. */
export function nearest(given: string, names: readonly string[]): readonly string[] {
  const far = Math.max(2, Math.floor(given.length / 3));
  return [...new Set(names)]
    .map((name) => ({
      name,
      distance: isPart(given, name) ? 0 : editsBetween(given.toLowerCase(), name.toLowerCase()),
    }))
    .filter(({ distance }) => distance <= far)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ name }) => name);
}

const isPart = (given: string, name: string): boolean =>
  given.length >= 3 && name.toLowerCase().includes(given.toLowerCase());

/** Levenshtein's distance: how many letters have to be put in, taken out or exchanged. */
function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [at, letter] of [...a].entries()) {
    const next = [at + 1];
    for (const [to, other] of [...b].entries())
      next.push(Math.min((row[to + 1] ?? 0) + 1, (next[to] ?? 0) + 1, (row[to] ?? 0) + (letter === other ? 0 : 1)));
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** What was perhaps meant, as the end of a message. */
export const meant = (names: readonly string[]): string =>
  names.length === 0 ? "" : `; did you mean ${names.join(" or ")}?`;
