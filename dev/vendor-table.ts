import { type Catalogue, eventsOf, shortName } from "../cli/events.ts";
import { signalsOf } from "../cli/meaning.ts";
import {
  type Absent,
  type Action,
  type Hook,
  type Integration,
  isAbsent,
  isBulk,
} from "../src/contract/integration.ts";
import type { Settings } from "../src/contract/settings.ts";
import type { SignalType } from "../src/contract/signal.ts";

const BEGIN = "<!-- vendors: made from the code by `npm run vendors` -->";
const END = "<!-- /vendors -->";

/** A cell names no more events or identity types than this; the vendor's own page has all. */
const MOST_NAMED = 4;

export type Pages = {
  /** README.md and docs/vendors/README.md. */
  readonly readme: string;
  readonly index: string;
};

/** Both pages with the vendors as the code has them now; `hasPage` says which have one of their own. */
export async function withVendors(
  { readme, index }: Pages,
  catalogue: Catalogue,
  hasPage: (id: string) => boolean,
): Promise<Pages> {
  const listed = byName(catalogue.integrations.filter(({ id }) => hasPage(id)));
  return {
    readme: between(readme, await vendorTable(catalogue, hasPage)),
    index: between(
      index,
      listed.map(({ id, name, about }) => `- [${name}](${id}.md) (${code(id)}): ${about}`),
    ),
  };
}

/** A page without a place for what is made here is refused. */
function between(page: string, lines: readonly string[]): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`the page has no place for the vendors: ${BEGIN} … ${END}`);
  return `${page.slice(0, begin + BEGIN.length)}\n\n${lines.join("\n")}\n\n${page.slice(end)}`;
}

const byName = (integrations: readonly Integration[]): readonly Integration[] =>
  integrations.toSorted((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));

/** One row for each integration, by name. */
async function vendorTable(catalogue: Catalogue, hasPage: (id: string) => boolean): Promise<readonly string[]> {
  const rows = await Promise.all(
    byName(catalogue.integrations).map(async (integration) => [
      `${hasPage(integration.id) ? `[${integration.name}](docs/vendors/${integration.id}.md)` : integration.name} ${code(integration.id)}`,
      await tells(integration, catalogue),
      isTold(integration),
      keeps(integration),
    ]),
  );
  const heads = ["vendor", "tells us", "we can tell it", "keeps after an erasure"];
  return [heads, heads.map(() => "---"), ...rows].map((cells) => `| ${cells.map(escaped).join(" | ")} |`);
}

/** Which events give which signal; what is known and gives none is left out. */
async function tells(integration: Integration, catalogue: Catalogue): Promise<string> {
  const { hooks } = integration;
  if (isAbsent(hooks)) return `no: ${hooks.absent}`;
  const known = eventsOf({ ...catalogue, integrations: [integration] });
  const given = new Map<SignalType, string[]>();
  const note = (type: SignalType, event: string) => given.set(type, [...(given.get(type) ?? []), shortName(event)]);
  for (const [endpoint, hook] of Object.entries(hooks)) {
    const sent = known.filter((each) => each.endpoint === endpoint);
    for (const each of sent) for (const type of await signalsOf(each)) note(type, each.name);
    // Without a sender, what a hook may give is all that is known of its events.
    if (sent.length === 0) for (const type of typesOf(hook)) for (const event of hook.events) note(type, event);
  }
  for (const [name, stream] of Object.entries(integration.streams ?? {}))
    for (const type of typesOf(stream)) note(type, `${name} (stream)`);
  for (const [name, list] of Object.entries(integration.lists ?? {}))
    for (const type of typesOf(list)) note(type, `${name} (file)`);
  return [...given].map(([type, events]) => `${code(type)}: ${named(events)}`).join("; ") || "nothing of concern";
}

// Its declaration is checked against its reader by the contract's test.
const typesOf = ({ authority }: Pick<Hook, "authority">) => Object.keys(authority) as SignalType[];

/** What can be done at it and how, or why not; a reason that both actions share is given once. */
function isTold(integration: Integration): string {
  const { erase, revoke, unpublish } = integration.actions;
  if (isAbsent(erase) && isAbsent(revoke) && erase.absent === revoke.absent && !erase.instructions)
    return `no: ${erase.absent}`;
  return Object.entries({ erase, ...(unpublish !== undefined && { unpublish }), revoke })
    .map(([name, action]) => `**${name}** ${isAbsent(action) ? whyNot(action) : how(action, integration.id)}`)
    .join("; ");
}

const whyNot = ({ absent, instructions }: Absent): string =>
  instructions === undefined ? `no: ${absent}` : `by hand: ${absent}`;

function how(action: Action<Settings>, id: string): string {
  const { by } = action;
  const own = `${id}.`;
  const types = by === "any" ? [] : by.map((type) => code(type.startsWith(own) ? type.slice(own.length) : type));
  const bulk = isBulk(action);
  const traits = [
    bulk ? `bulk, ${action.bulk.most} a call` : undefined,
    (bulk ? action.bulk.check : action.check) === undefined ? undefined : "asynchronous",
    action.look === undefined ? undefined : "read back",
    action.followsOthers === true ? "also when another vendor's grant ends" : undefined,
    action.needs === undefined ? undefined : `with ${named(action.needs.settings.map(code))}`,
  ].filter((trait) => trait !== undefined);
  return `by ${by === "any" ? "any identity" : named(types)}${traits.length === 0 ? "" : ` (${traits.join("; ")})`}`;
}

/** What it keeps by itself, and what a policy may have it keep. */
function keeps({ residuals, retainable }: Integration): string {
  const own = residuals.map(({ category, days }) => `${code(category)}, ${days} days`);
  const policy = retainable.length === 0 ? [] : [`by policy: ${named(retainable.map(code))}`];
  return [...own, ...policy].join("; ");
}

function named(names: readonly string[]): string {
  const distinct = [...new Set(names)];
  const more = distinct.length - MOST_NAMED;
  // "and 1 more" is no shorter than the one.
  if (more <= 1) return distinct.join(", ");
  return `${distinct.slice(0, MOST_NAMED).join(", ")} and ${more} more`;
}

const code = (text: string): string => `\`${text}\``;

const escaped = (cell: string): string => cell.replaceAll("|", "\\|").replace(/\s+/g, " ").trim();
