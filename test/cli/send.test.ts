/// <reference types="vite/client" />
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { z } from "zod";
import { eventsOf, nearest } from "../../cli/events.ts";
import { signalsOf } from "../../cli/meaning.ts";
import { send } from "../../cli/send.ts";
import * as senders from "../../cli/senders/index.ts";
import { newVendorKey } from "../../cli/senders/keys.ts";
import { json as asJson, hex, hmac, type Sender, seconds, setting } from "../../cli/senders/sender.ts";
import { createSandbox } from "../../dev/sandbox/sandbox.ts";
import * as all from "../../integrations/index.ts";
import { absent, defineIntegration, type Integration } from "../../src/contract/integration.ts";
import { optional, secret, text } from "../../src/contract/settings.ts";
import { json } from "../../src/contract/signal.ts";
import { keySets } from "../../src/platform/key-sets.ts";
import type { Sample } from "../integrations/samples/kit.ts";
import { checked } from "../support/proven.ts";
import { home, quittance } from "./support.ts";

const PAGE = "https://vendor.example/docs";
const KEYS = "https://keys.vendor.example/jwks.json";
const URI = "https://schemas.vendor.example/events/";

const deleted = json(z.object({ id: z.string(), sub: z.string(), name: z.string() }), ({ id, sub, name }) => [
  {
    id,
    name,
    signals: name.endsWith("gone")
      ? [{ type: "account_deleted" as const, identity: { type: "vendor.user", value: sub }, at: 0 }]
      : [],
  },
]);

const hook = { source: PAGE, read: deleted, authority: { account_deleted: "here" }, retriesForHours: 1 } as const;
const token = {
  scheme: "jwt",
  keys: KEYS,
  algorithms: ["RS256"],
  issuer: ["https://vendor.example"],
  expires: true,
} as const;

/** A vendor that tells of one thing in every way that matters here. */
const vendor = defineIntegration({
  id: "some-vendor",
  name: "Some vendor",
  about: "A vendor that only tests know.",
  origins: [],
  settings: { key: optional(secret("Key")), audience: optional(text("Audience")), secret: optional(secret("Secret")) },
  identities: { "vendor.user": "User id" },
  hooks: {
    signed: {
      ...hook,
      verify: {
        scheme: "hmac",
        hash: "SHA-256",
        key: "key",
        signature: { header: "x-signature", encoding: "hex" },
        over: [{ header: "x-time" }, "body"],
        fresh: { at: { header: "x-time" }, unit: "seconds", withinSeconds: 300 },
      },
      contentTypes: ["application/json"],
      events: [`${URI}gone`, `${URI}seen`],
    },
    tokens: {
      ...hook,
      verify: { ...token, at: "body", typ: "secevent+jwt", audience: { setting: "audience" } },
      contentTypes: ["application/secevent+jwt"],
      events: [`${URI}gone`],
    },
    pushed: {
      ...hook,
      verify: { ...token, at: { bearer: "authorization" }, audience: "url" },
      contentTypes: ["application/json"],
      events: ["push"],
    },
    asked: {
      ...hook,
      verify: { scheme: "shared-secret", key: "secret", at: { query: "secret" } },
      contentTypes: ["application/json"],
      events: ["ask"],
    },
  },
  oauth: absent("none", PAGE),
  actions: { erase: absent("none", PAGE), revoke: absent("none", PAGE) },
  residuals: [],
  retainable: [],
  limits: { connections: 1 },
});
const silent: Integration = { ...vendor, id: "silent", hooks: absent("it never says a word", PAGE) };
const catalogueOf = (sender: Sender) => ({
  integrations: [vendor, silent],
  senders: { someVendor: sender },
});

const said = (id: string, sub: string, name: string) => ({ id, sub, name });
const claims = { iss: "https://vendor.example" };
const sender: Sender = {
  signed: Object.fromEntries(
    ["gone", "seen"].map((name) => [
      URI + name,
      {
        person: "u1",
        make: async (occasion) => {
          const body = JSON.stringify(said(occasion.seed, occasion.person, name));
          const time = String(seconds(occasion));
          const mac = await hmac("SHA-256", setting(occasion, "key"), time + body);
          return { body, headers: { "content-type": "application/json", "x-time": time, "x-signature": hex(mac) } };
        },
      },
    ]),
  ),
  tokens: {
    [`${URI}gone`]: {
      person: "u1",
      make: async (occasion) => ({
        body: await occasion.token(
          {
            ...claims,
            ...said(occasion.seed, occasion.person, "gone"),
            aud: setting(occasion, "audience"),
            exp: seconds(occasion) + 3600,
          },
          { typ: "secevent+jwt" },
        ),
        headers: { "content-type": "application/secevent+jwt" },
      }),
    },
  },
  pushed: {
    push: {
      person: "u1",
      make: async (occasion) => {
        const signed = await occasion.token({ ...claims, aud: occasion.url, exp: seconds(occasion) + 3600 });
        return asJson(said(occasion.seed, occasion.person, "gone"), { authorization: `Bearer ${signed}` });
      },
    },
  },
  asked: {
    ask: {
      person: "u1",
      make: async (occasion) => ({
        ...asJson(said(occasion.seed, occasion.person, "gone"), {}),
        query: { secret: setting(occasion, "secret") },
      }),
    },
  },
};

type Posted = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly taken: boolean;
};

const SETTINGS = { key: ["newest", "older"], audience: "our-client", secret: "a secret" };
const vendorKey = await newVendorKey();
const sandbox = createSandbox({ vendorKeys: vendorKey.keys, certificate: vendorKey.certificate });
const published = keySets(
  (input, init) => sandbox.fetch(new Request(input, init)),
  () => Date.now(),
  () => undefined,
);

/** What the person's page says, where the vendor is told its address. */
let page: object | undefined;

/** As much of a gateway as a delivery needs: it verifies, and keeps a list of requests. */
async function gateway() {
  const posted: Posted[] = [];
  let origin = "";
  const server = createServer(async (incoming, outgoing) => {
    const url = new URL(incoming.url ?? "/", origin);
    if (url.pathname === "/status/p1") return void outgoing.end(JSON.stringify(page));
    if (incoming.method === "GET") {
      const requests = [...new Set(posted.filter(({ taken }) => taken).map(({ body }) => body))].map((_, index) => ({
        id: `req_${index}`,
        type: "erasure",
        source: "main/signed",
        status: "open",
        status_url: `${origin}/status/abc${index}`,
      }));
      return void outgoing.end(JSON.stringify({ requests }));
    }
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const headers = Object.fromEntries(
      Object.entries(incoming.headers).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
    );
    const endpoint = url.pathname.split("/")[4] ?? "";
    const hooks = new Map(Object.entries("absent" in vendor.hooks ? {} : vendor.hooks));
    const scheme = hooks.get(endpoint)?.verify;
    const means = { now: Date.now(), keySets: published };
    const result = scheme && (await checked(scheme, { body, headers, url: url.href }, SETTINGS, means));
    const taken = result?.ok === true;
    posted.push({ url: url.href, headers, body, taken });
    const said = page === undefined ? "" : JSON.stringify({ url: `${origin}/status/p1` });
    outgoing.writeHead(taken ? 202 : 401).end(taken ? said : "refused");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // It listens on TCP, so this is what it gives.
  origin = `http://127.0.0.1:${port}`;
  return {
    posted,
    origin,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

let stand: Awaited<ReturnType<typeof gateway>>;
let dev: string;
const put = home();

beforeEach(async () => {
  stand = await gateway();
  put("vendor-key.json", vendorKey.jwk);
  dev = put("dev.json", {
    url: stand.origin,
    sandbox_url: "http://127.0.0.1:1",
    admin_key: "dev_admin",
    tenants: {
      empty: { api_key: "dev_key_0", subprocessors: {} },
      acme: {
        api_key: "dev_key_1",
        subprocessors: {
          main: { integration: "some-vendor", settings: SETTINGS },
          spare: { integration: "some-vendor", settings: { ...SETTINGS, key: ["another"] } },
        },
      },
    },
  });
});
afterEach(() => stand.stop());

async function sent(args: readonly string[], env: Record<string, string> = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await send(
    {
      env,
      stdin: (async function* () {})(),
      fetch,
      print: (line) => out.push(line),
      complain: (line) => err.push(line),
      colours: false,
    },
    args,
    catalogueOf(sender),
  );
  return { code, out: out.join("\n"), err: err.join("\n") };
}
const here = (...args: readonly string[]) => sent(["some-vendor", ...args, "--dev", dev]);

describe("what can be sent", () => {
  it("is listed with its endpoint and its signals", async () => {
    const { code, out } = await sent(["--list"]);
    expect(code).toBe(0);
    expect(out).toMatch(/some-vendor {2}gone +signed +account_deleted/);
    expect(out).toMatch(/seen +signed +none/);
    const { events } = JSON.parse((await sent(["--list", "some-vendor", "--json"])).out);
    expect(events).toContainEqual({
      integration: "some-vendor",
      event: `${URI}gone`,
      endpoint: "tokens",
      signals: ["account_deleted"],
    });
    expect(events).toHaveLength(5);
  });

  it("is every event of every hook of an integration, by what its sample gives", async () => {
    const samples = import.meta.glob<{ readonly sample: Sample }>("../integrations/samples/*.ts", { eager: true });
    const known = eventsOf({ integrations: Object.values<Integration>(all), senders });
    expect(known.length).toBeGreaterThan(0);
    for (const each of known) {
      const { integration, endpoint, name, hook } = each;
      const sample = samples[`../integrations/samples/${integration.id}.ts`]?.sample;
      const expected = sample?.hooks[endpoint]?.[name]?.(0).map(({ type }) => type) ?? [];
      const found = await signalsOf(each);
      const where = `${integration.id} ${name}`;
      // Where a sample needs a key of a certain form, all that the hook may give is shown.
      if (found.length < Object.keys(hook.authority).length) expect(found, where).toEqual([...new Set(expected)]);
      else expect(found, where).toEqual(expect.arrayContaining(expected));
    }
  });
});

describe("a delivery", () => {
  it("is signed with the newest secret, taken, and the request that came of it is shown", async () => {
    const { code, out, err } = await here("gone", "--endpoint", "signed", "--id", "u7");
    expect([code, err]).toEqual([0, ""]);
    expect(stand.posted).toEqual([expect.objectContaining({ taken: true, body: expect.stringContaining('"u7"') })]);
    expect(out).toContain(`POST ${stand.origin}/hooks/acme/main/signed`);
    expect(out).toContain("A request came of it:");
    expect(out).toContain(`${stand.origin}/status/abc0`);
    expect(out).toContain(`tenants.acme.api_key in ${dev}`);
    expect(out).not.toContain("dev_key_1");
  });

  it("is the very same with the same seed, and another without", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2026-11-21T09:01:00Z") });
    onTestFinished(() => void vi.useRealTimers());
    await here("seen", "--seed", "a");
    vi.setSystemTime(Date.parse("2026-11-21T09:02:00Z"));
    for (const args of [["--seed", "a"], []]) await here("seen", ...args);
    const [one, two, three] = stand.posted;
    expect(two?.body).toBe(one?.body);
    expect(two?.headers["x-signature"]).toBe(one?.headers["x-signature"]);
    expect(three?.body).not.toBe(one?.body);
    expect(stand.posted.every(({ taken }) => taken)).toBe(true);
  });

  it.each([
    [undefined, "it is a repeat, or it was noted and not obeyed (Some vendor is not told which)."],
    [{ status: "open" }, "it is a repeat of one whose request is open."],
    [{ status: "closed", noted: "echo" }, "it was noted and not obeyed (the echo of what the gateway did itself)."],
  ])("that causes nothing new is a repeat or a note, as the person's page says: %j", async (said, words) => {
    page = said;
    onTestFinished(() => {
      page = undefined;
    });
    const again = ["gone", "--endpoint", "signed", "--seed", "a", "--at", "2026-11-21T09:00:00Z"];
    vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2026-11-21T09:01:00Z") });
    onTestFinished(() => void vi.useRealTimers());
    await here(...again);
    expect((await here(...again)).out).toContain(`No new request came of it: ${words}`);
  });

  it("is as old as it is told to be", async () => {
    const { code, out } = await here("seen", "--at", "2026-01-01T00:00:00Z");
    expect([code, stand.posted[0]?.headers["x-time"]]).toEqual([1, "1767225600"]);
    expect(out).toContain("401");
  });

  it("is made several times: deliveries that differ, about one person", async () => {
    const { code, out } = await here("gone", "--endpoint", "signed", "--count", "3", "--json");
    expect(code).toBe(0);
    expect(new Set(stand.posted.map(({ body }) => body)).size).toBe(3);
    const { deliveries, requests } = JSON.parse(out);
    expect(deliveries.map(({ status }: { status: number }) => status)).toEqual([202, 202, 202]);
    expect(requests).toHaveLength(3);
  });

  it("with a token is signed with the key whose public half the sandbox publishes", async () => {
    for (const args of [["gone", "--endpoint", "tokens"], ["push"]]) {
      const { code, err } = await here(...args);
      expect([code, err]).toEqual([0, ""]);
    }
    expect(stand.posted.map(({ taken }) => taken)).toEqual([true, true]);
  });

  it("carries a secret in the query where the vendor does, and does not show it", async () => {
    const { code, out } = await here("ask");
    expect([code, stand.posted[0]?.url]).toEqual([0, `${stand.origin}/hooks/acme/main/asked?secret=a+secret`]);
    expect(out + (await here("ask", "--json")).out).not.toContain("secret");
  });

  it("goes to the tenant and subprocessor that are named", async () => {
    const { code } = await here("seen", "--subprocessor", "spare", "--tenant", "acme");
    expect([code, stand.posted[0]?.url]).toEqual([1, `${stand.origin}/hooks/acme/spare/signed`]);
  });

  it("can be looked at without being sent", async () => {
    const { code, out } = await here("seen", "--dry-run", "--seed", "a");
    expect([code, stand.posted]).toEqual([0, []]);
    expect(out).toMatch(
      /^POST http:.*\ncontent-type: application\/json\nx-time: \d+\nx-signature: [0-9a-f]{64}\n\n\{"id":"a"/,
    );
    expect(out).toContain("curl -i -X POST 'http://127.0.0.1:");
    const [delivery] = JSON.parse((await here("seen", "--dry-run", "--json")).out).deliveries;
    expect(delivery).toMatchObject({ method: "POST", curl: expect.stringContaining("--data-raw") });
  });

  it("goes to any other gateway, with secrets from the environment", async () => {
    const to = ["some-vendor", "seen", "--url", stand.origin, "--tenant", "acme", "--subprocessor", "main"];
    const { code, out } = await sent([...to, "--setting-env", "key=KEY"], { KEY: "older" });
    expect([code, stand.posted[0]?.taken]).toEqual([0, true]);
    expect(out).toContain("the tenant's API key");
    const missing = await sent(to);
    expect([missing.code, missing.err]).toEqual([2, expect.stringMatching(/no key, .*--setting-env/)]);
  });
});

describe("what cannot be sent is said plainly", () => {
  const url = ["--url", "https://erasure.example.com", "--tenant", "acme"];
  it.each<[readonly string[], RegExp]>([
    [["sone-vendor", "gone"], /no integration sone-vendor; did you mean some-vendor\?/],
    [["zzz", "gone"], /no integration zzz; quittance send --list/],
    [["silent", "gone"], /silent sends nothing: it never says a word/],
    [["some-vendor", "gon"], /no event gon; did you mean gone\?/],
    [["some-vendor", "zzzzz"], /no event zzzzz; it has gone, seen, push, ask/],
    [["some-vendor", "gone"], /gone is sent to signed and tokens: say which with --endpoint/],
    [["some-vendor", "gone", "--endpoint", "pushed"], /not sent to pushed, but to signed and tokens/],
    [["some-vendor", "push", ...url], /a key that nobody else has: for a real gateway they cannot be made/],
    [["some-vendor", "seen", ...url, "--setting", "key=abc"], /key is a secret.*--setting-env key=VARIABLE/],
    [["some-vendor", "seen", ...url, "--setting-env", "key=NOWHERE"], /NOWHERE is not set/],
    [["some-vendor", "seen", ...url, "--setting-env", "kee=NOWHERE"], /no setting kee; did you mean key\?/],
    [["some-vendor", "seen", "--dev", "/nowhere/dev.json"], /does not exist: npm start writes it/],
    [["--list", "nobody"], /no integration nobody/],
  ])("%j", async (args, words) => {
    const { code, out, err } = await sent(args);
    expect(err).toMatch(words);
    expect([code, out]).toEqual([2, ""]);
  });

  it.each<[readonly string[], RegExp]>([
    [["--tenant", "acne"], /no tenant acne in .*; did you mean acme\?/],
    [["--tenant", "empty"], /empty does not have a subprocessor with some-vendor/],
    [["--subprocessor", "mein"], /no subprocessor mein with some-vendor; did you mean main or spare\?/],
  ])("%j, of what runs here", async (args, words) => {
    const { code, err } = await here("seen", ...args);
    expect([code, err]).toEqual([2, expect.stringMatching(words)]);
  });

  it("a gateway that does not run", async () => {
    stand.stop();
    const { code, err } = await here("seen");
    expect([code, err]).toEqual([2, expect.stringMatching(/cannot be reached.*Is the gateway running\? .*npm start/)]);
  });

  it("a key that was not made", async () => {
    const { code, err } = await sent([
      "some-vendor",
      "push",
      "--dev",
      put("alone/dev.json", {
        url: stand.origin,
        tenants: { acme: { api_key: "k", subprocessors: { main: { integration: "some-vendor" } } } },
      }),
    ]);
    expect([code, err]).toEqual([2, expect.stringMatching(/vendor-key\.json does not exist.*npm start makes it/)]);
  });

  it("wrong usage", async () => {
    for (const [args, words] of [
      [[], "expected an integration and an event"],
      [["facebook"], "expected an integration and an event"],
      [["facebook", "a", "b"], "expected an integration and an event"],
      [["facebook", "a", "--count", "0"], "--count"],
      [["facebook", "a", "--at", "yesterday"], "--at"],
      [["facebook", "a", "--seed", "a b"], "--seed"],
      [["facebook", "a", "--url", "http://a.example", "--tenant", "t"], "--url"],
      [["facebook", "a", "--url", "https://a.example"], "--url needs --tenant"],
      [["facebook", "a", "--url", "https://a.example", "--tenant", "t", "--dev", "f"], "one of them"],
      [["facebook", "a", "--setting", "secret"], "--setting: expected name=value"],
      [["--list", "a", "b"], "--list takes an integration at most"],
    ] as const) {
      const { code, out, err } = await quittance(["send", ...args]);
      expect([code, out, err], args.join(" ")).toEqual([2, "", expect.stringContaining(words)]);
    }
  });
});

describe("names that are near", () => {
  it.each([
    ["facbook", ["facebook"]],
    ["delete", ["customer.deleted"]],
    ["zzzzzzz", []],
  ])("%s", (given, found) => {
    expect(nearest(given, ["facebook", "stripe", "customer.deleted"])).toEqual(found);
  });
});
