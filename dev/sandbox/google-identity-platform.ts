import { z } from "zod";
import { gone, googleError, googleRefusal, withoutAccess } from "./google-access.ts";
import type { MakeVendor } from "./vendor.ts";

/** `{vendor: "google-identity-platform", project, tenant?, accounts: [{localId, email?, phoneNumber?}]}`. */
const Seed = z.object({
  project: z.string(),
  tenant: z.string().default(""),
  accounts: z
    .array(z.strictObject({ localId: z.string(), email: z.string().optional(), phoneNumber: z.string().optional() }))
    .default([]),
});
type Account = z.infer<typeof Seed>["accounts"][number];

const Lookup = z.strictObject({
  localId: z.array(z.string()).default([]),
  email: z.array(z.string()).default([]),
  phoneNumber: z.array(z.string().regex(/^\+\d+$/)).default([]),
});
const SCOPES = ["https://www.googleapis.com/auth/identitytoolkit"];
const PATH = /^\/v1\/projects\/([^/]+)(?:\/tenants\/([^/]+))?\/accounts:(lookup|delete)$/;

/**
 * Accounts of Identity Platform and Firebase Authentication: looked up and deleted, in a project or one of its tenants.
 *
 * @see https://docs.cloud.google.com/identity-platform/docs/reference/rest/v1/projects.accounts
 */
export const googleIdentityPlatform: MakeVendor = (world) => {
  const held = new Map<string, Map<string, Account>>();
  const at = (project: string, tenant: string) => {
    const place = `${project}/${tenant}`;
    const accounts = held.get(place) ?? new Map<string, Account>();
    held.set(place, accounts);
    return accounts;
  };

  return {
    id: "google-identity-platform",
    about: "identitytoolkit.googleapis.com: accounts",
    serves: (host) => host === "identitytoolkit.googleapis.com",
    async call(request) {
      const without = withoutAccess(request, SCOPES, world.now());
      if (without !== undefined) return without;
      const [, project = "", tenant = "", verb] = PATH.exec(new URL(request.url).pathname) ?? [];
      if (request.method !== "POST" || verb === undefined) return gone();
      const accounts = at(project, tenant);
      const body: unknown = await request.json();
      if (verb === "delete") {
        const { data } = z.object({ localId: z.string() }).safeParse(body);
        if (data === undefined) return googleError(400, "INVALID_ARGUMENT", "MISSING_LOCAL_ID", "invalid");
        return accounts.delete(data.localId)
          ? Response.json({ kind: "identitytoolkit#DeleteAccountResponse" })
          : googleError(400, "INVALID_ARGUMENT", "USER_NOT_FOUND", "invalid");
      }
      const { data } = Lookup.safeParse(body);
      if (data === undefined)
        return googleError(400, "INVALID_ARGUMENT", "INVALID_PHONE_NUMBER : Invalid format.", "invalid");
      const users = [...accounts.values()].filter(
        ({ localId, email = "", phoneNumber = "" }) =>
          data.localId.includes(localId) || data.email.includes(email) || data.phoneNumber.includes(phoneNumber),
      );
      return Response.json({ kind: "identitytoolkit#GetAccountInfoResponse", ...(users.length > 0 && { users }) });
    },
    refuse: googleRefusal,
    seed(body) {
      const { project, tenant, accounts } = Seed.parse(body);
      for (const account of accounts) at(project, tenant).set(account.localId, account);
      return { accounts: accounts.map(({ localId }) => localId) };
    },
    holdings: () => ({
      accounts: Object.fromEntries(
        [...held].flatMap(([place, accounts]) =>
          [...accounts.values()].map(({ localId, email = "", phoneNumber = "" }) => [
            `${place}/${localId}`,
            { email, phoneNumber },
          ]),
        ),
      ),
    }),
    reset: () => held.clear(),
  };
};
