import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connecting, GITHUB, GOOGLE, grantsAt } from "../support/connecting.ts";
import { DAY, HOUR, startWorld, type World } from "../support/world.ts";

const SLUG = "cloutmetrics";
const OTHER = "socra";

/** Which grants end, by whose word, and which stay. */
describe("the right connections end, and only those", () => {
  let world: World;
  let product: ReturnType<typeof connecting>;
  let accounts = 2000;
  const account = () => String(++accounts);
  beforeAll(async () => {
    world = await startWorld();
    product = connecting(world, SLUG);
    await product.allowReturn();
    await product.enter("github", "github", GITHUB);
    await product.enter("github-too", "github", GITHUB);
    await product.enter("github-other-app", "github", { ...GITHUB, clientId: "Iv1.fedcba9876543210" });
    await product.enter("sign-in", "openid", {
      issuer: "https://id.example.com",
      clientId: "quittance",
      clientSecret: "a secret of the tests",
    });
    const { body } = await product.call("GET", "/v1/subprocessors/sign-in");
    const redirect = (body as { readonly oauth: { readonly redirect_uri: string } }).oauth.redirect_uri;
    await world.admin("/seed", {
      vendor: "openid",
      client_id: "quittance",
      client_secret: "a secret of the tests",
      redirect_uris: [redirect],
    });
  });
  afterAll(() => world.stop());

  /** GitHub's own delivery, signed as GitHub signs. */
  const platformSays = async (person: string) => {
    const body = JSON.stringify({ action: "revoked", sender: { id: Number(person), login: "ada-example" } });
    const signature = createHmac("sha256", GITHUB.webhookSecret).update(body).digest("hex");
    const reply = await fetch(`${world.url}/hooks/${SLUG}/github/events`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-github-event": "github_app_authorization",
        "x-hub-signature-256": `sha256=${signature}`,
      },
      body,
    });
    expect(reply.status).toBe(202);
    const { body: listed } = await product.call("GET", "/v1/requests");
    type Listed = { readonly requests: readonly { readonly id: string; readonly source: string }[] };
    const told = (listed as Listed).requests.find(({ source }) => source === "github/events");
    return world.closed(SLUG, told?.id ?? "");
  };
  const status = async (id: string) => (await product.shown(id)).status;

  it("ends what a platform says is over, tries the dead token, and keeps its refusal as evidence", async () => {
    const { id, account: whose } = await product.connect("github", { account: account() });
    await world.admin("/seed", { vendor: "github", end: whose });
    const closed = await platformSays(whose);
    const [task] = closed.tasks.filter(({ subprocessor }) => subprocessor === "github");
    expect(task).toMatchObject({ action: "revoke", outcome: "not_found", level: "verified_absent" });
    expect(task?.evidence?.map(({ status: said }) => said)).toEqual([404]);
    expect(await status(id)).toBe("ended");
  });

  it("[I3] leaves a connection alone that is newer than what the platform tells of", async () => {
    const whose = account();
    const first = await product.connect("github", { account: whose, subject: `owner of ${whose}` });
    await product.disconnect(first.id);
    await world.advance(HOUR);
    const second = await product.connect("github", { account: whose, subject: `owner of ${whose}` });
    // GitHub signs no time, so its event counts from its arrival: an older one is told through the list of signals.
    const { body } = await product.call("POST", "/v1/subprocessors/github/signals", {
      type: "deauthorized",
      reference: `late ${whose}`,
      ids: [{ type: "github.user", value: whose, at: new Date(world.gateway.now() - HOUR / 2).toISOString() }],
    });
    expect(JSON.stringify(body)).toContain("superseded");
    expect(await status(second.id)).toBe("active");
    expect(await product.tokenOf(second.id)).not.toBe("");
  });

  it("ends the one of two accounts that a person disconnects, and not the other", async () => {
    const subject = "two accounts";
    const one = await product.connect("github", { subject, account: account() });
    const two = await product.connect("github", { subject, account: account() });
    await product.disconnect(one.id);
    expect([await status(one.id), await status(two.id)]).toEqual(["ended", "active"]);
    expect(await grantsAt(world, "github", two.account)).toHaveLength(1);
    await platformSays(two.account);
    expect(await status(two.id)).toBe("ended");
  });

  it("does not revoke for one what the vendor would end for another that is in use: the last one ends it", async () => {
    const whose = account();
    const one = await product.connect("github", { subject: "first of two", account: whose });
    const two = await product.connect("github-too", { subject: "second of two", account: whose });
    const first = await product.disconnect(one.id);
    expect(first.tasks.filter(({ subprocessor }) => subprocessor === "github")).toMatchObject([
      { outcome: "stopped", reason: expect.stringContaining("another connection of this account") },
    ]);
    expect(await grantsAt(world, "github", whose)).toHaveLength(2);
    expect(await product.tokenOf(two.id)).not.toBe("");
    const second = await product.disconnect(two.id);
    expect(second.tasks.filter(({ subprocessor }) => subprocessor === "github-too")).toMatchObject([
      { outcome: "revoked" },
    ]);
    expect(await grantsAt(world, "github", whose)).toHaveLength(0);
  });

  it("does not end another person's by the account that both have connected, though it knows the first by it", async () => {
    const appId = "990602627938111";
    await product.enter("fb", "facebook", { appId, appSecret: "aaaabbbbccccdddd0000111122223333" });
    const whose = account();
    const ida = await product.connect("fb", { subject: "Ida, who manages it", account: whose });
    const jon = await product.connect("fb", { subject: "Jon, who manages it too", account: whose });
    const erasure = async (subject: string) => {
      const { body } = await product.call("POST", "/v1/requests", { type: "erasure", subject });
      const { id } = body as { readonly id: string };
      const seen = await world.until(SLUG, id, ({ tasks }) =>
        tasks.some(({ subprocessor, state }) => subprocessor === "fb" && state === "ended"),
      );
      return seen.tasks.find(({ subprocessor }) => subprocessor === "fb");
    };
    expect(await erasure(ida.subject)).toMatchObject({ action: "revoke", outcome: "stopped" });
    expect(await grantsAt(world, "facebook", whose)).toHaveLength(2);
    expect(await status(jon.id)).toBe("active");
    expect(await product.tokenOf(jon.id)).not.toBe("");
    expect(await erasure(jon.subject)).toMatchObject({ action: "revoke", outcome: "revoked" });
    expect(await grantsAt(world, "facebook", whose)).toHaveLength(0);
  });

  it("[I3] does not end what another person connects while the first one's revocation waits", async () => {
    const appId = "990602627938112";
    await product.enter("fb-late", "facebook", { appId, appSecret: "aaaabbbbccccdddd0000111122223333" });
    const whose = account();
    const ida = await product.connect("fb-late", { subject: "Ida, who posted", account: whose });
    const objects = [{ subprocessor: "fb-late", type: "facebook.post", id: "1_1" }];
    await product.call("POST", `/v1/subjects/${encodeURIComponent(ida.subject)}/objects`, { objects });
    const body = { type: "erasure", subject: ida.subject, unpublish: true };
    const { id } = (await product.call("POST", "/v1/requests", body)).body as { readonly id: string };
    const seen = (of: string, state: string) =>
      world.until(SLUG, id, ({ tasks }) => tasks.some((task) => task.id === `fb-late.${of}` && task.state === state));
    await seen("unpublish", "stuck");
    const jon = await product.land("fb-late", whose);
    const consent = { at: new Date(world.gateway.now()).toISOString(), reference: "asked on the settings page" };
    const taken = await product.confirm(jon.id, { code: jon.code, subject: "Jon, who came meanwhile", consent });
    expect(taken.status, JSON.stringify(taken.body)).toBe(200);
    const ended = { outcome: "manual_done", reason: "deleted by its author" };
    await world.advance(2 * 60_000);
    await product.call("POST", `/v1/requests/${id}/tasks/fb-late.unpublish/complete`, ended);
    const { tasks } = await seen("revoke", "ended");
    expect(tasks.find((task) => task.id === "fb-late.revoke")).toMatchObject({ outcome: "stopped" });
    expect(await grantsAt(world, "facebook", whose)).not.toHaveLength(0);
    expect(await status(jon.id)).toBe("active");
  });

  it("keeps a sign-in alive when YouTube, under the same Google grant, is disconnected; its end ends all", async () => {
    const whose = "100000000000000000077";
    await product.enter("google-sign-in", "google", GOOGLE);
    const youtube = { ...GOOGLE, clientId: "123456789-video.apps.googleusercontent.com" };
    await product.enter("youtube-videos", "youtube", youtube);
    const subject = "signs in with Google";
    const signIn = await product.connect("google-sign-in", { subject, account: whose });
    const videos = await product.connect("youtube-videos", { subject, account: whose });
    const first = await product.disconnect(videos.id);
    expect(first.tasks.filter((task) => task.subprocessor === "youtube-videos")).toMatchObject([
      { outcome: "stopped", reason: expect.stringContaining("another connection of this account") },
    ]);
    expect(await product.tokenOf(signIn.id)).not.toBe("");
    expect(await grantsAt(world, "google", whose)).toHaveLength(2);
    const last = await product.disconnect(signIn.id);
    expect(last.tasks.filter((task) => task.subprocessor === "google-sign-in")).toMatchObject([{ outcome: "revoked" }]);
    expect(await grantsAt(world, "google", whose)).toHaveLength(0);
  });

  it("[I6] counts another app of the same vendor, and another tenant, as somebody else", async () => {
    const whose = account();
    const elsewhere = connecting(world, OTHER);
    await elsewhere.allowReturn();
    await elsewhere.enter("github", "github", { ...GITHUB, clientId: "Iv1.00000000000000ff" });
    const own = await product.connect("github", { account: whose });
    const app = await product.connect("github-other-app", { account: whose });
    const theirs = await elsewhere.connect("github", { account: whose });
    expect((await elsewhere.call("GET", `/v1/connections/${own.id}`)).status).toBe(404);
    expect((await elsewhere.call("DELETE", `/v1/connections/${own.id}`)).status).toBe(404);
    expect((await elsewhere.token(own.id)).status).toBe(404);
    const closed = await product.disconnect(own.id);
    expect(closed.tasks).toMatchObject([{ outcome: "revoked" }]);
    expect([await status(app.id), (await elsewhere.shown(theirs.id)).status]).toEqual(["active", "active"]);
    expect(await product.tokenOf(app.id)).not.toBe("");
    expect(await elsewhere.tokenOf(theirs.id)).not.toBe("");
  });

  it("ends all of a person's with one erasure, two that one account shares included", async () => {
    const [whose, subject] = [account(), "leaves for good"];
    const one = await product.connect("github", { subject, account: whose });
    const two = await product.connect("github-too", { subject, account: whose });
    const stays = await product.connect("github", { account: account() });
    await product.call("POST", "/v1/requests", { type: "erasure", subject });
    await product.until(one.id, "ended");
    await product.until(two.id, "ended");
    expect(await grantsAt(world, "github", whose)).toHaveLength(0);
    expect(await status(stays.id)).toBe("active");
    expect((await product.token(one.id)).status).toBe(409);
  });

  it("does not take up an erased person's account again without a fresh consent", async () => {
    const [whose, subject] = [account(), "was erased"];
    await product.connect("github", { subject, account: whose });
    const { body } = await product.call("POST", "/v1/requests", {
      type: "erasure",
      subject,
      identities: [{ type: "github.user", value: whose }],
    });
    const request = (body as { readonly id: string }).id;
    const open = await world.until(SLUG, request, ({ tasks }) => tasks.some(({ id }) => id === "github.revoke"));
    for (const task of open.tasks)
      if (task.subprocessor !== "github")
        await product.call("POST", `/v1/requests/${request}/tasks/${task.id}/complete`, {
          outcome: "not_found",
          note: "a test",
        });
    await product
      .call("POST", `/v1/suppressions/check`, { identities: [{ type: "github.user", value: whose }] })
      .then(({ body: checked }) => expect(checked).toEqual({ suppressed: [true] }));
    const again = await product.land("github", whose);
    const refused = await product.confirm(again.id, { code: again.code, subject: "came back" });
    expect(refused).toMatchObject({ status: 409, body: { detail: expect.stringContaining("erased") } });
    const consent = { at: new Date(world.gateway.now()).toISOString(), reference: "asked on the settings page" };
    const taken = await product.confirm(again.id, { code: again.code, subject: "came back", consent });
    expect(taken, JSON.stringify(taken.body)).toMatchObject({ status: 200, body: { status: "active" } });
  });

  it("notices within a day that a grant was removed at a vendor that tells nobody", async () => {
    const { id, account: whose } = await product.connect("sign-in");
    const token = await product.tokenOf(id);
    await world.sandbox.fetch(
      new Request("https://id.example.com/token/revocation", {
        method: "POST",
        headers: {
          authorization: `Basic ${btoa("quittance:a+secret+of+the+tests")}`,
          "content-type": "application/x-www-form-urlencoded",
        },
        body: new URLSearchParams({ token }).toString(),
      }),
    );
    expect(await status(id), whose).toBe("active");
    // Its refresh token lives: only the look at the access token tells.
    await world.advance(45 * 60_000);
    expect(await status(id)).toBe("active");
    await world.advance(DAY);
    await product.until(id, "ended");
  });

  it("ends a connection whose refresh token the vendor refuses, and tells the product so", async () => {
    const { id, account: whose } = await product.connect("github", { account: account() });
    await world.admin("/seed", { vendor: "github", end: whose });
    await world.advance(9 * HOUR);
    expect(await product.token(id)).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining("is over") },
    });
    await product.until(id, "ended");
  });
});
