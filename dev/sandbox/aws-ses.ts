import { z } from "zod";
import { Keys } from "./aws-json.ts";
import { unsigned } from "./sigv4.ts";
import type { MakeVendor, Refusal } from "./vendor.ts";

/** `{vendor, region, contact_list?, contacts?, suppressed?, keys?}`: addresses. An account has one list a region. */
const Seed = z.strictObject({
  vendor: z.string(),
  region: z.string(),
  contact_list: z.string().optional(),
  contacts: z.array(z.email()).default([]),
  suppressed: z.array(z.email()).default([]),
  keys: Keys,
});

const HOST = /^email\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?$/;

type Region = { list: string | undefined; contacts: Set<string>; suppressed: Set<string> };

/**
 * Amazon SES by its second API. 404 is the answer for a contact, a list and a suppressed address that are not there alike.
 *
 * @see https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_DeleteContact.html and API_DeleteSuppressedDestination.html
 */
export const awsSes: MakeVendor = (world) => {
  const regions = new Map<string, Region>();
  const secrets = new Map<string, string>();
  const regionOf = (name: string): Region => {
    const region = regions.get(name) ?? { list: undefined, contacts: new Set(), suppressed: new Set() };
    regions.set(name, region);
    return region;
  };

  const call = async (request: Request): Promise<Response> => {
    const url = new URL(request.url);
    const region = HOST.exec(url.hostname)?.[1] ?? "";
    const odd = unsigned(request, await request.text(), { service: "ses", region, now: world.now(), secrets });
    if (odd !== undefined) return refusal(403, odd);
    const held = regionOf(region);
    const path = decodeURIComponent(url.pathname);
    const suppressed = /^\/v2\/email\/suppression\/addresses\/([^/]+)$/.exec(path)?.[1];
    if (suppressed !== undefined) return one(request.method, held.suppressed, suppressed);
    const [, list, contact] = /^\/v2\/email\/contact-lists\/([^/]+)(?:\/contacts\/([^/]+))?$/.exec(path) ?? [];
    if (list === undefined) return refusal(404, "UnknownOperationException");
    if (list !== held.list) return refusal(404, "NotFoundException");
    if (contact !== undefined) return one(request.method, held.contacts, contact);
    return request.method === "GET"
      ? Response.json({ ContactListName: list })
      : refusal(405, "UnknownOperationException");
  };

  return {
    id: "aws-ses",
    about: "email.{region}.amazonaws.com",
    serves: (host) => HOST.test(host),
    call,
    refuse: ({ reason, status }: Refusal) => refusal(reason === "unauthorized" ? 403 : status, WORDS[reason]),
    seed(body) {
      const { region, contact_list, contacts, suppressed, keys } = Seed.parse(body);
      for (const [id, secret] of Object.entries(keys)) secrets.set(id, secret);
      const held = regionOf(region);
      held.list = contact_list ?? held.list;
      for (const each of contacts) held.contacts.add(each);
      for (const each of suppressed) held.suppressed.add(each);
      return { contacts, suppressed };
    },
    holdings: () => ({
      contacts: [...regions].flatMap(([region, held]) => [...held.contacts].map((email) => ({ region, email }))),
      suppressed: [...regions].flatMap(([region, held]) => [...held.suppressed].map((email) => ({ region, email }))),
    }),
    reset() {
      regions.clear();
      secrets.clear();
    },
  };
};

function one(method: string, held: Set<string>, email: string): Response {
  if (!held.has(email)) return refusal(404, "NotFoundException");
  if (method === "GET") return Response.json({ EmailAddress: email });
  if (method !== "DELETE") return refusal(405, "UnknownOperationException");
  held.delete(email);
  return Response.json({});
}

const refusal = (status: number, name: string): Response =>
  Response.json({ message: "refused" }, { status, headers: { "x-amzn-errortype": name } });

const WORDS = {
  rate_limited: "TooManyRequestsException",
  server_error: "InternalFailure",
  unauthorized: "AccessDenied",
};
