import type { World } from "../support/world.ts";
import type { Host } from "./host.ts";

const API = "/@atproto/oauth-provider/~api";

/** A browser in which a person goes from the gateway to their own host, signs in, agrees, and goes back: as the host's own page does it. */
export async function agrees(
  world: World,
  host: Host,
  gatewayOrigin: string,
  start: string,
  who: { readonly handle: string; readonly password: string },
): Promise<URL> {
  const jars = new Map<string, Map<string, string>>();
  const visit = async (
    address: string,
    { headers = {}, json }: { readonly headers?: Readonly<Record<string, string>>; readonly json?: object } = {},
  ) => {
    const url = new URL(address);
    const jar = jars.get(url.host) ?? new Map<string, string>();
    jars.set(url.host, jar);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const init = {
      method: json === undefined ? "GET" : "POST",
      headers: {
        "user-agent": "Mozilla/5.0",
        ...(cookie !== "" && { cookie }),
        ...(json !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(json !== undefined && { body: JSON.stringify(json) }),
      redirect: "manual",
    } as const;
    const reply =
      url.origin === gatewayOrigin
        ? await fetch(world.url + url.pathname + url.search, init)
        : await host.answer(new Request(address, init));
    if (reply === undefined) throw new Error(`nobody answers for ${address}`);
    for (const set of reply.headers.getSetCookie()) {
      const pair = set.split(";")[0] ?? "";
      jar.set(pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1));
    }
    return { reply, text: await reply.text(), to: reply.headers.get("location"), jar };
  };
  const navigation = (site: string) => ({
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
    "sec-fetch-site": site,
  });

  const left = await visit(start);
  const authorize = left.to ?? "";
  if (new URL(authorize).host !== host.name) return new URL(authorize);
  const page = await visit(authorize, { headers: navigation("cross-site") });
  if (page.to !== null) return new URL(page.to);
  if (page.reply.status !== 200) throw new Error(`${page.reply.status} ${page.text.slice(0, 500)}`);
  const ask = async (path: string, json: object, more: Readonly<Record<string, string>> = {}) => {
    const { reply, text } = await visit(`https://${host.name}${API}${path}`, {
      json,
      headers: {
        origin: `https://${host.name}`,
        referer: authorize,
        "sec-fetch-mode": "same-origin",
        "sec-fetch-site": "same-origin",
        "sec-fetch-dest": "empty",
        "x-csrf-token": jars.get(host.name)?.get("csrf-token") ?? "",
        ...more,
      },
    });
    if (reply.status !== 200) throw new Error(`${path}: ${reply.status} ${text}`);
    return JSON.parse(text) as unknown;
  };
  const signedIn = (await ask("/sign-in", { locale: "en", username: who.handle, password: who.password })) as {
    readonly account: { readonly sub: string };
    readonly ephemeralToken: string;
  };
  const agreed = (await ask(
    "/consent",
    { sub: signedIn.account.sub },
    { authorization: `Bearer ${signedIn.ephemeralToken}` },
  )) as { readonly url: string };
  const back = await visit(agreed.url, { headers: { ...navigation("same-origin"), referer: authorize } });
  const landed = await visit(back.to ?? "", { headers: navigation("cross-site") });
  if (landed.to === null) throw new Error(`${landed.reply.status} ${landed.text.slice(0, 500)}`);
  return new URL(landed.to);
}
