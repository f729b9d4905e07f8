import { CONNECTION } from "../contract/oauth.ts";
import type { Ports } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import { dueByTerms, type Entry, record } from "../request/record.ts";
import { dropped, type StepVerb } from "../request/step.ts";
import { connectionIdentity } from "./connection.ts";

/** Opens the request that revokes a connection: one, however often it is asked for. */
export async function disconnect(
  ports: Ports,
  context: Context,
  connection: { readonly id: string; readonly subprocessor: string },
  /** The product, or the gateway's own look after connections. */
  by: "product" | "gateway",
): Promise<Entry | undefined> {
  const { id, subprocessor } = connection;
  const [entry] = await record(ports, context, () => [
    {
      type: "revocation",
      source: by === "product" ? "api" : `${subprocessor}/${CONNECTION}`,
      delivery: `disconnect ${id}`,
      authority: "here",
      identities: [connectionIdentity(id, subprocessor)],
      scope: subprocessor,
      ...dueByTerms(ports, context, subprocessor),
    },
  ]);
  return entry;
}

/** A connection that nobody has confirmed in time is nobody's: it is revoked. */
export const unconfirmed: StepVerb = async (ports, context, _token, steps) => {
  const { n, slug } = context.tenant;
  const hashes = await ports.store.connections(steps.map(({ subject: id }) => ({ n, id })));
  for (const [index, { subject: id, order }] of steps.entries()) {
    const { st, p: subprocessor, s: subject } = hashes[index] ?? {};
    // An earlier attempt may have got as far as to shut it, and no further.
    const isShut = st === "ending" && subject === undefined && order.attempt > 1;
    if ((st !== "unconfirmed" && !isShut) || subprocessor === undefined) continue;
    await ports.store.ending(n, [id]);
    await disconnect(ports, context, { id, subprocessor }, "gateway");
    ports.log("connection_unconfirmed", { tenant: slug, subprocessor, connection: id });
  }
  return { settlements: steps.map(({ order }) => dropped(order)), woken: [] };
};
