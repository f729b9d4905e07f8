import { calculateJwkThumbprint } from "jose";
import { describe, expect, it } from "vitest";
import { unfit } from "../../src/connections/party.ts";
import { authorizationAddress, newDeparture, renew } from "../../src/connections/protocol.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import type { Grant } from "../../src/contract/oauth.ts";
import { fail, ok } from "../../src/result.ts";
import { type Asked, binding, connection } from "../integrations/samples/kit.ts";
import { orderFor, play } from "../support/play.ts";
import { granting, REDIRECT, waysOf } from "./oauth-ways.ts";

/** What providers that describe themselves offer and what operators ask of them: pushed requests (RFC 9126) and bound tokens (RFC 9449). */
const endpoint = "pushed_authorization_request_endpoint";
const discovering = granting.filter(({ oauth }) => "discovered" in oauth.server);

describe.each(discovering)("what $id offers, and what is asked of it", (one) => {
  const { integration, oauth, sample } = one;
  const { said, vendor, words, partyWith, asked, way } = waysOf(one);

  it("sends nobody to a provider that does not do what is asked of it, as it says itself", async () => {
    const bound = words.dpop === undefined ? sample.settings : { ...sample.settings, [words.dpop]: "required" };
    const misfit = async (more: object, settings = sample.settings) => {
      const body = { ...(said().discovery?.body as object), ...more };
      const ports = vendor(
        () => fail({ reason: "connection_failed" }),
        () => ({ status: 200, body }),
      );
      return unfit(await partyWith(ports, settings))?.reason;
    };
    expect(await misfit({})).toBeUndefined();
    expect(await misfit({}, bound)).toBeUndefined();
    expect(await misfit({ [endpoint]: undefined })).toBeUndefined();
    for (const address of [undefined, "https://elsewhere.example/par"])
      expect(await misfit({ require_pushed_authorization_requests: true, [endpoint]: address })).toBe("misconfigured");
    expect(await misfit({ token_endpoint_auth_methods_supported: ["private_key_jwt"] })).toBe("misconfigured");
    if (words.dpop === undefined) return;
    for (const algorithms of [undefined, [], ["RS256"]]) {
      const said = { dpop_signing_alg_values_supported: algorithms };
      expect([await misfit(said), await misfit(said, bound)]).toEqual([undefined, "misconfigured"]);
    }
  });

  describe("where the operator asks for tokens that are bound to a key", () => {
    const { dpop } = words;
    if (dpop === undefined) return it("cannot be asked", () => expect(dpop).toBeUndefined());
    const bound = { ...sample.settings, [dpop]: "required" };
    const token = (type: string) => (about: Asked) => {
      const played = said().token(about);
      return ok({ ...played, body: { ...(played.body as object), token_type: type } });
    };
    const none = () => ok(said().longer ?? { status: 599 });

    it("[I5] binds each grant to a key of its own, and shows that at every call for tokens beside the secret", async () => {
      const { result, calls, party } = await way(token("DPoP"), {}, none, bound);
      const { binding } = party;
      if (!result.ok || binding === undefined) throw new Error(JSON.stringify(result));
      expect(binding.client).toBeUndefined();
      expect(result.value.tokens.binding).toEqual(binding);
      expect(calls.map(({ sign }) => sign)).toEqual([{ scheme: "dpop", key: binding.key }]);
      if (words.by === "basic") expect(calls[0]?.headers.authorization).toMatch(/^Basic /);
      const other = await way(token("DPoP"), {}, none, bound);
      expect(other.party.binding?.key.d).not.toBe(binding.key.d);

      const renewing = vendor(() => token("DPoP")(asked(party, "")));
      const renewed = await renew(renewing, party, { ...said().grant, binding });
      expect(renewed).toMatchObject({ ok: true, value: { binding } });
      expect(renewing.calls.map(({ sign }) => sign)).toEqual([{ scheme: "dpop", key: binding.key }]);
    });

    it("[I5] says of which key the code is to be, whether that is pushed or not", async () => {
      for (const isPushed of [true, false]) {
        const discovery = { ...(said().discovery?.body as object), [endpoint]: undefined };
        const body = isPushed ? said().discovery?.body : discovery;
        const ports = vendor(
          () => ok({ status: 201, body: { request_uri: "urn:example:1", expires_in: 60 } }),
          () => ({ status: 200, body }),
        );
        const party = await partyWith(ports, bound);
        const address = await authorizationAddress(ports, party, newDeparture("11state"), REDIRECT, ["openid"]);
        if (!address.ok || party.binding === undefined) throw new Error(JSON.stringify(address));
        const { key } = party.binding;
        expect(ports.calls.map(({ sign }) => sign)).toEqual(isPushed ? [{ scheme: "dpop", key }] : []);
        const thumbprint = isPushed ? null : await calculateJwkThumbprint(key);
        expect(new URL(address.value).searchParams.get("dpop_jkt")).toBe(thumbprint);
      }
    });

    it("[I5] takes no token that anybody could use", async () => {
      const { result } = await way(token("Bearer"), {}, none, bound);
      expect(result).toEqual(fail({ reason: "unreadable", what: "the tokens are bound to no key" }));
      const { party } = await way(token("DPoP"), {}, none, bound);
      const renewed = await renew(
        vendor(() => token("Bearer")(asked(party, ""))),
        party,
        { ...said().grant, binding },
      );
      expect(renewed).toMatchObject({ ok: false, problem: { reason: "unreadable" } });
    });

    it("[I7] shows a bound token nowhere without its proof, neither looking at it nor revoking it", () => {
      const { grant } = said();
      const { revoke } = integration.actions;
      if (isAbsent(revoke) || isBulk(revoke)) throw new Error("it revokes one at a time");
      const { introspection: _, ...unseen } = grant.server ?? {};
      for (const server of [grant.server ?? {}, unseen]) {
        const own: Grant = { ...grant, binding: { key: binding.key }, server };
        const order = orderFor(bound, connection, { grant: own });
        const all = [revoke.run(order), revoke.look?.run(order), oauth.alive?.({ settings: bound, grant: own })];
        const calls = all.flatMap((steps) =>
          steps === undefined ? [] : play<unknown>(steps, () => ({ status: 200, body: { active: true } })).calls,
        );
        expect(calls.length).toBeGreaterThan(2);
        for (const { headers, sign, body } of calls) {
          expect(headers.authorization ?? "").not.toContain(grant.accessToken);
          // Told to the server itself, which is asked about it or is to end it; else with the proof.
          const isTold = new URLSearchParams(body).has("token");
          if (!isTold) expect(sign).toEqual({ scheme: "dpop", key: binding.key, accessToken: grant.accessToken });
        }
      }
    });
  });
});
