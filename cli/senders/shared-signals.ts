import { type Occasion, type SampleEvent, type Sender, seconds, setting } from "./sender.ts";

const PERSON = "248289761001";

type Subject = "account" | "email" | "token" | "stream";

/** https://openid.net/specs/openid-sharedsignals-framework-1_0.html, with the examples of RISC, CAEP and the OAuth event types. */
const event = (profile: string, name: string, details: object = {}, subject: Subject = "account") => {
  const uri = `https://schemas.openid.net/secevent/${profile}/event-type/${name}`;
  const sample: SampleEvent = {
    person: PERSON,
    make: async (occasion) => ({
      body: await occasion.token(
        {
          iss: setting(occasion, "issuer"),
          aud: setting(occasion, "audience"),
          iat: seconds(occasion),
          jti: `set-${occasion.seed}`,
          ...(subject !== "token" && { sub_id: identifiers[subject](occasion) }),
          events: { [uri]: { ...details, ...(subject === "token" && { subject: identifiers.token(occasion) }) } },
        },
        { typ: "secevent+jwt" },
      ),
      headers: { "content-type": "application/secevent+jwt", accept: "application/json" },
    }),
  };
  return { [uri]: sample };
};

const identifiers: Readonly<Record<Subject, (occasion: Occasion) => object>> = {
  account: (occasion) => ({ format: "iss_sub", iss: setting(occasion, "issuer"), sub: occasion.person }),
  email: () => ({ format: "email", email: "ada@example.com" }),
  token: ({ person }) => ({
    subject_type: "oauth_token",
    token_type: "refresh_token",
    token_identifier_alg: "prefix",
    token: person,
  }),
  stream: () => ({ format: "opaque", id: "stream-1" }),
};

export const sharedSignals: Sender = {
  events: {
    ...event("risc", "account-purged"),
    ...event("risc", "account-disabled", { reason: "hijacking" }),
    ...event("risc", "account-enabled"),
    ...event("risc", "account-credential-change-required"),
    ...event("risc", "identifier-changed", { "new-value": "ada.new@example.com" }, "email"),
    ...event("risc", "identifier-recycled", {}, "email"),
    ...event("risc", "credential-compromise", { credential_type: "password" }),
    ...event("risc", "sessions-revoked"),
    ...event("risc", "opt-in"),
    ...event("risc", "opt-out-initiated"),
    ...event("risc", "opt-out-cancelled"),
    ...event("risc", "opt-out-effective"),
    ...event("risc", "recovery-activated"),
    ...event("risc", "recovery-information-changed"),
    ...event("oauth", "token-revoked", { reason: "user" }, "token"),
    ...event("oauth", "tokens-revoked", { reason: "user" }),
    ...event("caep", "session-revoked", { initiating_entity: "policy", reason_admin: { en: "Policy" } }),
    ...event("caep", "session-established", { amr: ["pwd"] }),
    ...event("caep", "session-presented", { ext_id: "12345" }),
    ...event("caep", "token-claims-change", { claims: { trusted_network: "false" } }),
    ...event("caep", "credential-change", { credential_type: "password", change_type: "update" }),
    ...event("caep", "assurance-level-change", { namespace: "NIST-AAL", current_level: "nist-aal2" }),
    ...event("caep", "device-compliance-change", { previous_status: "compliant", current_status: "not-compliant" }),
    ...event("caep", "risk-level-change", { principal: "USER", current_level: "LOW" }),
    ...event("ssf", "verification", { state: "VGhpcyBpcyBhIHN0YXRl" }, "stream"),
    ...event("ssf", "stream-updated", { status: "paused" }, "stream"),
  },
};
