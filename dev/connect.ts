import { existsSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { ADA } from "./ada.ts";
import { newBrowser } from "./browser.ts";
import { customers } from "./customers.ts";
import { accountIdOf } from "./holders.ts";
import { apiOf, type Seeded } from "./seed.ts";

const HELP = `Connects an account of somebody's, as a product and their browser would, with npm start running. The vendor is its stand-in.

Usage:
  npm run --silent connect -- SUBPROCESSOR --subject ID [options]

Options:
  --subject ID     the product's own id of the person, such as ada
  --account ID     with which account they sign in at the vendor; one of their own without it
  --scopes "A B"   what is asked for; what the integration usually asks for without it
  --site SITE      where the account lies, for vendors with an address for each customer
  --tenant SLUG    whose; cloutmetrics without it
  --dev FILE       what npm start has written; .quittance/dev.json without it

Prints the connection as GET /v1/connections/{id} shows it, with its id. Exit code 1 where nobody got connected.`;

export type Options = {
  readonly subprocessor: string;
  readonly subject: string;
  readonly account: string | undefined;
  readonly scopes: readonly string[] | undefined;
  readonly site: string | undefined;
  readonly tenant: string;
  readonly dev: string;
};

/** What was wrong with the command, or went wrong on the way: plain words, and no stack trace. */
export class Stopped extends Error {}

/** Reads the arguments; `undefined` where help is wanted. */
export function optionsIn(args: readonly string[]): Options | undefined {
  const { values, positionals } = parsed(args);
  if (values.help === true) return undefined;
  const [subprocessor, more] = positionals;
  if (subprocessor === undefined || more !== undefined) throw new Stopped("expected one subprocessor, such as x");
  const { subject, account, scopes, site, tenant = "cloutmetrics", dev = ".quittance/dev.json" } = values;
  if (subject === undefined || subject === "") throw new Stopped("whose account is it? Give --subject, such as ada");
  const asked = scopes?.split(/\s+/).filter((scope) => scope !== "");
  return { subprocessor, subject, account, scopes: asked, site, tenant, dev };
}

function parsed(args: readonly string[]) {
  const text = { type: "string" } as const;
  const options = {
    ...{ subject: text, account: text, scopes: text, site: text, tenant: text, dev: text },
    help: { type: "boolean", short: "h" },
  } as const;
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    // What `parseArgs` refuses, whose first sentence names the option.
    if (error instanceof TypeError) throw new Stopped(error.message.split(/[.\n]/)[0]);
    throw error;
  }
}

/** Begins, signs in at the stand-in, comes back, confirms, and gives the connection as the API shows it. */
export async function connect(options: Options): Promise<unknown> {
  const { subprocessor, subject, scopes, site, tenant } = options;
  const { url, sandbox_url, tenants } = devFile(options.dev);
  const [entry, returnTo] = [tenants[tenant], returnAddressOf(tenant)];
  if (entry === undefined || returnTo === undefined)
    throw new Stopped(
      `there is no tenant ${tenant} with a return address; there are ${Object.keys(tenants).join(", ")}`,
    );
  const call = async (method: string, path: string, body?: unknown) => {
    const answer = await apiOf(url)(method, path, entry.api_key, body);
    if (answer.status >= 300)
      throw new Stopped(`the gateway answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const begun = await call("POST", "/v1/connections", {
    subprocessor,
    return_to: returnTo,
    ...(scopes !== undefined && { scopes }),
    ...(site !== undefined && { site }),
  });
  const { start_url: start } = begun as { readonly start_url: string }; // What docs/api.md says that a 201 holds.
  const browser = newBrowser((request) =>
    request.url.startsWith(`${url}/`) ? fetch(request) : fetch(atStandIn(request, sandbox_url)),
  );
  const account = options.account ?? accountOf(entry.subprocessors[subprocessor]?.integration ?? subprocessor, subject);
  const landed = await browser.signIn(start, account, (next) => `${next.origin}${next.pathname}` === returnTo);
  const { searchParams } = landed.url;
  const [id, code] = [searchParams.get("connection"), searchParams.get("code")];
  if (id === null || code === null)
    throw new Stopped(
      `nobody got connected: ${searchParams.get("error") ?? `${landed.url.host} answered ${landed.status}`}`,
    );
  // Whoever was erased before, and connects an account now, comes back of their own will.
  const consent = { at: new Date().toISOString(), reference: "connected by hand" };
  await call("POST", `/v1/connections/${id}/confirm`, { code, subject, consent });
  return call("GET", `/v1/connections/${id}`);
}

type DevFile = { readonly url: string; readonly sandbox_url: string; readonly tenants: Seeded };

function devFile(path: string): DevFile {
  if (!existsSync(path)) throw new Stopped(`${path} does not exist: npm start writes it, and has to be running`);
  // Written by `npm start`, and by nobody else.
  return JSON.parse(readFileSync(path, "utf8")) as DevFile;
}

function returnAddressOf(tenant: string): string | undefined {
  const addresses = customers.find(({ slug }) => slug === tenant)?.policy.return_addresses;
  const first: unknown = Array.isArray(addresses) ? addresses[0] : undefined;
  return typeof first === "string" ? first : undefined;
}

/** The same at each run. Ada's is the one that `npm start` has linked her by. */
const accountOf = (integration: string, subject: string): string =>
  accountIdOf(integration, subject === ADA.id ? ADA : { ...ADA, id: subject, facebookId: `of ${subject}` });

/** Vendors are nowhere near: the sandbox stands for the host that was meant. */
function atStandIn(request: Request, sandbox: string): Request {
  const headers = new Headers(request.headers);
  headers.set("x-original-url", request.url);
  const { method, body } = request;
  return new Request(sandbox, { method, headers, redirect: "manual", ...(body !== null && { body, duplex: "half" }) });
}

if (import.meta.main)
  try {
    const options = optionsIn(process.argv.slice(2));
    console.log(options === undefined ? HELP : JSON.stringify(await connect(options), null, 2));
  } catch (error) {
    // `fetch` rejects with a TypeError where nobody listens.
    if (!(error instanceof Stopped || error instanceof TypeError)) throw error;
    console.error(`connect: ${error instanceof Stopped ? error.message : "the gateway cannot be reached: npm start"}`);
    process.exitCode = 1;
  }
