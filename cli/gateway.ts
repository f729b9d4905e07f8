import { fail, ok, type Result } from "../src/result.ts";
import { DEV_FILE, readDevFile, type Tenants } from "./dev-file.ts";
import { meant, nearest } from "./events.ts";
import { isOrigin } from "./origin.ts";
import { parseJson } from "./shape.ts";
import { unreached } from "./source.ts";
import { complain, type Terminal } from "./terminal.ts";

/** A gateway and the key that opens it. */
export type Gateway = { readonly gateway: string; readonly key: string };

/** A gateway that is named, or the one that `npm start` runs, of which the first tenant with these subprocessors is meant. */
export type Whose = Gateway | { readonly dev: string; readonly tenant: string | undefined };

/** A body as it is sent, and of which type. */
export type Content = { readonly type: string; readonly text: string };

export const jsonContent = (body: object): Content => ({ type: "application/json", text: JSON.stringify(body) });

const TIMEOUT_MS = 60_000;

type Values = {
  readonly gateway?: string | undefined;
  readonly key?: string | undefined;
  readonly dev?: string | undefined;
  readonly tenant?: string | undefined;
};

/** The options that say which gateway is meant. */
export const GATEWAY_OPTIONS = {
  gateway: { type: "string" },
  key: { type: "string" },
  dev: { type: "string" },
  tenant: { type: "string" },
} as const;

/** From `--gateway` and `--key`, or from the environment; an empty variable is one that was not set. With neither, `npm start`'s. */
export function whoseIn({ dev, tenant, ...values }: Values, env: Terminal["env"], role: string): Result<Whose, string> {
  const gateway = (values.gateway ?? env.QUITTANCE_URL ?? "").replace(/\/$/, "");
  const key = values.key ?? env.QUITTANCE_API_KEY ?? "";
  const isNamed = values.gateway !== undefined || values.key !== undefined;
  if (dev !== undefined && isNamed)
    return fail("--dev names a gateway of npm start, and --gateway with --key any other: give one of them");
  if (dev !== undefined || (!isNamed && gateway === "" && key === "")) return ok({ dev: dev ?? DEV_FILE, tenant });
  if (tenant !== undefined) return fail("--tenant is for a gateway of npm start; elsewhere the key says whose it is");
  if (gateway === "")
    return fail(
      "where is the gateway? Give --gateway, an origin such as https://erasure.example.com, or QUITTANCE_URL",
    );
  if (!isOrigin(gateway)) {
    const name = values.gateway === undefined ? "QUITTANCE_URL" : "--gateway";
    return fail(
      `${name}: expected an origin without a path, such as https://erasure.example.com (plain http on this machine only)`,
    );
  }
  if (!/^[\x21-\x7e]{8,256}$/.test(key))
    return fail(`the gateway needs an API key of the role \`${role}\`: --key, or QUITTANCE_API_KEY in the environment`);
  return ok({ gateway, key });
}

/** The gateway that is meant; where it is `npm start`'s, says as whom it is asked. */
export async function gatewayOf(
  terminal: Terminal,
  whose: Whose,
  subprocessors: readonly string[],
): Promise<Result<Gateway, string>> {
  if ("gateway" in whose) return ok(whose);
  const file = await readDevFile(terminal, whose.dev);
  if (!file.ok)
    return fail(
      `where is the gateway? ${file.problem}, which npm start writes; --gateway or QUITTANCE_URL names another`,
    );
  const tenant = tenantIn(file.value.tenants, whose.tenant, subprocessors, whose.dev);
  if (!tenant.ok) return tenant;
  complain(terminal, `asking ${file.value.url} as ${tenant.value.slug} (${whose.dev})`);
  return ok({ gateway: file.value.url, key: tenant.value.key });
}

function tenantIn(tenants: Tenants, slug: string | undefined, subprocessors: readonly string[], file: string) {
  const all = Object.entries(tenants);
  const named = all.filter(([each]) => slug === undefined || each === slug);
  if (slug !== undefined && named.length === 0)
    return fail(`there is no tenant ${slug} in ${file}${meant(nearest(slug, Object.keys(tenants)))}`);
  const fitting = named.find(([, entry]) => subprocessors.every((id) => Object.hasOwn(entry.subprocessors, id)));
  // One that was entered after the start is not in the file: then the gateway says what there is.
  const [found, entry] = fitting ?? named[0] ?? [];
  return found === undefined || entry === undefined
    ? fail(`there is no tenant in ${file}`)
    : ok({ slug: found, key: entry.api_key });
}

/** One call of the gateway's API: a GET, or a POST where there is something to say. */
export async function ask(
  terminal: Terminal,
  { gateway, key }: Gateway,
  path: string,
  content?: Content,
): Promise<Result<{ readonly status: number; readonly body: unknown }, string>> {
  try {
    const reply = await terminal.fetch(`${gateway}${path}`, {
      headers: {
        accept: "application/json",
        authorization: `Bearer ${key}`,
        ...(content !== undefined && { "content-type": content.type }),
      },
      ...(content !== undefined && { method: "POST", body: content.text }),
      // The key is for this origin and no other.
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const body = parseJson(await reply.text(), "the answer");
    return ok({ status: reply.status, body: body.ok ? body.value : undefined });
  } catch (error) {
    // Sockets and fetch reject with an `Error`, whose message may repeat what was sent: only its code is looked at.
    if (error instanceof Error) return fail(`${gateway} ${unreached(error, TIMEOUT_MS)}`);
    throw error;
  }
}
