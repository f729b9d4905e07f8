import { describe, expect, it } from "vitest";
import { bluesky } from "../../integrations/bluesky.ts";
import { isAbsent } from "../../src/contract/integration.ts";
import { type Played, play } from "../support/play.ts";
import { proven } from "../support/proven.ts";

const { hooks } = bluesky;
const network = bluesky.streams?.network;
const tap = isAbsent(hooks) ? undefined : hooks.tap;
if (network?.confirm === undefined || tap === undefined) throw new Error("Bluesky has a stream and a hook");
const { confirm, read } = network;
const { oauth } = bluesky;
if (isAbsent(oauth) || !("find" in oauth.server)) throw new Error("Bluesky's people connect where their account lies");
const { find, asks } = oauth.server;

const NOW = Date.parse("2026-11-21T09:00:00Z");
const DID = "did:plc:ewvi7nxzyoun6zhxrhs64oiz";
const HOST = "https://morel.us-east.host.bsky.network";
const message = (more: object, did = DID) => read(JSON.stringify({ did, time_us: NOW * 1000, ...more }));
const account = (more: object) => message({ kind: "account", account: { did: DID, active: false, seq: 1, ...more } });

describe("what the network tells", () => {
  it("believes no time that is later than when the stream saw it", () => {
    for (const [time, at] of [
      ["2026-11-21T08:59:00.120Z", NOW - 59_880],
      ["2030-01-01T00:00:00Z", NOW],
      ["yesterday", NOW],
      [undefined, NOW],
    ] as const)
      expect(account({ status: "deleted", time })).toMatchObject({
        ok: true,
        value: { events: [{ id: `account:${DID}:deleted:${at}`, signals: [{ type: "account_deleted", at }] }] },
      });
  });

  it.each(["desynchronized", "throttled", "constructor", "tomorrows_status"])("causes nothing for %s", (status) => {
    expect(account({ status })).toMatchObject({
      ok: true,
      value: { events: [{ name: "account other", signals: [] }] },
    });
  });

  it("refuses an account's event that names another account than its message", () => {
    expect(account({ status: "deleted", did: "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa" })).toMatchObject({ ok: false });
    expect(message({ kind: "account" })).toMatchObject({ ok: false });
  });

  it("passes over posts that are written, and other records that are deleted, and knows the same event elsewhere", () => {
    const commit = (more: object) =>
      message({ kind: "commit", commit: { rev: "3l", rkey: "3k", collection: "app.bsky.feed.post", ...more } });
    for (const more of [{ operation: "create" }, { operation: "delete", collection: "app.bsky.feed.like" }])
      expect(commit(more)).toMatchObject({ ok: true, value: { events: [] } });
    expect(commit({ operation: "delete", rkey: "a/../b" })).toMatchObject({ ok: false });
    const again = read(
      JSON.stringify({
        did: DID,
        time_us: NOW * 1000 + 7_000_000,
        kind: "commit",
        commit: { operation: "delete", collection: "app.bsky.feed.post", rkey: "3k" },
      }),
    );
    const first = commit({ operation: "delete" });
    if (!first.ok || !again.ok) throw new Error("both can be read");
    expect(again.value.events[0]?.id).toBe(first.value.events[0]?.id);
  });

  it("takes no sequence number for a time, and no DID that is none", () => {
    expect(read(JSON.stringify({ did: DID, time_us: 12_345, kind: "identity" }))).toMatchObject({ ok: false });
    expect(message({ kind: "identity" }, "https://example.com")).toMatchObject({ ok: false });
  });

  it("counts a Tap's unknown events, and knows two of one number apart", () => {
    const tapped = (body: object) => tap.read(proven(JSON.stringify(body), {}, NOW));
    expect(tapped({ id: 3, type: "weather" })).toEqual({
      ok: true,
      value: [{ id: "weather:3", name: "weather", signals: [] }],
    });
    const ids = ["deleted", "active"].map((status) => {
      const reading = tapped({ id: 1, type: "user", user: { did: DID, handle: "ada.example", status } });
      return reading.ok ? reading.value[0]?.id : undefined;
    });
    expect(new Set(ids).size).toBe(2);
  });
});

describe("asking the person's own host", () => {
  const document = (endpoint: unknown, id = DID) => ({
    status: 200,
    body: { id, service: [{ id: "#atproto_pds", type: "AtprotoPersonalDataServer", serviceEndpoint: endpoint }] },
  });
  const ask = (replies: readonly Played[], did = DID) =>
    play(confirm.run({ type: "bluesky.did", value: did }), replies);
  const status = (more: object) => ({ status: 200, body: { did: DID, ...more } });

  it("resolves the DID, and asks the host that it names", () => {
    const { calls, outcome } = ask([document(HOST), status({ active: false, status: "deleted" })]);
    expect(calls.map(({ at }) => at.url)).toEqual([
      `https://plc.directory/${DID}`,
      `${HOST}/xrpc/com.atproto.sync.getRepoStatus?did=did%3Aplc%3Aewvi7nxzyoun6zhxrhs64oiz`,
    ]);
    for (const { at } of calls) expect(at.template).not.toContain("plc:");
    expect(outcome).toBe("confirmed");
  });

  it.each<[string, Played, string]>([
    ["taken down", status({ active: false, status: "takendown" }), "confirmed"],
    ["forgotten", { status: 400, body: { error: "RepoNotFound" } }, "confirmed"],
    ["active", status({ active: true }), "contradicted"],
    ["deactivated", status({ active: false, status: "deactivated" }), "contradicted"],
    ["suspended", status({ active: false, status: "suspended" }), "contradicted"],
    ["inactive for no reason", status({ active: false }), "unknown"],
    ["throttled", status({ active: false, status: "throttled" }), "unknown"],
    ["somebody else's", { status: 200, body: { did: "did:plc:other", active: false, status: "deleted" } }, "unknown"],
    ["away", { status: 503 }, "unknown"],
    ["not there", { status: 404, body: "not found" }, "unknown"],
    ["moved", { status: 302, headers: { location: "http://10.0.0.1/" } }, "unknown"],
    ["asked wrongly", { status: 400, body: { error: "InvalidRequest" } }, "unknown"],
    ["odd", { status: 200, body: "<html>" }, "unknown"],
  ])("takes a host that says %s as it is meant", (_, reply, verdict) => {
    expect(ask([document(HOST), reply]).outcome).toBe(verdict);
  });

  it("takes a tombstone of the directory for the end, and no other silence", () => {
    expect(ask([{ status: 410, body: { message: "DID not available" } }]).outcome).toBe("confirmed");
    for (const code of [404, 429, 500]) expect(ask([{ status: code }]).outcome).toBe("unknown");
    expect(ask([{ status: 410 }], "did:web:ada.example.com").outcome).toBe("unknown");
  });

  it("finds the document of a did:web at its host", () => {
    const { calls } = ask([{ status: 404 }], "did:web:ada.example.com");
    expect(calls[0]?.at.url).toBe("https://ada.example.com/.well-known/did.json");
  });

  it.each([
    "did:web:localhost",
    "did:web:127.0.0.1",
    "did:web:ada.example.com%3A8443",
    "did:web:ada.example.com:people:ada",
    "did:web:metadata.google.internal",
    "did:plc:short",
    "did:key:z6Mk",
  ])("[I13] asks nobody about %s", (did) => {
    expect(ask([], did)).toEqual({ calls: [], outcome: "unknown" });
  });

  it.each([
    "http://morel.example.com",
    "https://127.0.0.1",
    "https://[::1]",
    "https://printer.local",
    "https://host.example.com:8443",
    "https://user:secret@host.example.com",
    "https://host.example.com/path",
    "https://host.example.com/?a=b",
    "javascript:alert(1)",
    { uri: HOST },
    undefined,
  ])("[I13] asks no host at %s", (endpoint) => {
    expect(ask([document(endpoint)])).toMatchObject({ outcome: "unknown", calls: { length: 1 } });
  });

  it("believes no document of somebody else", () => {
    expect(ask([document(HOST, "did:plc:other")]).outcome).toBe("unknown");
  });
});

describe("finding where a person signs in", () => {
  const AT = "https://bsky.social";
  const HANDLE = "ada.example.org";
  const record = (...dids: readonly string[]): Played => ({
    status: 200,
    body: {
      Status: 0,
      Answer: dids.map((did) => ({ name: `_atproto.${HANDLE}`, type: 16, TTL: 300, data: `"did=${did}"` })),
    },
  });
  const nothing: Played = { status: 200, body: { Status: 3 } };
  const document = (more: object = {}): Played => ({
    status: 200,
    body: {
      id: DID,
      alsoKnownAs: [`at://${HANDLE}`],
      service: [{ id: "#atproto_pds", type: "AtprotoPersonalDataServer", serviceEndpoint: HOST }],
      ...more,
    },
  });
  const resource = (more: object = {}): Played => ({
    status: 200,
    body: { resource: HOST, authorization_servers: [AT], ...more },
  });
  const metadata = (more: object = {}): Played => ({
    status: 200,
    body: {
      issuer: AT,
      authorization_endpoint: `${AT}/oauth/authorize`,
      token_endpoint: `${AT}/oauth/token`,
      pushed_authorization_request_endpoint: `${AT}/oauth/par`,
      revocation_endpoint: `${AT}/oauth/revoke`,
      require_pushed_authorization_requests: true,
      authorization_response_iss_parameter_supported: true,
      client_id_metadata_document_supported: true,
      scopes_supported: ["atproto", "transition:generic"],
      code_challenge_methods_supported: ["S256"],
      token_endpoint_auth_methods_supported: ["none", "private_key_jwt"],
      dpop_signing_alg_values_supported: ["ES256"],
      ...more,
    },
  });
  const server = {
    issuer: AT,
    authorize: `${AT}/oauth/authorize`,
    token: `${AT}/oauth/token`,
    pushed: `${AT}/oauth/par`,
    revocation: `${AT}/oauth/revoke`,
    userinfo: `${HOST}/xrpc/com.atproto.server.getSession`,
  };
  const found = { ok: true, value: { account: { type: "bluesky.did", value: DID }, server } };
  const urls = (said: string, replies: readonly Played[]) => {
    const { calls, outcome } = play(find(said), replies);
    return { urls: calls.map(({ at }) => at.url), outcome };
  };

  it("goes from a name's record to the account, its host and the server there, and back to the name", () => {
    expect(urls(HANDLE, [record(DID), document(), resource(), metadata()])).toEqual({
      urls: [
        `https://cloudflare-dns.com/dns-query?name=_atproto.${HANDLE}&type=TXT`,
        `https://plc.directory/${DID}`,
        `${HOST}/.well-known/oauth-protected-resource`,
        `${AT}/.well-known/oauth-authorization-server`,
      ],
      outcome: found,
    });
  });

  it("asks the name itself where it has no record", () => {
    for (const [dns, file] of [
      [nothing, DID],
      [{ status: 502 }, `${DID}\n`],
    ] as const) {
      const { urls: made, outcome } = urls("Ada.Example.org", [
        dns,
        { status: 200, body: file },
        document(),
        resource(),
        metadata(),
      ]);
      expect(made[1]).toBe(`https://${HANDLE}/.well-known/atproto-did`);
      expect(outcome).toEqual(found);
    }
  });

  it("begins with the account where that is said", () => {
    expect(urls(DID, [document({ alsoKnownAs: [] }), resource(), metadata()]).outcome).toEqual(found);
    expect(urls("did:web:ada.example.org", [{ status: 404 }]).urls).toEqual([
      "https://ada.example.org/.well-known/did.json",
    ]);
  });

  const other = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa";
  it.each([
    ["two records that differ", [record(DID, other)]],
    ["a name that leads nowhere", [nothing, { status: 404 }]],
    ["a redirect in place of a name's file", [nothing, { status: 302, headers: { location: "https://evil.example" } }]],
    ["a page in place of a name's file", [nothing, { status: 200, body: "<!doctype html>" }]],
    ["an account that is gone", [record(DID), { status: 410 }]],
    ["another account's document", [record(DID), document({ id: other })]],
    ["an account that does not have this name", [record(DID), document({ alsoKnownAs: ["at://eve.example.org"] })]],
    [
      "an account that has this name only as its second",
      [record(DID), document({ alsoKnownAs: ["at://eve.example.org", `at://${HANDLE}`] })],
    ],
    ...[
      "http://pds.example.org",
      "https://127.0.0.1",
      "https://pds.internal",
      "https://pds.example.org:8443",
      "https://pds.example.org/a",
    ].map(
      (serviceEndpoint) =>
        [
          `a host at ${serviceEndpoint}`,
          [
            record(DID),
            document({ service: [{ id: "#atproto_pds", type: "AtprotoPersonalDataServer", serviceEndpoint }] }),
          ],
        ] as const,
    ),
    ["a host that has no server", [record(DID), document(), { status: 404 }]],
    ["two servers", [record(DID), document(), resource({ authorization_servers: [AT, "https://eve.example"] })]],
    ["a server at no origin", [record(DID), document(), resource({ authorization_servers: [`${AT}/path`] })]],
    [
      "a server that is not public",
      [record(DID), document(), resource({ authorization_servers: ["https://localhost"] })],
    ],
    ["another host's description", [record(DID), document(), resource({ resource: "https://eve.example" })]],
    [
      "another server's description",
      [record(DID), document(), resource(), metadata({ issuer: "https://eve.example" })],
    ],
    [
      "endpoints elsewhere",
      [record(DID), document(), resource(), metadata({ token_endpoint: "https://eve.example/token" })],
    ],
    [
      "a server that needs nothing pushed",
      [record(DID), document(), resource(), metadata({ require_pushed_authorization_requests: false })],
    ],
    [
      "a server that does not name itself",
      [record(DID), document(), resource(), metadata({ authorization_response_iss_parameter_supported: false })],
    ],
    ["a server without the scope", [record(DID), document(), resource(), metadata({ scopes_supported: ["openid"] })]],
    ["a server that redirects", [record(DID), document(), resource(), { status: 302 }]],
  ] as readonly (readonly [string, readonly Played[]])[])("[I13] finds nobody through %s", (_, replies) => {
    expect(play(find(HANDLE), replies).outcome.ok).toBe(false);
  });

  it("takes names and DIDs, and nothing that is neither", () => {
    const fits = (said: string) => asks.kind === "text" && asks.pattern?.test(said) === true;
    for (const said of [HANDLE, "Ada.bsky.social", DID, "did:web:ada.example.org"]) expect(fits(said), said).toBe(true);
    for (const said of ["ada", "@ada.example.org", "https://ada.example.org", "a b.example", "ada.example.org/x", ""])
      expect(fits(said), said).toBe(false);
  });

  it("takes no answer for a grant that does not say atproto and whose it is", () => {
    const whose = (answer: Readonly<Record<string, unknown>>) =>
      oauth.account({ settings: { tapPassword: "", scopes: "" }, accessToken: "a", answer, claims: {} });
    expect(whose({ sub: DID, scope: "atproto transition:generic" })).toMatchObject({ ok: true });
    for (const answer of [
      { sub: DID },
      { sub: DID, scope: "openid" },
      { scope: "atproto" },
      { sub: 1.5, scope: "atproto" },
    ])
      expect(whose(answer)).toMatchObject({ ok: false });
  });
});
