import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { documentOf, folder, newSigner, proofOf, quittance, REQUEST, receipt, type Signer } from "./support.ts";

const KEY = "qk_1_averysecretkeythatnobodymustsee0123456789abcde";
const file = folder();

type Handler = (request: IncomingMessage, reply: ServerResponse) => void;
type Served = { readonly server: Server; readonly origin: string; routes: Record<string, Handler>; seen: string[] };

/** A server on this machine that notes for each request its path and what it carried as authorisation. */
async function serve(): Promise<Served> {
  const served: { routes: Record<string, Handler>; seen: string[] } = { routes: {}, seen: [] };
  const server = createServer((request, reply) => {
    served.seen.push(`${request.url} ${request.headers.authorization ?? "-"}`);
    const handler = served.routes[request.url ?? ""];
    if (handler !== undefined) return handler(request, reply);
    reply.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return Object.assign(served, { server, origin: `http://127.0.0.1:${port}` });
}

const json =
  (content: unknown): Handler =>
  (_, reply) =>
    reply.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(content));
const redirect =
  (location: string): Handler =>
  (_, reply) =>
    reply.writeHead(302, { location }).end();

let signer: Signer;
let gateway: Served;
let other: Served;
let jws: string;
const path = `/v1/receipts/${REQUEST}`;
const url = () => `${gateway.origin}${path}`;

beforeAll(async () => {
  [signer, gateway, other] = await Promise.all([newSigner(), serve(), serve()]);
  jws = await signer.sign(await receipt({ iss: gateway.origin }));
});
beforeEach(() => {
  gateway.routes = {
    [path]: json(documentOf(jws)),
    "/.well-known/jwks.json": json({ keys: [signer.jwk] }),
  };
  other.routes = {};
  gateway.seen = [];
  other.seen = [];
});
afterAll(() => {
  for (const { server } of [gateway, other]) server.close();
});

/** Runs it, and makes sure that the key is nowhere in what was printed. */
async function run(args: readonly string[], env: Record<string, string> = {}) {
  const result = await quittance(["receipt", "verify", ...args], { env });
  expect(result.out + result.err).not.toContain(KEY);
  expect(result.out + result.err).not.toMatch(/\n\s+at /);
  return result;
}

describe("a receipt at an address", () => {
  it("holds, and the key goes with the receipt only", async () => {
    const { code, out } = await run([url(), "--key", KEY, "--identity", "email=ada@example.com"]);
    expect(code).toBe(0);
    expect(out).toContain(`✓ issuer: ${gateway.origin}`);
    expect(gateway.seen).toEqual([`${path} Bearer ${KEY}`, "/.well-known/jwks.json -"]);
  });

  it("takes the key from the environment, and asks for one where there is none", async () => {
    expect((await run([url()], { QUITTANCE_API_KEY: KEY })).code).toBe(0);
    for (const env of [{}, { QUITTANCE_API_KEY: "" }]) {
      const { code, err } = await run([url()], env);
      expect([code, err]).toEqual([2, expect.stringContaining("QUITTANCE_API_KEY")]);
    }
  });

  it("fetches the proof with the key from the same origin, and without it from another", async () => {
    const proof = await proofOf(signer, jws, 2, 3, { origin: `${gateway.origin}/log/acme-shop` });
    gateway.routes["/proof"] = json(proof);
    other.routes["/proof"] = json(proof);
    expect((await run([url(), "--key", KEY, "--proof", `${gateway.origin}/proof`])).code).toBe(0);
    expect(gateway.seen).toContain(`/proof Bearer ${KEY}`);
    expect((await run([url(), "--key", KEY, "--proof", `${other.origin}/proof`])).code).toBe(0);
    expect(other.seen).toEqual(["/proof -"]);
  });

  it("is not followed elsewhere, and neither are keys and proofs", async () => {
    other.routes = { [path]: json(documentOf(jws)), "/keys": json({ keys: [signer.jwk] }) };
    gateway.routes["/moved"] = redirect(`${other.origin}/keys`);
    const good = gateway.routes[path];
    gateway.routes[path] = redirect(`${other.origin}${path}`);
    const moved = await run([url(), "--key", KEY]);
    expect([moved.code, moved.err]).toEqual([2, expect.stringContaining("redirects are not followed")]);
    if (good !== undefined) gateway.routes[path] = good;
    for (const option of ["--jwks", "--proof"]) {
      const { code, err } = await run([url(), "--key", KEY, option, `${gateway.origin}/moved`]);
      expect([code, err]).toEqual([2, expect.stringContaining("redirects are not followed")]);
    }
    expect(other.seen).toEqual([]);
  });

  it("fails if it names another issuer, whose keys are not even asked for", async () => {
    const stranger = await newSigner();
    other.routes["/.well-known/jwks.json"] = json({ keys: [stranger.jwk] });
    gateway.routes[path] = json(documentOf(await stranger.sign(await receipt({ iss: other.origin }))));
    const { code, out } = await run([url(), "--key", KEY]);
    expect(code).toBe(1);
    expect(out).toContain(`✗ issuer: expected ${gateway.origin}, and it says ${other.origin}`);
    expect(out).toContain("✗ signature: not looked at");
    expect(other.seen).toEqual([]);
  });

  it("fails if it is about another request than the address", async () => {
    const elsewhere = path.replace("req_1a0", "req_1a1");
    gateway.routes[elsewhere] = json(documentOf(jws));
    const { code, out } = await run([`${gateway.origin}${elsewhere}`, "--key", KEY]);
    expect([code, out]).toEqual([1, expect.stringContaining("✗ document")]);
  });

  it("may be another's, where the caller says so", async () => {
    other.routes["/copy"] = json(documentOf(jws));
    const { code } = await run([`${other.origin}/copy`, "--key", KEY, "--issuer", gateway.origin]);
    expect(code).toBe(0);
    expect(gateway.seen).toEqual(["/.well-known/jwks.json -"]);
  });
});

describe("a receipt in a file", () => {
  it("has its keys fetched from the issuer that the caller names, without the API key", async () => {
    const { code } = await run([file(jws), "--issuer", `${gateway.origin}/`], { QUITTANCE_API_KEY: KEY });
    expect(code).toBe(0);
    expect(gateway.seen).toEqual(["/.well-known/jwks.json -"]);
  });

  it("is never believed about its issuer", async () => {
    const { code, err } = await run([file(jws)]);
    expect([code, err]).toEqual([2, expect.stringContaining("--issuer URL")]);
    const wrong = await run([file(jws), "--issuer", other.origin]);
    expect([wrong.code, wrong.out]).toEqual([1, expect.stringContaining("✗ issuer")]);
    expect([...gateway.seen, ...other.seen]).toEqual([]);
  });

  it("must be from the issuer that the caller names, also where keys are given", async () => {
    const args = [file(jws), "--jwks", file({ keys: [signer.jwk] }), "--offline"];
    expect((await run([...args, "--issuer", gateway.origin])).code).toBe(0);
    expect((await run([...args, "--issuer", "https://erasure.example.com"])).code).toBe(1);
  });

  it("may have its proof fetched, with the key", async () => {
    gateway.routes["/proof"] = json(await proofOf(signer, jws, 0, 1, { origin: `${gateway.origin}/log/acme-shop` }));
    const args = [file(jws), "--issuer", gateway.origin, "--proof", `${gateway.origin}/proof`, "--key", KEY];
    expect((await run(args)).code).toBe(0);
    expect(gateway.seen).toEqual(["/.well-known/jwks.json -", `/proof Bearer ${KEY}`]);
  });
});

describe("what cannot be read", () => {
  it("is said, with exit code 2 and without a trace", async () => {
    const answers =
      (status: number): Handler =>
      (request, reply) =>
        reply.writeHead(status).end(`you sent ${request.headers.authorization}`);
    for (const status of [204, 401, 403, 404, 500]) {
      gateway.routes[path] = answers(status);
      const { code, err } = await run([url(), "--key", KEY]);
      expect([code, err]).toEqual([2, expect.stringContaining(`answered ${status}`)]);
    }
    gateway.routes[path] = (request) => request.destroy();
    expect((await run([url(), "--key", KEY])).code).toBe(2);
    const nobody = await serve();
    await new Promise((resolve) => nobody.server.close(resolve));
    const refused = await run([`${nobody.origin}${path}`, "--key", KEY]);
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining("refused")]);
  });

  it("is an answer without end, which is cut off", async () => {
    gateway.routes[path] = (_, reply) => {
      const more = () => {
        while (!reply.destroyed && reply.write(Buffer.alloc(65_536, "a")));
        if (!reply.destroyed) reply.once("drain", more);
      };
      more();
    };
    const { code, err } = await run([url(), "--key", KEY]);
    expect([code, err]).toEqual([2, expect.stringContaining("is longer than")]);
  });

  it("is a key set that is none", async () => {
    for (const content of ["x", [], { keys: {} }, { keys: [{}] }]) {
      gateway.routes["/.well-known/jwks.json"] = json(content);
      const { code, err } = await run([url(), "--key", KEY]);
      expect([code, err]).toEqual([2, expect.stringContaining("the key set")]);
    }
  });
});
