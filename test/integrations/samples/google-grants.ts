import type { Identity } from "../../../src/contract/identity.ts";
import { revoked } from "../../../src/contract/outcome.ts";
import { connection, idToken, on, type Sample, type Way } from "./kit.ts";

/** What Google's products answer alike to a grant and its end. */
export function granted(account: Identity, scopes: readonly string[]): Pick<Sample, "ways" | "oauth"> {
  const grant = { accessToken: "ya29.1", refreshToken: "1//1", scopes, account };
  const way = (one: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
    action: "revoke",
    part: "run",
    identity: connection,
    grant,
    ...one,
  });
  const end = on(200, 400);
  const refused = (error: string) => ({ status: 400, body: { error } });
  return {
    ways: [
      way({ name: "the grant", steps: [end({ status: 200, body: {} })], outcome: revoked }),
      way({ name: "a grant that is gone", steps: [end(refused("invalid_token"))], outcome: revoked }),
      way({ name: "it is dead", part: "look", steps: [end(refused("invalid_grant"))], outcome: "absent" }),
      way({
        name: "it lives",
        part: "look",
        steps: [end({ status: 200, body: { access_token: "ya29.2" } })],
        outcome: "present",
      }),
      way({
        name: "a dead access token without another",
        part: "look",
        grant: { ...grant, refreshToken: "" },
        steps: [on(200, 401)({ status: 401 })],
        outcome: "absent",
      }),
    ],
    oauth: {
      token: (asked) => ({
        status: 200,
        body: {
          access_token: "ya29.1",
          expires_in: 3599,
          refresh_token: "1//1",
          scope: scopes.join(" "),
          token_type: "Bearer",
          id_token: idToken(asked, account.value),
        },
      }),
      asks: [],
      grant,
      lastsSeconds: 3599,
      renewed: {
        reply: () => ({
          status: 200,
          body: { access_token: "ya29.2", expires_in: 3599, scope: scopes.join(" "), token_type: "Bearer" },
        }),
        grant: { ...grant, accessToken: "ya29.2" },
      },
      invalidGrant: {
        status: 400,
        body: { error: "invalid_grant", error_description: "Token has been expired or revoked." },
      },
      alive: [
        { name: "alive", steps: [on(200, 401)({ status: 200, body: { sub: account.value } })], outcome: "alive" },
        { name: "over", steps: [on(200, 401)({ status: 401 })], outcome: "ended" },
      ],
    },
  };
}
