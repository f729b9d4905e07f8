import { type Customer, customers } from "./customers.ts";
import { type About, holders, type Person } from "./holders.ts";

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

/** Makes sure that the sandbox knows the customers' accounts at vendors, and the secrets that own systems are told with. */
export async function seedSandbox(admin: (path: string, body: unknown) => Promise<void>): Promise<void> {
  for (const { subprocessors } of customers)
    for (const { integration, settings } of Object.values(subprocessors)) {
      const account = holders[integration]?.account?.(settings);
      if (account !== undefined) await admin("/seed", account);
    }
}

/** Creates the reference customers through the API, except those that `known` has a working key for. */
export async function seedTenants(url: string, adminKey: string, known: Seeded): Promise<Seeded> {
  const api = apiOf(url);
  const keys: string[] = [];
  const fresh: { readonly customer: Customer; readonly key: string }[] = [];
  // One after the other, so that their numbers are the same at each start.
  for (const customer of customers) {
    const before = known[customer.slug]?.api_key;
    const isKnown = before !== undefined && (await api("GET", "/v1/policy", before)).status === 200;
    const key = isKnown ? before : await createTenant(api, adminKey, customer);
    if (!isKnown) fresh.push({ customer, key });
    keys.push(key);
  }
  await Promise.all(fresh.map(({ customer, key }) => register(api, key, customer)));
  return Object.fromEntries(
    customers.map(({ slug, subprocessors }, at) => [slug, { api_key: keys[at] ?? "", subprocessors }]),
  );
}

async function createTenant(api: Call, adminKey: string, { slug, name }: Customer): Promise<string> {
  const created = await api("POST", "/v1/tenants", adminKey, { slug, name });
  const key = keyIn(created.body);
  if (key === undefined)
    throw new Error(
      `${slug} exists, but its key is not known here; stop the gateway, remove .quittance and start again`,
    );
  return key;
}

async function register(api: Call, key: string, { slug, policy, subprocessors }: Customer): Promise<void> {
  await expectOk(api("PUT", "/v1/policy", key, policy), `policy of ${slug}`);
  for (const [id, entry] of Object.entries(subprocessors))
    await expectOk(api("PUT", `/v1/subprocessors/${id}`, key, entry), `${slug}/${id}`);
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
  person: Person,
  options: { readonly payments?: number; readonly age_days?: number; readonly unknownTo?: readonly string[] } = {},
): Promise<void> {
  const customer = customers.find((each) => each.slug === slug);
  if (customer === undefined) throw new Error(`there is no customer ${slug}`);
  const { payments = 2, age_days = 200, unknownTo = [] } = options;
  const own = [
    { type: "user_id", value: person.id },
    { type: "email", value: person.email },
  ];
  const about = { tag: `${slug}-${person.id}`, payments, age_days };
  const held = (identities: About["identities"]) =>
    Object.entries(customer.subprocessors)
      .filter(([, { integration }]) => !unknownTo.includes(integration))
      .map(([id, { integration, settings }]) => ({
        id,
        ...holders[integration]?.person(settings, person, { ...about, identities }),
      }));
  const identities = [...own, ...held(own).flatMap((each) => each.identities ?? [])];
  const places = held(identities);
  for (const seed of places.flatMap(({ seeds = [] }) => seeds)) await admin("/seed", seed);
  const objects = places.flatMap(({ id: subprocessor, objects: made = [] }) =>
    made.map((object) => ({ subprocessor, ...object })),
  );
  // A person who was erased here before comes back with a fresh consent.
  const consent = { at: new Date(0).toISOString(), reference: "seed" };
  await expectOk(api("PUT", `/v1/subjects/${person.id}`, key, { identities, consent }), "linking the person");
  if (objects.length > 0)
    await expectOk(api("POST", `/v1/subjects/${person.id}/objects`, key, { objects }), "registering objects");
}
