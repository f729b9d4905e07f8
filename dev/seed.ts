import { type Customer, customers } from "./customers.ts";

export type Seeded = Readonly<
  Record<string, { readonly api_key: string; readonly subprocessors: Customer["subprocessors"] }>
>;

export type Call = (
  method: string,
  path: string,
  key: string,
  body?: unknown,
) => Promise<{ status: number; body: unknown }>;

/** Calls the gateway's own API, as anyone with a key would. */
export const apiOf =
  (url: string): Call =>
  async (method, path, key, body) => {
    const reply = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body !== undefined && { "content-type": "application/json" }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await reply.text();
    return { status: reply.status, body: text === "" ? undefined : JSON.parse(text) };
  };

/** Makes sure that the sandbox knows the secrets that the customers' systems are told with, and their projects. */
export async function seedSandbox(admin: (path: string, body: unknown) => Promise<void>): Promise<void> {
  for (const { subprocessors } of customers)
    for (const { integration, settings } of Object.values(subprocessors)) {
      if (integration === "first-party")
        await admin("/seed", {
          vendor: "first-party",
          host: new URL(settings.url ?? "").host,
          secret: settings.secret,
          mode: "done",
          people: [],
        });
      if (integration === "facebook")
        await admin("/seed", { vendor: "meta", account: settings.appId, secret: settings.appSecret, grants: [] });
      if (integration === "mixpanel") await admin("/seed", mixpanelProject(settings));
    }
}

const mixpanelProject = ({ projectToken, oauthToken, residency }: Customer["subprocessors"][string]["settings"]) => ({
  vendor: "mixpanel",
  account: projectToken,
  oauth_token: oauthToken,
  residency,
});

/** Creates the reference customers through the API, except those that `known` has a working key for. */
export async function seedTenants(url: string, adminKey: string, known: Seeded): Promise<Seeded> {
  const api = apiOf(url);
  const seeded: Record<string, Seeded[string]> = {};
  for (const customer of customers)
    seeded[customer.slug] = await seedTenant(api, adminKey, customer, known[customer.slug]);
  return seeded;
}

async function seedTenant(
  api: Call,
  adminKey: string,
  customer: Customer,
  before: Seeded[string] | undefined,
): Promise<Seeded[string]> {
  const { slug, name, policy, subprocessors } = customer;
  if (before !== undefined && (await api("GET", "/v1/policy", before.api_key)).status === 200)
    return { api_key: before.api_key, subprocessors };
  const created = await api("POST", "/v1/tenants", adminKey, { slug, name });
  const key = keyIn(created.body);
  if (key === undefined)
    throw new Error(
      `${slug} exists, but its key is not known here; stop the gateway, remove .quittance and start again`,
    );
  await expectOk(api("PUT", "/v1/policy", key, policy), `policy of ${slug}`);
  for (const [id, entry] of Object.entries(subprocessors))
    await expectOk(api("PUT", `/v1/subprocessors/${id}`, key, entry), `${slug}/${id}`);
  return { api_key: key, subprocessors };
}

const keyIn = (body: unknown): string | undefined =>
  typeof body === "object" && body !== null && "api_key" in body && typeof body.api_key === "string"
    ? body.api_key
    : undefined;

async function expectOk(call: Promise<{ status: number; body: unknown }>, what: string): Promise<void> {
  const { status, body } = await call;
  if (status >= 300) throw new Error(`${what}: ${status} ${JSON.stringify(body)}`);
}

/**
 * One invented person, held by every vendor of one customer (except the integrations in `unknownTo`), and known to the
 * gateway.
 */
export async function seedPerson(
  api: Call,
  admin: (path: string, body: unknown) => Promise<void>,
  slug: string,
  key: string,
  person: { readonly id: string; readonly email: string; readonly name: string; readonly facebookId: string },
  options: { readonly payments?: number; readonly age_days?: number; readonly unknownTo?: readonly string[] } = {},
): Promise<void> {
  const customer = customers.find((each) => each.slug === slug);
  if (customer === undefined) throw new Error(`there is no customer ${slug}`);
  const identities = [
    { type: "user_id", value: person.id },
    { type: "email", value: person.email },
    ...(customer.subprocessors.facebook === undefined ? [] : [{ type: "facebook.user_id", value: person.facebookId }]),
  ];
  const tag = `${slug}-${person.id}`;
  const objects: { subprocessor: string; type: string; id: string }[] = [];
  for (const [id, { integration, settings }] of Object.entries(customer.subprocessors)) {
    if (options.unknownTo?.includes(integration) === true) continue;
    if (integration === "first-party")
      await admin("/seed", {
        vendor: "first-party",
        host: new URL(settings.url ?? "").host,
        people: [{ id: person.id, identities, data: { name: person.name, note: `something about ${person.email}` } }],
      });
    if (integration === "facebook")
      await admin("/seed", {
        vendor: "meta",
        account: settings.appId,
        grants: [{ user_id: person.facebookId, permissions: ["public_profile", "email"] }],
      });
    if (integration === "stripe")
      await admin("/seed", {
        vendor: "stripe",
        account: settings.secretKey,
        customers: [
          {
            id: `cus_${tag}`.replaceAll("-", ""),
            email: person.email,
            name: person.name,
            payments: options.payments ?? 2,
            age_days: options.age_days ?? 200,
            payment_methods: 1,
          },
        ],
      });
    if (integration === "mixpanel") {
      // One person, known by the device before signing in and by the product's own id after.
      const [device, user] = [`$device:${tag}`, tag];
      await admin("/seed", {
        ...mixpanelProject(settings),
        users: [
          { distinct_id: device, events: ["Page viewed"] },
          { distinct_id: user, profile: { $email: person.email, $name: person.name }, events: ["Signed in"] },
        ],
      });
      for (const distinctId of [device, user])
        objects.push({ subprocessor: id, type: "mixpanel.distinct_id", id: distinctId });
    }
    if (integration === "openai") {
      await admin("/seed", {
        vendor: "openai",
        account: settings.apiKey,
        files: [
          { id: `file-${tag}`, filename: "letter.txt", purpose: "user_data", content: `A letter from ${person.email}` },
        ],
        vector_stores: [{ id: `vs_${tag}`, name: `store of ${person.email}`, files: [`file-${tag}`] }],
        responses: [{ id: `resp_${tag}`, content: `Dear ${person.email}` }],
        conversations: [{ id: `conv_${tag}`, items: [`I am ${person.name}, ${person.email}`, "Hello"] }],
      });
      for (const [type, prefix] of [
        ["file", "file-"],
        ["vector_store", "vs_"],
        ["response", "resp_"],
        ["conversation", "conv_"],
      ])
        objects.push({ subprocessor: id, type: `openai.${type}`, id: `${prefix}${tag}` });
    }
  }
  // A person who was erased here before comes back with a fresh consent.
  const consent = { at: new Date(0).toISOString(), reference: "seed" };
  await expectOk(api("PUT", `/v1/subjects/${person.id}`, key, { identities, consent }), "linking the person");
  if (objects.length > 0)
    await expectOk(api("POST", `/v1/subjects/${person.id}/objects`, key, { objects }), "registering objects");
}
