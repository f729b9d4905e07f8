import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { customers } from "../../dev/customers.ts";
import { accountIdOf, type Person as Held } from "../../dev/holders.ts";
import * as integrations from "../../integrations/index.ts";
import { type Integration, isAbsent } from "../../src/contract/integration.ts";
import { connecting, grantsAt } from "../support/connecting.ts";
import { ends, expectOnlyRetained, newestFrom, outcomesOf } from "../support/erased.ts";
import { sendingTo } from "../support/send.ts";
import { type RequestShape, startWorld, type World } from "../support/world.ts";

/** Where people connect accounts at the reference customers: which stand-in holds the grants, and how the revocation ends. */
const platforms: Readonly<Record<string, { readonly standIn: string; readonly ends: string }>> = {
  facebook: { standIn: "facebook", ends: "revoked revoked" },
  google: { standIn: "google", ends: "revoked revoked" },
  // These two have no call that ends a grant: the tokens are destroyed here, and the receipt says no more.
  instagram: { standIn: "instagram", ends: "stopped attested" },
  linkedin: { standIn: "linkedin", ends: "stopped attested" },
  tiktok: { standIn: "tiktok", ends: "revoked revoked" },
  x: { standIn: "x", ends: "revoked revoked" },
  youtube: { standIn: "google", ends: "revoked revoked" },
};

const TOKENS_REVOKED = "https://schemas.openid.net/secevent/oauth/event-type/tokens-revoked";

const platformsOf = (slug: string): readonly string[] =>
  Object.keys(customers.find((each) => each.slug === slug)?.subprocessors ?? {}).filter((id) => id in platforms);

/** Each customer with the accounts that its people connect, as its registry has them. */
describe("the accounts that people connect at the reference customers, through the deployed bundle", () => {
  let world: World;
  let sending: ReturnType<typeof sendingTo>;
  beforeAll(async () => {
    world = await startWorld();
    sending = sendingTo(world);
    for (const { slug } of customers) await connecting(world, slug).allowReturn();
  });
  afterAll(async () => {
    sending.stop();
    await world.stop();
  });

  const connectAll = async (slug: string, person: Held) => {
    const product = connecting(world, slug);
    const made: { readonly platform: string; readonly id: string; readonly account: string }[] = [];
    for (const platform of platformsOf(slug)) {
      const account = accountIdOf(platform, person);
      const { id } = await product.connect(platform, { subject: person.id, account });
      made.push({ platform, id, account });
    }
    return made;
  };
  const grants = (platform: string, account: string) =>
    grantsAt(world, platforms[platform]?.standIn ?? "", account).then(({ length }) => length);

  it("are at every platform that their policies name and that has OAuth", () => {
    const withOauth = new Set(
      Object.values<Integration>(integrations)
        .filter(({ oauth }) => !isAbsent(oauth))
        .map(({ id }) => id),
    );
    for (const name of Object.keys(platforms)) expect(withOauth, name).toContain(name);
    expect(Object.fromEntries(customers.map(({ slug }) => [slug, platformsOf(slug)]))).toEqual({
      cloutmetrics: ["linkedin", "x", "instagram", "tiktok", "facebook"],
      "isocial-track": ["facebook", "x", "instagram"],
      imai: ["instagram", "tiktok", "youtube", "google"],
      socra: ["google"],
      "smart-blog-system": [],
    });
  });

  it.each(customers)(
    "[CM-1 IS-1 IM-4 SO-1] end with the erasure of a person at $name, and only what is retained is left",
    async ({ slug }) => {
      const person = await world.person(slug, `cora-${slug}`);
      const made = await connectAll(slug, person);
      for (const { platform, account } of made) expect(await grants(platform, account), platform).toBe(1);
      const { body } = await world.api("POST", "/v1/requests", world.key(slug), {
        type: "erasure",
        subject: person.id,
      });
      const closed = await world.closed(slug, (body as RequestShape).id);
      expect(closed.complete).toBe(true);
      const revoked = made.map(({ platform }) => [`${platform}.revoke`, platforms[platform]?.ends]);
      expect(outcomesOf(closed)).toEqual({ ...ends[slug]?.tasks, ...Object.fromEntries(revoked) });
      await expectOnlyRetained(world, slug, person.email);
      const product = connecting(world, slug);
      for (const { platform, id, account } of made) {
        expect((await product.shown(id)).status, platform).toBe("ended");
        expect((await product.token(id)).status, platform).toBe(409);
        const isOver = platforms[platform]?.ends.startsWith("revoked") === true;
        expect(await grants(platform, account), platform).toBe(isOver ? 0 : 1);
      }
    },
  );

  const words = [
    { slug: "cloutmetrics", platform: "facebook", endpoint: "deauthorize", event: "deauthorize" },
    { slug: "cloutmetrics", platform: "instagram", endpoint: "deauthorize", event: "deauthorize" },
    { slug: "cloutmetrics", platform: "tiktok", endpoint: "webhooks", event: "authorization.removed (1)" },
    { slug: "cloutmetrics", platform: "x", endpoint: "webhooks", event: "oauth.revoke" },
    { slug: "imai", platform: "google", endpoint: "security-events", event: TOKENS_REVOKED },
    { slug: "imai", platform: "youtube", endpoint: "security-events", event: TOKENS_REVOKED },
    { slug: "socra", platform: "google", endpoint: "security-events", event: TOKENS_REVOKED },
  ];
  it.each(words)(
    "[CM-1 IM-4 SO-1] end at $slug when $platform says that a grant is over, and own systems hear of it",
    async ({ slug, platform, endpoint, event }) => {
      const person = await world.person(slug, `dora-${platform}-${slug}`);
      const product = connecting(world, slug);
      const account = accountIdOf(platform, person);
      const { id } = await product.connect(platform, { subject: person.id, account });
      await world.advance(60_000);
      const now = new Date(world.gateway.now()).toISOString();
      const sent = await sending.send(
        platform,
        event,
        ...["--tenant", slug, "--endpoint", endpoint, "--id", account, "--at", now],
      );
      expect(sent.code).toBe(0);
      const closed = await world.closed(slug, await newestFrom(world, slug, `${platform}/${endpoint}`));
      const told = closed.tasks.filter(({ subprocessor }) => subprocessor !== platform);
      expect(told.map(({ action, outcome }) => `${action} ${outcome}`)).toContain("revoke revoked");
      expect((await product.shown(id)).status).toBe("ended");
      expect((await product.token(id)).status).toBe(409);
      expect(await world.held(person.email), "the end of a grant is no erasure").not.toEqual([]);
    },
  );
});
