import { expect } from "vitest";
import { newBrowser, RETURN_TO } from "./browser.ts";
import type { World } from "./world.ts";

/** A connection as the API's interface fixes it; written here from the interface, not taken from the code. */
export type ConnectionShape = {
  readonly id: string;
  readonly status: "unconfirmed" | "active" | "ending" | "ended";
  readonly scopes: readonly string[];
  readonly account?: { readonly type: string; readonly value: string };
  readonly expires_at?: string;
  readonly tokens_given: { readonly count: number; readonly last_to?: string };
  readonly ended?: { readonly outcome: string; readonly request: string };
};

export type Connected = {
  readonly id: string;
  readonly code: string;
  readonly subject: string;
  readonly account: string;
  readonly shown: ConnectionShape;
};

export const GITHUB = {
  webhookSecret: "nobodys-secret",
  clientId: "Iv1.0123456789abcdef",
  clientSecret: "a-client-secret",
};

export const GOOGLE = {
  clientIds: "123456789-web.apps.googleusercontent.com",
  clientId: "123456789-web.apps.googleusercontent.com",
  clientSecret: "a-client-secret",
};

let people = 0;

/** What a product does about connections, as one tenant's. */
export function connecting(world: World, slug: string) {
  const call = (method: string, path: string, body?: unknown) => world.api(method, path, world.key(slug), body);
  const fits = async (method: string, path: string, body?: unknown) => {
    const { status, body: answer } = await call(method, path, body);
    expect(status, JSON.stringify(answer)).toBeLessThan(300);
    return answer;
  };
  const begin = async (
    subprocessor: string,
    more: { readonly returnTo?: string; readonly site?: string; readonly scopes?: readonly string[] } = {},
  ) => {
    const { returnTo = RETURN_TO, ...rest } = more;
    const body = await fits("POST", "/v1/connections", { subprocessor, return_to: returnTo, ...rest });
    return (body as { readonly start_url: string }).start_url;
  };
  const land = async (subprocessor: string, account: string, more: Parameters<typeof begin>[1] = {}) => {
    const landed = await newBrowser(world).signIn(await begin(subprocessor, more), account);
    expect(landed.url.href, landed.text).toContain("connection=con_");
    const { searchParams } = landed.url;
    return { id: searchParams.get("connection") ?? "", code: searchParams.get("code") ?? "" };
  };
  const token = (id: string) => call("POST", `/v1/connections/${id}/token`, {});
  return {
    call,
    begin,
    land,
    token,
    confirm: (id: string, body: object) => call("POST", `/v1/connections/${id}/confirm`, body),
    /** Lets people come back to the product's page. */
    async allowReturn(...addresses: readonly string[]) {
      const { version: _, ...before } = (await fits("GET", "/v1/policy")) as Record<string, unknown>;
      await fits("PUT", "/v1/policy", { ...before, return_addresses: [RETURN_TO, ...addresses] });
    },
    enter: (id: string, integration: string, settings: Readonly<Record<string, string>>) =>
      fits("PUT", `/v1/subprocessors/${id}`, { integration, settings }),
    /** A person connects their account, and the product confirms it. */
    async connect(
      subprocessor: string,
      who: {
        readonly subject?: string;
        readonly account?: string;
        readonly site?: string;
        readonly scopes?: readonly string[];
      } = {},
    ): Promise<Connected> {
      const { subject = `somebody-${++people}`, account = `acct-${subject}`, ...asked } = who;
      const { id, code } = await land(subprocessor, account, asked);
      const shown = await fits("POST", `/v1/connections/${id}/confirm`, { code, subject });
      return { id, code, subject, account, shown: shown as ConnectionShape };
    },
    shown: async (id: string) => (await fits("GET", `/v1/connections/${id}`)) as ConnectionShape,
    async tokenOf(id: string) {
      const { status, body } = await token(id);
      expect(status, JSON.stringify(body)).toBe(200);
      return (body as { readonly access_token: string }).access_token;
    },
    async disconnect(id: string) {
      const { id: request } = (await fits("DELETE", `/v1/connections/${id}`)) as { readonly id: string };
      return world.closed(slug, request);
    },
    /** Lets lanes work until a connection has come to a state. */
    async until(id: string, status: ConnectionShape["status"]) {
      await expect
        .poll(
          async () => {
            await world.advance(15_000);
            await world.gateway.sweep();
            return ((await fits("GET", `/v1/connections/${id}`)) as ConnectionShape).status;
          },
          { timeout: 10_000, interval: 30 },
        )
        .toBe(status);
    },
  };
}

/** What a stand-in holds of an account. */
export async function grantsAt(world: World, vendor: string, account: string) {
  type Held = { readonly grants?: readonly { readonly account: string }[] };
  const held = (await world.admin("/holdings")) as Readonly<Record<string, Held>>;
  return held[vendor.replaceAll("-", "_")]?.grants?.filter((grant) => grant.account === account) ?? [];
}
