import { z } from "zod";
import { at, type Call, noCall, postJson, type Reply, read, unforeseen } from "../src/contract/call.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import { type Answer, erased, found, notFound, type Sight } from "../src/contract/outcome.ts";
import { optional, type Settings, text } from "../src/contract/settings.ts";
import {
  authorised,
  PROJECT,
  refusal,
  refusalIn,
  SERVICE_ACCOUNT,
  serviceAccountKey,
  TOKEN_ORIGIN,
} from "./houses/google-cloud.ts";

/**
 * Identity Platform, or Firebase Authentication, keeps the accounts with which people sign in to the tenant's product.
 * We look accounts up by e-mail address or telephone number, and delete them, which also ends their sessions.
 */
const REFERENCE = "https://docs.cloud.google.com/identity-platform/docs/reference/rest/v1/projects.accounts/delete";
const BLOCKING = "https://docs.cloud.google.com/identity-platform/docs/concepts-events-and-functions";
const SCOPE = "https://www.googleapis.com/auth/identitytoolkit";
const NEEDS = "firebaseauth.users.get and .delete (Firebase Authentication Admin)";

/** Whoever is not there is not in the answer. */
const Users = z.object({ users: z.array(z.object({ localId: z.string().min(1).max(128) })).default([]) });
const Deleted = z.looseObject({});

const settings = {
  serviceAccountKey,
  project: text("Project id", PROJECT),
  tenant: optional(
    text("Tenant id of Identity Platform, where accounts are kept in one", /^[A-Za-z][A-Za-z0-9-]{3,63}$/),
  ),
} satisfies Settings;

export const googleIdentityPlatform = defineIntegration({
  id: "google-identity-platform",
  name: "Google Identity Platform",
  about: "Keeps the accounts with which people sign in (also as Firebase Authentication).",
  origins: ["https://identitytoolkit.googleapis.com", TOKEN_ORIGIN],
  settings,
  identities: { "google-identity-platform.user": "User id (uid, localId)" },

  hooks: absent("its functions ask before somebody signs in or up, and none tells of a deletion", BLOCKING),
  oauth: absent("service accounts only; no person grants anything", SERVICE_ACCOUNT),

  actions: {
    revoke: absent("deleting the account ends its sessions; grants are the business of whoever gave them", REFERENCE),
    erase: {
      source: REFERENCE,
      by: ["google-identity-platform.user", "email", "phone"],
      each: "identity",
      learns: ["google-identity-platform.user"],
      *run(order) {
        const access = yield* authorised(order.settings.serviceAccountKey, SCOPE);
        if ("outcome" in access) return access;
        const { type, value } = order.identity;
        // One at a time: the deletion of many leaves out whom it does not know, and says nothing of it.
        if (type === "google-identity-platform.user")
          return deleted(yield accounts("delete", order, access.headers, { localId: value }));
        const ids = yield* lookedUp(order, access.headers);
        if ("outcome" in ids) return ids;
        return found(ids.map((id) => ({ type: "google-identity-platform.user", value: id })));
      },
      look: {
        afterSeconds: 5,
        *run(order): Steps<Sight> {
          const access = yield* authorised(order.settings.serviceAccountKey, SCOPE);
          if ("outcome" in access) return access;
          const ids = yield* lookedUp(order, access.headers);
          if ("outcome" in ids) return ids;
          return ids.length === 0 ? "absent" : "present";
        },
      },
    },
  },

  residuals: [],
  retainable: [],
  // "10 accounts a second" may be deleted. https://docs.cloud.google.com/identity-platform/quotas
  limits: { perSecond: 10, connections: 2, account: { settings: ["project"] } },
});

type IdentityOrder = Order<typeof settings>;
type Headers = Readonly<Record<string, string>>;

function accounts(verb: "delete" | "lookup", { settings }: IdentityOrder, headers: Headers, body: object): Call {
  const { project, tenant } = settings;
  const path =
    tenant === ""
      ? at`https://identitytoolkit.googleapis.com/v1/projects/${{ project }}/accounts:`
      : at`https://identitytoolkit.googleapis.com/v1/projects/${{ project }}/tenants/${{ tenant }}/accounts:`;
  return postJson({ url: path.url + verb, template: path.template + verb }, headers, body);
}

const FIELDS: Readonly<Record<string, string>> = { email: "email", phone: "phoneNumber" };

function* lookedUp(order: IdentityOrder, headers: Headers): Steps<readonly string[] | ReturnType<typeof refusal>> {
  const { type, value } = order.identity;
  // E.164: without its country code a number is somebody else's in another country.
  if (type === "phone" && !value.startsWith("+"))
    return unforeseen(noCall, "a telephone number is looked up with its country code; link it as +…");
  const reply = yield accounts("lookup", order, headers, { [FIELDS[type] ?? "localId"]: [value] });
  if (reply.status === 403) return refusal(reply, NEEDS);
  const users = read(reply, Users);
  return users.ok ? users.value.users.map(({ localId }) => localId) : users.problem;
}

function deleted(reply: Reply): Answer {
  // Its error codes come as messages. https://github.com/firebase/firebase-admin-node: auth/error
  if (reply.status === 400 && /^USER_NOT_FOUND\b/.test(refusalIn(reply).message)) return notFound;
  if (reply.status !== 200) return refusal(reply, NEEDS);
  const gone = read(reply, Deleted);
  return gone.ok ? erased : gone.problem;
}
