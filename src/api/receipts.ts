import { Hono } from "hono";
import { base64url } from "jose";
import { parseRequestId } from "../ids.ts";
import { problemResponse } from "../problem.ts";
import { closedRecord, expand } from "../request/compact.ts";
import { rfc3339 } from "../request/deadline.ts";
import { inclusionProof, leafHash, rootOf } from "../request/log.ts";
import { type Authorised, requires } from "./auth.ts";

/** Receipts and the proof that each stands in the tenant's log. */
export const receipts = () => {
  const app = new Hono<Authorised>();

  app.get("/v1/receipts/:request", requires("read"), async (c) => {
    const { ports, tenant: context } = c.var;
    const parsed = parseRequestId(c.req.param("request"));
    if (parsed?.n !== context.tenant.n) return problemResponse(c, { reason: "not_found", what: "such receipt" });
    const [hash] = await ports.store.load([parsed]);
    const closed = hash?.c === undefined ? undefined : closedRecord(hash.c);
    const packed = closed?.packed ?? hash?.in;
    if (packed === undefined) return problemResponse(c, { reason: "not_found", what: "receipt yet" });
    const jws = await expand(packed);
    if (c.req.header("accept")?.includes("application/jose") === true)
      return c.body(jws, 200, { "content-type": "application/jose", "cache-control": "private, max-age=60" });
    return c.json({
      request: parsed.id,
      final: closed !== undefined,
      receipt: jws,
      // With the salt and an identity anyone can find out whether the receipt speaks of it; it is for the person and the controller.
      salt: await context.keys.derive("receipt", parsed.id),
      jwks: `${ports.origin}/.well-known/jwks.json`,
      ...(closed !== undefined && { log: { index: closed.index, proof: `/v1/log/proofs/${parsed.id}` } }),
    });
  });

  app.get("/v1/log/checkpoint", requires("read"), async (c) => {
    const { ports, tenant: context } = c.var;
    return c.json(await headOf(ports, context.tenant.slug, await leavesOf(ports, context.tenant.n)));
  });

  app.get("/v1/log/proofs/:request", requires("read"), async (c) => {
    const { ports, tenant: context } = c.var;
    const parsed = parseRequestId(c.req.param("request"));
    const [hash] = parsed?.n === context.tenant.n ? await ports.store.load([parsed]) : [];
    if (hash?.c === undefined) return problemResponse(c, { reason: "not_found", what: "entry in the log" });
    const { index } = closedRecord(hash.c);
    const leaves = await leavesOf(ports, context.tenant.n);
    const path = await inclusionProof(index, leaves);
    const head = await headOf(ports, context.tenant.slug, leaves);
    return c.json({ index, path: path.map((each) => base64url.encode(each)), ...head });
  });

  return app;
};

type Ports = Authorised["Variables"]["ports"];

const leavesOf = async (ports: Ports, n: Authorised["Variables"]["tenant"]["tenant"]["n"]) =>
  Promise.all((await ports.store.log(n)).map((leaf) => leafHash(base64url.decode(leaf))));

/** The tree's head, signed with the receipt key, so that whoever keeps it can tell later whether history was rewritten. */
async function headOf(ports: Ports, tenant: string, leaves: Awaited<ReturnType<typeof leavesOf>>) {
  const root = base64url.encode(await rootOf(leaves));
  const head = { origin: `${ports.origin}/log/${tenant}`, size: leaves.length, root, at: rfc3339(ports.now()) };
  return { ...head, signed: await ports.signing.sign("quittance-checkpoint+jwt", JSON.stringify(head)) };
}
