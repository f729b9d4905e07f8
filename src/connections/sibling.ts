import { type Identity, sameIdentity } from "../contract/identity.ts";
import { isAbsent } from "../contract/integration.ts";
import { CONNECTION } from "../contract/oauth.ts";
import type { Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import type { KnownIdentity } from "../request/plan.ts";

/** Where a vendor ends all that an account has granted to a client at once: whom that would hit beside the one who is meant. */

type Reads = Pick<Ports, "store" | "integrations">;

/** Whose grants end together: those of one client, or of the project of a family. Undefined where nothing is granted. */
function clientOf({ integrations }: Reads, { tenant }: Context, subprocessor: string): string | undefined {
  const entry = tenant.subprocessors[subprocessor];
  const oauth = integrations.get(entry?.integration ?? "")?.oauth;
  if (oauth === undefined || isAbsent(oauth)) return undefined;
  const id = "id" in oauth.client ? (entry?.settings[oauth.client.id] ?? "") : "";
  return oauth.family === undefined ? id : `${oauth.family.name} ${oauth.family.project(id)}`;
}

/** An account, by the pseudonym under which its connections stand, and those of them that are meant. */
type Asked = { readonly subprocessor: string; readonly account: string; readonly except: readonly string[] };

/** Of each account, whether another connection of it is in use with the same client, and is not being ended as well. */
export async function haveSiblings(
  ports: Reads,
  context: Context,
  asked: readonly Asked[],
): Promise<readonly boolean[]> {
  const { n } = context.tenant;
  const members = await ports.store.ofAccounts(
    n,
    asked.map(({ account }) => account),
  );
  const others = asked.flatMap(({ subprocessor, except }, at) => {
    const client = clientOf(ports, context, subprocessor);
    return (members[at] ?? []).flatMap((member) => {
      const [name = "", id = ""] = member.split(" ");
      return except.includes(id) || clientOf(ports, context, name) !== client ? [] : [{ at, id }];
    });
  });
  const hashes = await ports.store.connections(others.map(({ id }) => ({ n, id })));
  const inUse = new Set(
    others
      .filter((_, index) => hashes[index]?.st === "active" || hashes[index]?.st === "unconfirmed")
      .map(({ at }) => at),
  );
  return asked.map((_, at) => inUse.has(at));
}

/**
 * The accounts by which a vendor could be told to end all that was granted, and which somebody else has connected too: of each person
 * that which is known. One round trip for all where nobody has, and none where no such vendor stands in the registry.
 */
export async function sharedAccounts(
  ports: Reads,
  context: Context,
  people: readonly (readonly KnownIdentity[])[],
): Promise<readonly (readonly KnownIdentity[])[]> {
  const reaching = Object.values(context.tenant.subprocessors).flatMap(({ id, integration: name }) => {
    const integration = ports.integrations.get(name);
    if (integration === undefined || isAbsent(integration.oauth) || integration.oauth.kills !== "account") return [];
    const { revoke } = integration.actions;
    const by = isAbsent(revoke) || revoke.by === "any" ? [] : revoke.by.filter((type) => type !== CONNECTION);
    return by.length === 0 ? [] : [{ id, by }];
  });
  const asked = await Promise.all(
    people.flatMap((known, at) =>
      reaching.flatMap(({ id: subprocessor, by }) =>
        known
          .filter(({ type }) => by.includes(type))
          .filter((identity) => identity.subprocessor === undefined || identity.subprocessor === subprocessor)
          .map(async ({ type, value }) => {
            const except = known.filter((each) => each.type === CONNECTION).map((each) => each.value);
            const account = await context.keys.pseudonym("index", { type, value });
            return { at, identity: { type, value, subprocessor }, subprocessor, account, except };
          }),
      ),
    ),
  );
  const shared = await haveSiblings(ports, context, asked);
  return people.map((_, at) =>
    asked.filter((each, index) => each.at === at && shared[index] === true).map(({ identity }) => identity),
  );
}

/** Whether this account is one of those, at this subprocessor. */
export const isShared = (shared: readonly KnownIdentity[], subprocessor: string, identity: Identity): boolean =>
  shared.some((each) => each.subprocessor === subprocessor && sameIdentity(each, identity));
