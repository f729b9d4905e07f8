import { Hono } from "hono";
import { z } from "zod";
import { selfSigned } from "../../cli/senders/certificate.ts";
import type { Json, MakeVendor, Refusal } from "./vendor.ts";

const HOST = "opendsr.example.com";

/** `{vendor: "opendsr", people: [{email?, controller_customer_id?, …}]}` */
const Person = z.record(z.string(), z.string());
const Seed = z.object({ people: z.array(Person).default([]) });

const TYPES = [
  ...["controller_customer_id", "android_advertising_id", "android_id", "email", "fire_advertising_id"],
  ...["ios_advertising_id", "ios_vendor_id", "microsoft_advertising_id", "microsoft_publisher_id"],
  ...["roku_publisher_id", "roku_advertising_id"],
];
const Request = z.object({
  regulation: z.enum(["gdpr", "ccpa"]),
  subject_request_id: z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
  subject_request_type: z.literal("erasure"),
  submitted_time: z.iso.datetime(),
  subject_identities: z
    .array(
      z.object({ identity_type: z.enum(TYPES), identity_value: z.string().min(1), identity_format: z.literal("raw") }),
    )
    .min(1),
});
type Request = z.infer<typeof Request>;

/** How long it is pending, and then in progress. */
const STEP_MS = 3600_000;

/**
 * A processor that speaks OpenDSR 2.0 and signs what it answers; its certificate, made by itself, is at `/cert.pem`.
 *
 * Unconfirmed: the algorithm (RSASSA-PKCS1-v1_5 with SHA-256 here), and that a repeated request is refused.
 *
 * @see https://github.com/opengdpr/OpenDSR/blob/master/specification.md
 */
export const opendsr: MakeVendor = (world) => {
  let people: Record<string, string>[] = [];
  const requests = new Map<string, { readonly at: number; readonly wants: Request }>();
  let keys: Promise<{ readonly pem: string; readonly sign: (text: string) => Promise<string> }> | undefined;
  const key = () => {
    keys ??= newKey();
    return keys;
  };

  /** What was asked for is gone when the request is done, looked at or not. */
  const settle = () => {
    for (const { at, wants } of requests.values())
      if (world.now() >= at + 2 * STEP_MS)
        people = people.filter(
          (person) =>
            !wants.subject_identities.some(
              ({ identity_type, identity_value }) => person[identity_type] === identity_value,
            ),
        );
  };
  const answer = async (status: number, body: object) => {
    const text = JSON.stringify(body);
    const headers = { "x-opendsr-processor-domain": HOST, "x-opendsr-signature": await (await key()).sign(text) };
    return new Response(text, { status, headers: { "content-type": "application/json", ...headers } });
  };
  const common = (id: string, at: number) => ({
    controller_id: "acme",
    expected_completion_time: new Date(at + 2 * STEP_MS).toISOString(),
    subject_request_id: id,
  });

  const app = new Hono();
  app.notFound(() => opendsrError(404, "no such thing"));
  app.get("/cert.pem", async () => new Response((await key()).pem));
  const api = app.basePath("/v2");
  api.get("/discovery", (c) =>
    c.json({
      api_version: "2.0",
      supported_identities: TYPES.map((identity_type) => ({ identity_type, identity_format: "raw" })),
      supported_subject_request_types: ["erasure"],
      processor_certificate: `https://${HOST}/cert.pem`,
    }),
  );
  api.use("/requests/*", async (c, next) =>
    /^(Basic|Bearer) .+/.test(c.req.header("authorization") ?? "") ? next() : opendsrError(401, "who are you?"),
  );
  api.post("/requests", async (c) => {
    const text = await c.req.text();
    const read = Request.safeParse(JSON.parse(text));
    if (!read.success) return opendsrError(400, `${read.error.issues[0]?.path.join(".")} does not fit`);
    const id = read.data.subject_request_id;
    if (requests.has(id)) return opendsrError(400, "subject_request_id is known");
    const at = world.now();
    requests.set(id, { at, wants: read.data });
    return answer(201, {
      ...common(id, at),
      received_time: new Date(at).toISOString(),
      encoded_request: Buffer.from(text).toString("base64"),
    });
  });
  api.get("/requests/:id", (c) => {
    settle();
    const id = c.req.param("id");
    const found = requests.get(id);
    if (!found) return opendsrError(404, "no such request");
    const steps = Math.floor((world.now() - found.at) / STEP_MS);
    const request_status = ["pending", "in_progress"][steps] ?? "completed";
    return answer(200, { ...common(id, found.at), request_status, api_version: "2.0" });
  });

  return {
    id: "opendsr",
    about: HOST,
    serves: (host) => host === HOST,
    call: async (request) => app.fetch(request),
    refuse: ({ reason, status }: Refusal) => opendsrError(status, reason),
    seed(body) {
      const seed = Seed.parse(body);
      people.push(...seed.people);
      return { people: seed.people.length };
    },
    holdings() {
      settle();
      const held: Json = people;
      return { people: held };
    },
    reset() {
      people = [];
      requests.clear();
    },
  };
};

const opendsrError = (status: number, message: string): Response =>
  Response.json({ error: { code: status, message, errors: [] } }, { status });

async function newKey() {
  const name = "RSASSA-PKCS1-v1_5";
  const algorithm = { name, hash: "SHA-256", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
  const { privateKey, publicKey } = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", publicKey));
  const sign = async (bytes: Uint8Array<ArrayBuffer>) =>
    new Uint8Array(await crypto.subtle.sign(name, privateKey, bytes));
  return {
    pem: await selfSigned({ spki, sign }, { commonName: HOST }),
    sign: async (text: string) => Buffer.from(await sign(new TextEncoder().encode(text))).toString("base64"),
  };
}
