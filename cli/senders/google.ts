import { type SampleEvent, type Sender, seconds, setting } from "./sender.ts";

const ISSUER = "https://accounts.google.com/";

/** Cross-Account Protection: the subject stands inside the event. https://developers.google.com/identity/protocols/risc */
const event = (profile: string, name: string, details: object = {}) => {
  const uri = `https://schemas.openid.net/secevent/${profile}/event-type/${name}`;
  const sample: SampleEvent = {
    person: "100000000000000000001",
    make: async (occasion) => ({
      body: await occasion.token({
        iss: ISSUER,
        // One of the project's clients; which, depends on where the person signed in.
        aud: setting(occasion, "clientIds").split(",").at(-1)?.trim() ?? "",
        iat: seconds(occasion),
        jti: `756E697175-${occasion.seed}`,
        events: {
          [uri]: { ...("state" in details ? {} : { subject: subjectOf(name, occasion.person) }), ...details },
        },
      }),
      headers: { "content-type": "application/secevent+jwt" },
    }),
  };
  return { [uri]: sample };
};

const subjectOf = (name: string, person: string) =>
  name === "token-revoked"
    ? { subject_type: "oauth_token", token_type: "refresh_token", token_identifier_alg: "prefix", token: person }
    : { subject_type: "iss-sub", iss: ISSUER, sub: person };

export const google: Sender = {
  "security-events": {
    ...event("oauth", "tokens-revoked"),
    ...event("oauth", "token-revoked"),
    ...event("risc", "account-disabled", { reason: "hijacking" }),
    ...event("risc", "account-enabled"),
    ...event("risc", "account-credential-change-required"),
    ...event("risc", "sessions-revoked"),
    ...event("risc", "verification", { state: "a state of ours" }),
  },
};
