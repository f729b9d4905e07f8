import { parseArgs } from "node:util";
import { fail, ok, type Result } from "../src/result.ts";
import { DEV_FILE } from "./dev-file.ts";
import { usageProblem } from "./option.ts";
import { isOrigin } from "./origin.ts";
import { isTime } from "./shape.ts";

type Given = {
  readonly tenant: string | undefined;
  readonly subprocessor: string | undefined;
  /** Settings of the caller's own, from arguments, and the names of variables that hold others. */
  readonly settings: readonly (readonly [string, string])[];
  readonly fromEnv: readonly (readonly [string, string])[];
};

/** Which gateway is told, and how its settings are known. */
export type Whereto = Given & { readonly at: { readonly dev: string } | { readonly url: string } };

/** Which delivery was asked for. */
export type Asked = {
  readonly do: "send";
  readonly integration: string;
  readonly event: string;
  readonly endpoint: string | undefined;
  readonly whereto: Whereto;
  readonly person: string | undefined;
  /** Epoch milliseconds. */
  readonly at: number | undefined;
  readonly seed: string | undefined;
  readonly count: number;
  readonly dryRun: boolean;
  readonly json: boolean;
};

/** What `quittance send` was asked to do. */
export type SendOptions =
  | { readonly do: "list"; readonly integration: string | undefined; readonly json: boolean }
  | Asked;

/** They are sent one after the other, and a thousand take a minute; `npm run bench` is for more. */
const MAX_COUNT = 1000;

/** Reads the arguments; what does not go together is refused before anything is read or sent. */
export function sendOptions(args: readonly string[]): Result<SendOptions, string> {
  const parsed = parsedArgs(args);
  if (!parsed.ok) return parsed;
  const { values, positionals } = parsed.value;
  const [integration, event, more] = positionals;
  const { json = false } = values;
  if (values.list === true)
    return event === undefined
      ? ok({ do: "list", integration, json })
      : fail("--list takes an integration at most, to list its events alone");
  if (integration === undefined || event === undefined || more !== undefined)
    return fail("expected an integration and an event; --list shows what there is");
  const whereto = wheretoIn(values);
  if (!whereto.ok) return whereto;
  const { id: person, at, seed, endpoint, "dry-run": dryRun = false } = values;
  const count = values.count === undefined ? 1 : Number(values.count);
  if (!Number.isInteger(count) || count < 1 || count > MAX_COUNT)
    return fail(`--count: expected a number from 1 to ${MAX_COUNT}`);
  if (at !== undefined && !isTime(at)) return fail("--at: expected a time such as 2026-11-21T09:00:00Z");
  if (seed !== undefined && !/^[A-Za-z0-9_-]{1,64}$/.test(seed))
    return fail("--seed: expected 1 to 64 letters, digits, - or _, which become part of ids");
  if (person === "") return fail("--id: expected the vendor's id of a person");
  const moment = at === undefined ? undefined : Date.parse(at);
  return ok({
    do: "send",
    integration,
    event,
    endpoint,
    whereto: whereto.value,
    person,
    at: moment,
    seed,
    count,
    dryRun,
    json,
  });
}

type Values = {
  readonly dev?: string;
  readonly url?: string;
  readonly tenant?: string;
  readonly subprocessor?: string;
  readonly setting?: readonly string[];
  readonly "setting-env"?: readonly string[];
};

function wheretoIn({ dev, url, tenant, subprocessor, setting = [], ...others }: Values): Result<Whereto, string> {
  const settings = pairsIn("--setting", "name=value", setting);
  if (!settings.ok) return settings;
  const fromEnv = pairsIn("--setting-env", "name=VARIABLE", others["setting-env"] ?? []);
  if (!fromEnv.ok) return fromEnv;
  const given = { tenant, subprocessor, settings: settings.value, fromEnv: fromEnv.value };
  if (url === undefined) return ok({ ...given, at: { dev: dev ?? DEV_FILE } });
  if (dev !== undefined) return fail("--dev names a gateway of npm start, and --url any other: give one of them");
  const origin = URL.canParse(url) ? new URL(url).origin : "";
  if (!isOrigin(origin) || new URL(url).href !== `${origin}/`)
    return fail("--url: expected the gateway's https origin, or http on this machine: https://erasure.example.com");
  if (tenant === undefined) return fail("--url needs --tenant, whose subprocessors only that gateway knows");
  return ok({ ...given, at: { url: origin } });
}

function pairsIn(option: string, shape: string, values: readonly string[]) {
  const pairs = values.map((each): readonly [string, string] => {
    const at = each.indexOf("=");
    return [each.slice(0, Math.max(at, 0)), each.slice(at + 1)];
  });
  return pairs.every(([name, value]) => name !== "" && value !== "") ? ok(pairs) : fail(`${option}: expected ${shape}`);
}

function parsedArgs(args: readonly string[]) {
  try {
    return ok(
      parseArgs({
        args: [...args],
        allowPositionals: true,
        options: {
          list: { type: "boolean" },
          tenant: { type: "string" },
          subprocessor: { type: "string" },
          endpoint: { type: "string" },
          id: { type: "string" },
          at: { type: "string" },
          count: { type: "string" },
          seed: { type: "string" },
          dev: { type: "string" },
          url: { type: "string" },
          setting: { type: "string", multiple: true },
          "setting-env": { type: "string", multiple: true },
          "dry-run": { type: "boolean" },
          json: { type: "boolean" },
        },
      }),
    );
  } catch (error) {
    const problem = usageProblem(error);
    if (problem !== undefined) return fail(problem);
    throw error;
  }
}
