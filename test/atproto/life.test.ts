import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ConnectionShape, connecting } from "../support/connecting.ts";
import { HOUR, type RequestShape, startWorld, type World } from "../support/world.ts";
import { type Host, type HostEvent, startHost } from "./host.ts";
import { agrees } from "./person.ts";

const SLUG = "cloutmetrics";
/** The host forbids the names that are kept for examples. */
const GATEWAY = "https://gateway.quittance.dev";
const HOST = "pds.example.org";
const PASSWORD = "a password of the tests";

/** A real host of the AT Protocol, from the first redirect to the end of the account. */
describe("a connection at a real host of the AT Protocol", () => {
  let world: World;
  let host: Host;
  let product: ReturnType<typeof connecting>;
  beforeAll(async () => {
    host = await startHost(HOST, { origin: GATEWAY, url: () => world.url });
    world = await startWorld({
      origin: GATEWAY,
      elsewhere: (call) => host.answer(call),
      moving: (ms) => host.advance(ms),
    });
    product = connecting(world, SLUG);
    await product.allowReturn();
    await product.enter("bluesky", "bluesky", { scopes: "transition:generic" });
    // The first reading of the stream begins with what is new from then on.
    await world.gateway.sweep();
  });
  afterAll(async () => {
    host?.stop();
    await world?.stop();
  });

  const connected = async (name: string, more: object = {}) => {
    const handle = `${name}.${HOST}`;
    const did = await host.createAccount(handle, PASSWORD);
    const start = await product.begin("bluesky", { site: handle, ...more });
    const to = await agrees(world, host, GATEWAY, start, { handle, password: PASSWORD });
    expect(to.searchParams.get("error")).toBeNull();
    const [id = "", code] = [to.searchParams.get("connection") ?? "", to.searchParams.get("code")];
    const { status, body } = await product.confirm(id, { code, subject: `subject-${name}` });
    expect(status, JSON.stringify(body)).toBe(200);
    return { id, did, handle, shown: body as ConnectionShape };
  };
  const callsTo = (path: string) => host.calls.filter(({ url }) => new URL(url).pathname === path);

  it("connects by a handle, renews, and revokes so that the host refuses what is dead", async () => {
    const { id, did, shown } = await connected("ada");
    expect(shown.account).toEqual({ type: "bluesky.did", value: did });
    expect(shown.scopes).toEqual(["atproto"]);
    // Each server asks for its nonce first.
    expect(callsTo("/oauth/par").map(({ status }) => status)).toEqual([400, 201]);
    expect(callsTo("/oauth/token").map(({ status }) => status)).toEqual([400, 200]);

    // The product acts with the token and a proof for each call; the host asks for its nonce first.
    const session = async (nonce?: string) => {
      const url = `https://${HOST}/xrpc/com.atproto.server.getSession`;
      const call = { method: "GET", url, ...(nonce !== undefined && { nonce }) };
      const { status, body } = await product.call("POST", `/v1/connections/${id}/token`, { call });
      expect(status, JSON.stringify(body)).toBe(200);
      const given = body as { readonly access_token: string; readonly token_type: string; readonly proof: string };
      const headers = { authorization: `${given.token_type} ${given.access_token}`, dpop: given.proof };
      return host.answer(new Request(url, { headers }));
    };
    const nonce = (await session())?.headers.get("dpop-nonce") ?? "";
    expect(await (await session(nonce))?.json()).toMatchObject({ did, active: true });
    host.calls.length = 0;

    await world.advance(24 * HOUR);
    await world.gateway.sweep();
    await expect
      .poll(() => callsTo("/xrpc/com.atproto.server.getSession").map(({ status }) => status), { timeout: 10_000 })
      .toEqual([401, 200]);
    expect(callsTo("/oauth/token").map(({ status }) => status)).toEqual([400, 200]);

    host.calls.length = 0;
    const closed = await product.disconnect(id);
    const [task] = closed.tasks.filter(({ subprocessor }) => subprocessor === "bluesky");
    expect(task).toMatchObject({ action: "revoke", outcome: "revoked" });
    expect(callsTo("/oauth/revoke").filter(({ status }) => status === 200)).toHaveLength(2);
    expect(callsTo("/oauth/token").at(-1)?.status).toBe(400);
    expect(task?.evidence?.at(-1)).toMatchObject({ host: HOST, path: "/oauth/token", status: 400 });
  });

  it("hears through the host's own event stream that an account is deleted, and ends the connection with all else", async () => {
    const { id, did } = await connected("eve");
    host.calls.length = 0;
    await host.deleteAccount(did);
    const told = async () => host.events.find((event) => event.did === did && event.status === "deleted");
    await expect
      .poll(told, { timeout: 10_000 })
      .toMatchObject({ type: expect.stringMatching(/#account$/), active: false });
    await world.admin("/bluesky/messages", asJetstreamTells(await told(), world.gateway.now()));
    await world.gateway.sweep();
    const requests = async () => {
      const { body } = await world.api("GET", "/v1/requests", world.key(SLUG));
      return (body as { readonly requests: readonly RequestShape[] }).requests.filter(
        ({ source }) => source === "bluesky/network",
      );
    };
    await expect.poll(async () => (await requests()).length, { timeout: 10_000 }).toBe(1);
    const [{ id: request } = { id: "" }] = await requests();
    const done = await world.until(SLUG, request, ({ tasks }) =>
      tasks.some(({ subprocessor, state }) => subprocessor === "bluesky" && state === "ended"),
    );
    // The person's own host is asked first whether it is so.
    expect(callsTo("/xrpc/com.atproto.sync.getRepoStatus").map(({ status, answer }) => [status, answer])).toEqual([
      [400, expect.stringContaining("RepoNotFound")],
    ]);
    expect(done.tasks.find(({ subprocessor }) => subprocessor === "bluesky")).toMatchObject({
      action: "revoke",
      outcome: "revoked",
    });
    await product.until(id, "ended");
  });

  it("deletes with the person's own grant what the product published for them, before the grant ends", async () => {
    const { id, did } = await connected("pia", { scopes: ["atproto", "transition:generic"] });
    const url = `https://${HOST}/xrpc/com.atproto.repo.createRecord`;
    const published = async (nonce?: string) => {
      const call = { method: "POST", url, ...(nonce !== undefined && { nonce }) };
      const { status, body } = await product.call("POST", `/v1/connections/${id}/token`, { call });
      expect(status, JSON.stringify(body)).toBe(200);
      const given = body as { readonly access_token: string; readonly token_type: string; readonly proof: string };
      const record = {
        $type: "app.bsky.feed.post",
        text: "meadow",
        createdAt: new Date(world.gateway.now()).toISOString(),
      };
      return host.answer(
        new Request(url, {
          method: "POST",
          headers: {
            authorization: `${given.token_type} ${given.access_token}`,
            dpop: given.proof,
            "content-type": "application/json",
          },
          body: JSON.stringify({ repo: did, collection: "app.bsky.feed.post", record }),
        }),
      );
    };
    const nonce = (await published())?.headers.get("dpop-nonce") ?? "";
    const { uri = "" } = ((await (await published(nonce))?.json()) ?? {}) as { readonly uri?: string };
    const seen = () => {
      const query = new URLSearchParams({
        repo: did,
        collection: "app.bsky.feed.post",
        rkey: uri.split("/").at(-1) ?? "",
      });
      return host.answer(new Request(`https://${HOST}/xrpc/com.atproto.repo.getRecord?${query}`));
    };
    expect((await seen())?.status).toBe(200);

    const objects = [{ subprocessor: "bluesky", type: "bluesky.post", id: uri }];
    expect((await product.call("POST", "/v1/subjects/subject-pia/objects", { objects })).status).toBe(201);
    const asked = { type: "erasure", subject: "subject-pia", unpublish: true };
    const { body } = await product.call("POST", "/v1/requests", asked);
    const { id: request } = body as { readonly id: string };
    const done = await world.until(SLUG, request, ({ tasks }) =>
      tasks.some(({ id: task, state }) => task === "bluesky.revoke" && state === "ended"),
    );
    const task = (of: string) => done.tasks.find((each) => each.id === `bluesky.${of}`);
    expect(task("unpublish")).toMatchObject({ outcome: "erased", level: "verified_absent" });
    expect(task("revoke")).toMatchObject({ outcome: "revoked" });
    expect(await (await seen())?.json()).toMatchObject({ error: "RecordNotFound" });
  });

  it("gives back what another person than the one who was named has granted", async () => {
    const [zoe, mallory] = ["zoe", "mallory"].map((name) => `${name}.${HOST}`);
    for (const handle of [zoe, mallory]) await host.createAccount(handle ?? "", PASSWORD);
    const start = await product.begin("bluesky", { site: zoe ?? "" });
    host.calls.length = 0;
    const to = await agrees(world, host, GATEWAY, start, { handle: mallory ?? "", password: PASSWORD });
    expect(to.searchParams.get("error")).toBe("account_unknown");
    expect(callsTo("/oauth/revoke").filter(({ status }) => status === 200)).toHaveLength(2);
  });

  it("shows why a revocation is not believed by its status: without the proof it is answered alike, and ends nothing", async () => {
    const { id } = await connected("amy");
    const { refresh_token: refresh = "" } = JSON.parse(
      callsTo("/oauth/token").findLast(({ status }) => status === 200)?.answer ?? "{}",
    ) as { readonly refresh_token?: string };
    const bare = new Request(`https://${HOST}/oauth/revoke`, {
      method: "POST",
      body: new URLSearchParams({ client_id: `${GATEWAY}/oauth/client-metadata/${SLUG}.json`, token: refresh }),
    });
    expect((await host.answer(bare))?.status).toBe(200);
    await world.advance(24 * HOUR);
    await world.gateway.sweep();
    await expect
      .poll(() => callsTo("/xrpc/com.atproto.server.getSession").at(-1)?.status, { timeout: 10_000 })
      .toBe(200);
    expect((await product.shown(id)).status).toBe("active");
  });
});

/** What Jetstream makes of a host's event of an account. https://github.com/bluesky-social/jetstream#example-events */
const asJetstreamTells = (event: HostEvent | undefined, now: number) => ({
  did: event?.did,
  time_us: now * 1000,
  kind: "account",
  account: { active: event?.active, status: event?.status, did: event?.did, seq: event?.seq, time: event?.time },
});
