import { CompactSign } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import {
  billing,
  CHECKPOINT_TYP,
  documentOf,
  folder,
  ISSUER,
  newSigner,
  proofOf,
  quittance,
  REQUEST,
  receipt,
  SALT,
  type Signer,
  task,
} from "./support.ts";

const file = folder();
let signer: Signer;
let jws: string;
let jwks: string;

beforeAll(async () => {
  signer = await newSigner();
  jws = await signer.sign(await receipt());
  jwks = file({ keys: [(await newSigner()).jwk, signer.jwk] });
});

const verify = (content: unknown, ...more: readonly string[]) =>
  quittance(["receipt", "verify", file(content), "--jwks", jwks, "--offline", ...more]);
const signed = async (over: Parameters<typeof receipt>[0]) => signer.sign(await receipt(over));

/** That it fails, at this check and with these words, and without a trace. */
async function refuses(content: unknown, check: string, words: RegExp, ...more: readonly string[]) {
  const { code, out, err } = await verify(content, ...more);
  expect(out.split("\n").find((line) => line.startsWith(`✗ ${check}:`))).toMatch(words);
  expect(out).toContain("does not hold");
  expect(out + err).not.toMatch(/\n\s+at /);
  expect(code).toBe(1);
}

describe("a genuine receipt", () => {
  it("holds, as a bare JWS and as the API's document", async () => {
    for (const content of [jws, `${jws}\n`, documentOf(jws), `\uFEFF${JSON.stringify(documentOf(jws))}`]) {
      const { code, out, err } = await verify(content);
      expect(err).toBe("");
      expect(out).toContain("This receipt holds. The request is complete.");
      expect(out).not.toContain("✗");
      expect(code).toBe(0);
    }
  });

  it("holds from standard input", async () => {
    const { code } = await quittance(["receipt", "verify", "-", "--jwks", jwks], { stdin: jws });
    expect(code).toBe(0);
  });

  it("says who, what, when, what is kept until when and why, and the evidence", async () => {
    const { out } = await verify(documentOf(jws));
    expect(out).toMatch(/what +erasure, asked for through api/);
    expect(out).toMatch(/who +1 subject reference, of the controller acme-shop/);
    expect(out).toMatch(/received +2026-03-01T08:00:00.000Z/);
    expect(out).toMatch(/complete +yes/);
    expect(out).toMatch(/acme +erase +erased +verified_absent +all +2026-03-02T10:00:00.000Z/);
    expect(out).toMatch(/billing +invoices +until 2036-12-31T22:59:59.999Z +ground: tax_law/);
    expect(out).toMatch(/DELETE +api\.acmemail\.example\/v2\/contacts\/\{id\} +204 +2026-03-02T09:59:59.000Z/);
    expect(out).toContain("gone from backups too by 2026-04-01T10:00:01.000Z");
  });

  it("says what it was given nothing to check with", async () => {
    const { out } = await verify(jws);
    expect(out).toContain("not checked: whom it is about");
    expect(out).toContain("not checked: its place in the log");
  });

  it("holds under the older name of the algorithm", async () => {
    expect((await verify(await signer.sign(await receipt(), { alg: "EdDSA" }))).code).toBe(0);
  });

  it("passes over members that are not known here, and shows them in JSON", async () => {
    const moody = { ...task(), mood: "good" };
    const later = await signed({ colour: "blue", tasks: [moody] });
    const { code, out } = await verify(later, "--json");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ holds: true, receipt: { colour: "blue", tasks: [{ mood: "good" }] } });
  });

  it("can hold and not be complete, and says both", async () => {
    const tasks = [
      task(),
      task({ id: "b", outcome: "unresolved", level: "failed", reason: "nobody answered", by: "policy" }),
    ];
    const { code, out } = await verify(await signed({ complete: false, tasks }));
    expect(out).toContain("This receipt holds. The request is not complete.");
    expect(out).toContain("no: 1 of 2 tasks refused, unresolved or not ended");
    expect(out).toMatch(/acme +nobody answered, by policy/);
    expect(code).toBe(0);
  });

  it("is coloured only where colours are wanted, and cannot colour the screen itself", async () => {
    const tricky = file(await signed({ tasks: [task({ reason: "\u001b[2J\u202Egone" }), billing] }));
    const args = ["receipt", "verify", tricky, "--jwks", jwks];
    expect((await quittance(args)).out).not.toContain("\u001b");
    expect((await quittance(args)).out).toContain("\\u001b[2J\\u202egone");
    expect((await quittance(args, { colours: true })).out).toContain("\u001b[32m✓ signature");
  });
});

describe("the signature", () => {
  it.each([0, 1, 2])("fails with any kind of character changed in part %i", async (part) => {
    const text = jws.split(".")[part] ?? "";
    const kinds = [/[A-Z]/, /[a-z]/, /[0-9]/];
    const places = [0, text.length - 1, ...kinds.map((kind) => text.search(kind))].filter((at) => at >= 0);
    for (const at of places)
      for (const other of ["A", "z", "0", "-", "_", "=", "+", " ", "é"]) {
        if (text[at] === other) continue;
        const parts = jws.split(".");
        parts[part] = text.slice(0, at) + other + text.slice(at + 1);
        const { code, out } = await verify(parts.join("."));
        expect([code, /✗ (form|type|algorithm|signature):/.test(out)], `${part} ${at} ${other}`).toEqual([1, true]);
      }
  });

  it("fails with stray bits after the last byte, which is another text for the same signature", async () => {
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const last = alphabet.indexOf(jws.at(-1) ?? "");
    await refuses(jws.slice(0, -1) + alphabet[last + 1], "form", /signature is not base64url/);
  });

  it("fails with a part missing, added or empty", async () => {
    const [header, payload, signature] = jws.split(".");
    for (const text of [`${header}.${payload}`, `${jws}.x`, "", "..", "hello"])
      await refuses(text, "form", /JWS|base64url|JSON/);
    await refuses(`${header}.${payload}.`, "signature", /not by the published key/);
    await refuses(`${header}..${signature}`, "form", /payload/);
  });

  it("fails for another type of token", async () => {
    for (const typ of ["JWT", CHECKPOINT_TYP, "Quittance-Receipt+jwt"])
      await refuses(await signer.sign(await receipt(), { typ }), "type", /expected quittance-receipt\+jwt/);
  });

  it("fails for alg none, with and without the old signature", async () => {
    const [, payload, signature] = jws.split(".");
    const header = Buffer.from(JSON.stringify({ alg: "none", kid: signer.kid, typ: "quittance-receipt+jwt" }));
    for (const end of ["", signature])
      await refuses(`${header.toString("base64url")}.${payload}.${end}`, "algorithm", /found none/);
  });

  it("fails for HS256 with the public key as its secret", async () => {
    const claims = new TextEncoder().encode(JSON.stringify(await receipt()));
    for (const secret of [Buffer.from(signer.x), Buffer.from(signer.x, "base64url")]) {
      const forged = await new CompactSign(claims)
        .setProtectedHeader({ alg: "HS256", kid: signer.kid, typ: "quittance-receipt+jwt" })
        .sign(secret);
      await refuses(forged, "algorithm", /expected Ed25519, and found HS256/);
    }
  });

  it("fails for a key that is not published, and for one that only the header brings", async () => {
    const stranger = await newSigner();
    await refuses(await stranger.sign(await receipt()), "signature", /no published key has the id/);
    await refuses(
      await stranger.sign(await receipt(), { kid: signer.kid }),
      "signature",
      /is not by the published key/,
    );
    await refuses(await stranger.sign(await receipt(), { jwk: stranger.jwk }), "signature", /no published key/);
  });

  it("fails where the published key is not for signing receipts", async () => {
    const odd: readonly object[] = [
      { ...signer.jwk, use: "enc" },
      { ...signer.jwk, kty: "EC" },
      { ...signer.jwk, alg: "ES256" },
      { ...signer.jwk, x: "AAAA" },
      { kty: "OKP", kid: signer.kid },
    ];
    for (const key of odd) {
      const { code, out } = await quittance(["receipt", "verify", file(jws), "--jwks", file({ keys: [key] })]);
      expect(out).toMatch(/✗ signature: the published key .* is not an Ed25519 key/);
      expect(code).toBe(1);
    }
  });

  it("fails for a header that demands extensions", async () => {
    const [, payload, signature] = jws.split(".");
    const header = Buffer.from(
      JSON.stringify({ alg: "Ed25519", kid: signer.kid, typ: "quittance-receipt+jwt", crit: ["x"] }),
    );
    await refuses(`${header.toString("base64url")}.${payload}.${signature}`, "form", /extensions/);
  });

  it("leaves unread what is not proven", async () => {
    const { out } = await verify(await (await newSigner()).sign(await receipt()), "--json");
    expect(JSON.parse(out)).not.toHaveProperty("receipt");
    expect(out).not.toContain("acme-shop");
  });
});

describe("the claims", () => {
  it.each<[string, Record<string, unknown>, RegExp]>([
    ["a missing member", { tenant: undefined }, /receipt\.tenant: expected text/],
    ["an issuer that is no origin", { iss: "https://erasure.example.com/x" }, /receipt\.iss/],
    ["a plain http issuer", { iss: "http://erasure.example.com" }, /receipt\.iss/],
    ["a time without a zone", { closed_at: "2026-03-02T10:00:01" }, /receipt\.closed_at/],
    ["a day that does not exist", { due_at: "2026-13-41T10:00:01Z" }, /receipt\.due_at/],
    ["a fraction of a second", { iat: 1.5 }, /receipt\.iat/],
    ["complete as text", { complete: "true" }, /receipt\.complete/],
    ["another jti", { jti: "req_other" }, /receipt\.jti/],
    ["a subject in the clear", { sub: ["ada@example.com"] }, /receipt\.sub\[0\]: expected a subject reference/],
    ["tasks that are none", { tasks: [null] }, /receipt\.tasks\[0\]: expected an object/],
    ["one task twice", { tasks: [task(), task()] }, /one id stands twice/],
    ["an end without a time", { tasks: [{ ...task(), at: undefined }] }, /receipt\.tasks\[0\]\.at/],
    [
      "something kept without a ground",
      { tasks: [task({ retained: [{ category: "a", until: "2030-01-01T00:00:00Z", ground: "" }] })] },
      /retained\[0\]\.ground/,
    ],
  ])("fail with %s", async (_, over, words) => {
    await refuses(await signed(over), "claims", words);
  });
});

describe("complete", () => {
  const open = ["waiting", "queued", "accepted", "manual", "stuck", "in_flight", "refused", "unresolved", "beamed_up"];

  it.each(open)("is a lie beside a task that is %s", async (outcome) => {
    const tasks = [task(), task({ id: "b.erase", outcome, level: "pending" })];
    await refuses(await signed({ tasks }), "complete", new RegExp(`says complete, and b.erase is ${outcome}`));
  });

  it("is a lie beside a level that nobody answered for, without a task, and in an interim receipt", async () => {
    await refuses(await signed({ tasks: [task({ level: "failed" })] }), "complete", /says complete/);
    await refuses(await signed({ tasks: [] }), "complete", /has no task/);
    await refuses(await signed({ jti: `${REQUEST}.interim` }), "complete", /it is interim/);
  });

  it("must not be denied either", async () => {
    await refuses(await signed({ complete: false }), "complete", /says not complete, and every task has ended/);
  });

  it("is never said of an interim receipt, which still holds", async () => {
    const interim = await signed({ jti: `${REQUEST}.interim`, complete: false, tasks: [task()] });
    const { code, out } = await verify(documentOf(interim, { final: false }));
    expect(code).toBe(0);
    expect(out).toContain("Interim receipt");
    expect(out).toContain("The request is not complete.");
    expect(out).toContain("none is destroyed yet");
  });
});

describe("what came with the receipt", () => {
  it("must be about the same request, and as final", async () => {
    await refuses(documentOf(jws, { request: "req_other" }), "document", /about req_other/);
    await refuses(documentOf(jws, { final: false }), "document", /not final/);
    await refuses(documentOf(jws, { receipt: 7 }), "form", /document\.receipt/);
    await refuses({ type: "about:blank", status: 404 }, "form", /document\.request/);
    await refuses("{", "form", /not JSON/);
  });
});

describe("an identity", () => {
  it("is found in whatever spelling", async () => {
    for (const value of ["ada@example.com", " Ada@Example.COM "]) {
      const { code, out } = await verify(documentOf(jws), "--identity", `email=${value}`);
      expect(out).toContain("✓ identity email");
      expect(code).toBe(0);
    }
    expect((await verify(jws, "--identity", "email=ada@example.com", "--salt", SALT)).code).toBe(0);
  });

  it("is the known answer of HMAC-SHA-256", async () => {
    // printf 'email\0ada@example.com' | openssl dgst -sha256 -hmac the-salt-of-this-receipt, its first 12 bytes
    const { out } = await verify(documentOf(jws), "--identity", "email=ada@example.com");
    expect(out).toContain("(OdEtFE1gYEB85TDD)");
  });

  it("fails if it is another's, of another type, or under another salt", async () => {
    const words = /not about it/;
    await refuses(documentOf(jws), "identity email", words, "--identity", "email=grace@example.com");
    await refuses(documentOf(jws), "identity user_id", words, "--identity", "user_id=ada@example.com");
    await refuses(documentOf(jws), "identity email", words, "--identity", "email=ada@example.com", "--salt", "other");
  });

  it("fails if one of several is not found, and never prints it", async () => {
    const { code, out } = await verify(
      documentOf(jws),
      ...["--identity", "email=ada@example.com", "--identity", "phone=+44 20 7946 0000"],
    );
    expect(code).toBe(1);
    expect(out).toContain("✓ identity email");
    expect(out).toContain("✗ identity phone");
    expect(out).not.toContain("ada@example.com");
  });

  it("needs a salt, and a type", async () => {
    const bare = await verify(jws, "--identity", "email=ada@example.com");
    expect([bare.code, bare.err]).toEqual([2, expect.stringContaining("--salt")]);
    for (const identity of ["ada@example.com", "=x", "email=", "Email=x"]) {
      const wrong = await verify(documentOf(jws), "--identity", identity);
      expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining("type=value")]);
    }
  });
});

describe("a proof", () => {
  const check = (proof: unknown, document: unknown = jws) => verify(document, "--proof", file(proof));
  const fails = async (proof: unknown, name: string, words: RegExp, document: unknown = jws) =>
    refuses(document, name, words, "--proof", file(proof));

  it("holds at every place of trees of every shape", async () => {
    for (const size of [1, 2, 3, 7, 8, 9])
      for (let index = 0; index < size; index += 1)
        expect((await check(await proofOf(signer, jws, index, size))).code, `${index} of ${size}`).toBe(0);
  });

  it("fails with one hash more, one less, one changed, or two exchanged", async () => {
    const proof = await proofOf(signer, jws, 4, 7);
    const [first = "", second = "", ...rest] = proof.path;
    const flipped = `${first.startsWith("A") ? "B" : "A"}${first.slice(1)}`;
    for (const path of [
      [...proof.path, first],
      [first, ...proof.path],
      proof.path.slice(1),
      proof.path.slice(0, -1),
      [],
      [flipped, second, ...rest],
      [second, first, ...rest],
    ])
      await fails({ ...proof, path }, "log", /does not lead/);
  });

  it("fails at every other index", async () => {
    const proof = await proofOf(signer, jws, 4, 7);
    for (const index of [0, 1, 2, 3, 5, 6, 7, 8]) await fails({ ...proof, index }, "log", /does not lead/);
    for (const index of [-1, 4.5, "4", 2 ** 60]) await fails({ ...proof, index }, "log", /proof\.index/);
  });

  it("fails for another receipt, and at another entry than the document names", async () => {
    const proof = await proofOf(signer, jws, 4, 7);
    const other = await signed({ policy_version: 4 });
    await fails(proof, "log", /does not lead/, other);
    await fails(proof, "log", /came as entry 3/, documentOf(jws, { log: { index: 3 } }));
    expect((await check(proof, documentOf(jws, { log: { index: 4, proof: "/x" } }))).code).toBe(0);
  });

  it("fails with a tree's node in place of the leaf", async () => {
    const proof = await proofOf(signer, jws, 0, 4);
    await fails({ ...proof, path: proof.path.slice(1) }, "log", /does not lead/);
  });

  it("fails if the checkpoint says something else than the proof", async () => {
    const proof = await proofOf(signer, jws, 4, 7);
    const other = await proofOf(signer, jws, 0, 1);
    for (const wrong of [
      { size: 8 },
      { root: other.root },
      { origin: "https://a.example/log/b" },
      { at: other.at.replace("03-03", "03-04") },
    ])
      await fails({ ...proof, ...wrong }, "checkpoint", /something else/);
  });

  it("fails if the checkpoint is another log's, a stranger's, older than the receipt, or no checkpoint", async () => {
    const origin = { origin: `${ISSUER}/log/other-shop` };
    await fails(await proofOf(signer, jws, 0, 1, origin), "checkpoint", /other-shop/);
    await fails(await proofOf(await newSigner(), jws, 0, 1), "checkpoint", /no published key/);
    const old = { at: "2026-03-02T09:00:00.000Z" };
    await fails(await proofOf(signer, jws, 0, 1, old), "checkpoint", /before the receipt was/);
    const proof = await proofOf(signer, jws, 0, 1);
    const { origin: name, size, root, at } = proof;
    const mistyped = await signer.sign({ origin: name, size, root, at });
    await fails({ ...proof, signed: mistyped }, "checkpoint", /not a checkpoint/);
    await fails({ ...proof, signed: "x" }, "checkpoint", /not a compact JWS/);
  });

  it("fails if it is none", async () => {
    for (const proof of ["", "[]", "{}", { index: 0, path: ["x"] }]) await fails(proof, "log", /proof/);
  });
});

describe("JSON", () => {
  it("is one object with every check and the receipt", async () => {
    const proof = file(await proofOf(signer, jws, 2, 3));
    const { code, out } = await verify(
      documentOf(jws),
      "--json",
      "--proof",
      proof,
      "--identity",
      "email=ada@example.com",
    );
    const printed: unknown = JSON.parse(out);
    expect(code).toBe(0);
    expect(printed).toMatchObject({ holds: true, not_checked: [], receipt: { request: REQUEST, complete: true } });
    expect(printed).toHaveProperty("checks.length", 9);
  });

  it("is printed for a receipt that does not hold, too", async () => {
    const { code, out } = await verify("nonsense", "--json");
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ holds: false, checks: [{ name: "form", ok: false }] });
  });
});
