import { Hono } from "hono";
import { z } from "zod";
import { read } from "./admin.ts";
import { SIGN_IN, signIn } from "./bluesky-sign-in.ts";
import type { Json, Listener, MakeVendor, Refusal } from "./vendor.ts";

const STREAMS = /^jetstream[12]\.us-(?:east|west)\.bsky\.network$/;
const DIRECTORY = "plc.directory";
const HOST = "morel.us-east.host.bsky.network";
const DNS = "cloudflare-dns.com";

const POSTS = "app.bsky.feed.post";
const RecordName = z.object({ repo: z.string(), collection: z.string(), rkey: z.string() });

/** Jetstream's own memory. */
const LOOKBACK_US = 36 * 3_600_000_000;

const Status = z.enum(["active", "deleted", "takendown", "suspended", "deactivated"]);
type Status = z.infer<typeof Status>;

/** `{vendor: "bluesky", accounts: [{did, posts?, handle?}]}`. */
const Seed = z.object({
  accounts: z.array(
    z.object({ did: z.string(), posts: z.array(z.string()).default([]), handle: z.string().optional() }),
  ),
});

const Change = z.strictObject({
  status: Status,
  /** What the network is told, where it is something else than what is so; null: nothing. */
  told: Status.nullable().optional(),
});

const SettingsPatch = z.strictObject({
  /** A connection is ended in the proper way when nothing has come for so long; a real one never is. */
  linger_ms: z.number().min(0).optional(),
  /** Stream hosts that refuse to connect. */
  down: z.array(z.string()).optional(),
  /** The people's own host answers nothing but 503. */
  host_down: z.boolean().optional(),
});

type Account = { status: Status; posts: Set<string>; readonly handle?: string };

/** Who has no name of their own has one of Bluesky's, which is no record of DNS but a file. */
const handleOf = (did: string, account: Account | undefined): string =>
  account?.handle ?? `${did.slice(-8)}.${SIGN_IN}`;

/**
 * Bluesky: Jetstream's first protocol, the directory of DIDs, names, the host where all accounts lie, and where they sign in. Times in the stream are
 * unix microseconds; a cursor is inclusive, and one older than 36 hours is taken for the oldest there is.
 */
export const bluesky: MakeVendor = (world) => {
  const accounts = new Map<string, Account>();
  const stream: { readonly at: number; readonly text: string }[] = [];
  const listeners = new Set<() => void>();
  let settings = { linger_ms: 200, down: [] as readonly string[], host_down: false };
  let last = 0;
  let seq = 0;

  const people = signIn(world.now, (did) => accounts.get(did)?.status === "active");

  const tell = (text: string, at: number): void => {
    stream.push({ at, text });
    for (const listener of [...listeners]) listener();
  };
  /** Two events never have the same time. */
  const micros = (): number => {
    last = Math.max(last + 1, world.now() * 1000);
    return last;
  };
  const say = (did: string, kind: string, more: (seq: number) => object): void => {
    const at = micros();
    tell(JSON.stringify({ did, time_us: at, kind, ...more(++seq) }), at);
  };
  const now = () => new Date(world.now()).toISOString();

  const tellDeletion = (did: string, rkey: string): void =>
    say(did, "commit", (number) => ({
      commit: { rev: `3l${number}`, operation: "delete", collection: POSTS, rkey },
    }));

  const admin = new Hono();
  admin.put("/bluesky/settings", async (c) => {
    settings = { ...settings, ...withoutUndefined(await read(c, SettingsPatch)) };
    return c.json(settings);
  });
  admin.put("/bluesky/accounts/:did", async (c) => {
    const did = c.req.param("did");
    const { status, told = status } = await read(c, Change);
    const account = accounts.get(did) ?? { status, posts: new Set<string>() };
    accounts.set(did, { ...account, status });
    if (status === "deleted") people.endAccount(did);
    if (told !== null)
      say(did, "account", (number) => {
        const active = told === "active";
        return { account: { active, ...(!active && { status: told }), did, seq: number, time: now() } };
      });
    return c.json({ did, status });
  });
  admin.delete("/bluesky/accounts/:did/posts/:rkey", (c) => {
    const { did, rkey } = c.req.param();
    accounts.get(did)?.posts.delete(rkey);
    tellDeletion(did, rkey);
    return c.body(null, 204);
  });
  // Anything at all, as a hostile or broken stream might send it.
  admin.post("/bluesky/messages", async (c) => {
    tell(await c.req.text(), micros());
    return c.body(null, 204);
  });

  return {
    id: "bluesky",
    about: "Bluesky: Jetstream, the directory of DIDs, the accounts' host, and where they sign in",
    admin,
    serves: (host) =>
      STREAMS.test(host) ||
      [DIRECTORY, HOST, DNS, SIGN_IN].includes(host) ||
      host.endsWith(`.${SIGN_IN}`) ||
      [...accounts.values()].some(({ handle }) => handle === host),
    refuse,

    call: async (request) => {
      const { hostname, pathname, searchParams } = new URL(request.url);
      if (hostname === DIRECTORY) return document(decodeURIComponent(pathname.slice(1)), accounts);
      if (hostname === DNS) return named(searchParams.get("name") ?? "", accounts);
      if (hostname === SIGN_IN) return people.call(request);
      if (pathname === "/.well-known/atproto-did") {
        const [did] = [...accounts].find(([each, account]) => handleOf(each, account) === hostname) ?? [];
        return did === undefined ? new Response("User not found", { status: 404 }) : new Response(did);
      }
      if (hostname !== HOST) return new Response("Upgrade Required", { status: 426 });
      if (settings.host_down) return new Response("upstream error", { status: 503 });
      if (pathname === "/.well-known/oauth-protected-resource")
        return Response.json({ resource: `https://${HOST}`, authorization_servers: [`https://${SIGN_IN}`] });
      if (pathname === "/xrpc/com.atproto.server.getSession")
        return people.session(request, (did) =>
          Response.json({ did, handle: handleOf(did, accounts.get(did)), active: true }),
        );
      if (pathname === "/xrpc/com.atproto.repo.deleteRecord" && request.method === "POST")
        return people.session(request, async (did, scopes) => {
          const { repo, collection, rkey } = RecordName.parse(await request.json());
          if (repo !== did) return xrpc(400, "InvalidRequest", "Could not find repo");
          // https://atproto.com/specs/oauth#authorization-scopes
          if (!scopes.includes("transition:generic")) return xrpc(403, "ScopeMissingError", "Missing required scope");
          if (collection === POSTS && accounts.get(did)?.posts.delete(rkey)) tellDeletion(did, rkey);
          return Response.json({});
        });
      if (pathname === "/xrpc/com.atproto.repo.getRecord") {
        const { repo, rkey } = RecordName.parse(Object.fromEntries(searchParams));
        return accounts.get(repo)?.posts.has(rkey)
          ? Response.json({ uri: `at://${repo}/${POSTS}/${rkey}`, cid: "bafyreia", value: { text: "" } })
          : xrpc(400, "RecordNotFound", "Could not locate record");
      }
      if (pathname !== "/xrpc/com.atproto.sync.getRepoStatus")
        return xrpc(501, "MethodNotImplemented", "Method Not Implemented");
      const did = searchParams.get("did") ?? "";
      const status = accounts.get(did)?.status;
      // The reference server forgets whom it deletes.
      if (status === undefined || status === "deleted")
        return xrpc(400, "RepoNotFound", `Could not find repo for DID: ${did}`);
      return Response.json(status === "active" ? { did, active: true, rev: "3l" } : { did, active: false, status });
    },

    socket: (url, out) => {
      if (!STREAMS.test(url.hostname) || url.pathname !== "/subscribe" || settings.down.includes(url.hostname))
        return undefined;
      return follow(url.searchParams.get("cursor"), out);
    },

    seed: (seed) => {
      const { accounts: seeded } = Seed.parse(seed);
      for (const { did, posts, handle } of seeded)
        accounts.set(did, { status: "active", posts: new Set(posts), ...(handle !== undefined && { handle }) });
      return { accounts: seeded.map(({ did }) => did) };
    },
    holdings: () => ({
      grants: people.holdings(),
      accounts: Object.fromEntries(
        [...accounts].map(([did, { status, posts }]): [string, Json] => [did, { status, posts: [...posts] }]),
      ),
    }),
    events: () => stream.map(({ text }) => text),
    reset: () => {
      accounts.clear();
      people.reset();
      stream.length = 0;
      settings = { linger_ms: 200, down: [], host_down: false };
    },
  };

  function follow(cursor: string | null, out: Listener): () => void {
    const from = cursor === null ? undefined : Math.max(Number(cursor), world.now() * 1000 - LOOKBACK_US);
    let next = from === undefined ? stream.length : stream.findIndex(({ at }) => at >= from);
    if (next < 0) next = stream.length;
    let timer: NodeJS.Timeout | undefined;
    const stop = (): void => {
      clearTimeout(timer);
      listeners.delete(send);
    };
    const send = (): void => {
      for (; next < stream.length; next++) out.send(stream[next]?.text ?? "");
      clearTimeout(timer);
      timer = setTimeout(() => {
        stop();
        out.close(1000);
      }, settings.linger_ms);
    };
    listeners.add(send);
    send();
    return stop;
  }
};

/** https://web.plc.directory/spec/v0.1/did-plc */
function document(did: string, accounts: ReadonlyMap<string, Account>): Response {
  if (!accounts.has(did)) return Response.json({ message: `DID not registered: ${did}` }, { status: 404 });
  return Response.json({
    "@context": ["https://www.w3.org/ns/did/v1"],
    id: did,
    alsoKnownAs: [`at://${handleOf(did, accounts.get(did))}`],
    service: [{ id: "#atproto_pds", type: "AtprotoPersonalDataServer", serviceEndpoint: `https://${HOST}` }],
  });
}

/** DNS over HTTPS: the record of a name of one's own. */
function named(asked: string, accounts: ReadonlyMap<string, Account>): Response {
  const [did] = [...accounts].find(([, { handle }]) => `_atproto.${handle}` === asked) ?? [];
  const question = { Status: did === undefined ? 3 : 0, Question: [{ name: asked, type: 16 }] };
  const answer = did === undefined ? {} : { Answer: [{ name: asked, type: 16, TTL: 300, data: `"did=${did}"` }] };
  return Response.json({ ...question, ...answer }, { headers: { "content-type": "application/dns-json" } });
}

const xrpc = (status: number, error: string, message: string): Response =>
  Response.json({ error, message }, { status });

function refuse({ reason, status }: Refusal): Response {
  const names = {
    rate_limited: "RateLimitExceeded",
    server_error: "InternalServerError",
    unauthorized: "AuthRequired",
  };
  return xrpc(status, names[reason], "the sandbox was told so");
}

const withoutUndefined = <T extends object>(patch: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  // What is undefined is left out, so that what remains has no such value.
  Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
