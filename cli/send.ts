import { isAbsent } from "../src/contract/integration.ts";
import { fail, ok, type Result } from "../src/result.ts";
import { type Catalogue, callName, eventsOf, type KnownEvent, meant, nearest } from "./events.ts";
import { isShared, made } from "./make.ts";
import { signalsOf } from "./meaning.ts";
import { type Asked, type SendOptions, sendOptions } from "./send-option.ts";
import { table } from "./summary.ts";
import { targetOf } from "./target.ts";
import { shown, told } from "./tell.ts";
import { complain, type ExitCode, printJson, printLines, type Terminal } from "./terminal.ts";

/** `quittance send`: find the event → find the gateway → make the delivery as its vendor would → send → say what came of it. */
export async function send(terminal: Terminal, args: readonly string[], catalogue: Catalogue): Promise<ExitCode> {
  const options = sendOptions(args);
  if (!options.ok) {
    complain(terminal, options.problem);
    terminal.complain("See: quittance send --help");
    return 2;
  }
  const done =
    options.value.do === "list"
      ? await listed(terminal, options.value, catalogue)
      : await sent(terminal, options.value, catalogue);
  if (done.ok) return done.value;
  complain(terminal, done.problem);
  return 2;
}

type Done = Result<ExitCode, string>;

async function listed(
  terminal: Terminal,
  { integration, json }: Extract<SendOptions, { do: "list" }>,
  catalogue: Catalogue,
): Promise<Done> {
  const all = eventsOf(catalogue);
  const events = all.filter(({ integration: { id } }) => integration === undefined || id === integration);
  if (integration !== undefined && events.length === 0) return fail(noIntegration(integration, catalogue));
  const rows = await Promise.all(events.map(async (each) => ({ each, signals: await signalsOf(each) })));
  if (json)
    printJson(terminal, {
      events: rows.map(({ each, signals }) => ({
        integration: each.integration.id,
        event: each.name,
        endpoint: each.endpoint,
        signals,
      })),
    });
  else
    printLines(
      terminal,
      table([
        ["integration", "event", "endpoint", "signals"],
        ...rows.map(({ each, signals }) => [
          each.integration.id,
          callName(each, all),
          each.endpoint,
          signals.join(", ") || NO_SIGNAL,
        ]),
      ]),
    );
  return ok(0);
}

const NO_SIGNAL = "none: of no concern";

async function sent(terminal: Terminal, options: Asked, catalogue: Catalogue): Promise<Done> {
  const known = eventIn(options, catalogue);
  if (!known.ok) return known;
  const target = await targetOf(terminal, known.value, options.whereto);
  if (!target.ok) return target;
  if (target.value.vendorKeyFile === undefined && !isShared(known.value.hook.verify))
    return fail(
      `${known.value.integration.name} signs its deliveries with a key that nobody else has: for a real gateway they cannot be made. For one of npm start they can, without --url`,
    );
  const deliveries = await made(terminal, known.value, target.value, options);
  if (!deliveries.ok) return deliveries;
  const about = { known: known.value, target: target.value, options, deliveries: deliveries.value };
  return options.dryRun ? shown(terminal, about) : await told(terminal, about);
}

function eventIn({ integration, event, endpoint }: Asked, catalogue: Catalogue): Result<KnownEvent, string> {
  const events = eventsOf(catalogue).filter(({ integration: { id } }) => id === integration);
  if (events.length === 0) return fail(noIntegration(integration, catalogue));
  const named = events.filter(({ name }) => name === event);
  const meantBy = named.length > 0 ? named : events.filter((each) => callName(each, events) === event);
  const names = events.map((each) => callName(each, events));
  if (meantBy.length === 0)
    return fail(
      `${integration} has no event ${event}${meant(nearest(event, names)) || `; it has ${[...new Set(names)].join(", ")}`}`,
    );
  const there = meantBy.filter((each) => endpoint === undefined || each.endpoint === endpoint);
  const [only, another] = there;
  const endpoints = meantBy.map((each) => each.endpoint).join(" and ");
  if (only === undefined) return fail(`${event} is not sent to ${endpoint}, but to ${endpoints}`);
  return another === undefined ? ok(only) : fail(`${event} is sent to ${endpoints}: say which with --endpoint`);
}

/** Says why nothing can be sent for a name: unknown, a vendor that tells nothing, or one without a sender. */
function noIntegration(name: string, catalogue: Catalogue): string {
  const found = catalogue.integrations.find(({ id }) => id === name);
  if (found !== undefined && isAbsent(found.hooks)) return `${name} sends nothing: ${found.hooks.absent}`;
  if (found !== undefined) return `there is no sender for ${name} yet: it would be cli/senders/${name}.ts`;
  const ids = catalogue.integrations.map(({ id }) => id);
  return `there is no integration ${name}${meant(nearest(name, ids)) || "; quittance send --list shows what there is"}`;
}
