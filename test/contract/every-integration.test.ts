/// <reference types="vite/client" />
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EBAY_KEY } from "../../cli/senders/ebay.ts";
import * as senders from "../../cli/senders/index.ts";
import { newVendorKey } from "../../cli/senders/keys.ts";
import type { Made, SampleEvent, Sender } from "../../cli/senders/sender.ts";
import * as all from "../../integrations/index.ts";
import type { Call } from "../../src/contract/call.ts";
import {
  type Action,
  type ActionName,
  type Hook,
  type Integration,
  isAbsent,
  isBulk,
  type Order,
  type Steps,
} from "../../src/contract/integration.ts";
import { CONNECTION, homeOf } from "../../src/contract/oauth.ts";
import type { Answer, Sight } from "../../src/contract/outcome.ts";
import {
  DNS_LABEL,
  isOwn,
  isPublicEndpoint,
  originOf,
  type Settings,
  settingsSchema,
} from "../../src/contract/settings.ts";
import type { Stream } from "../../src/contract/stream.ts";
import type { Part, Verification } from "../../src/contract/verification.ts";
import { IMPORT } from "../../src/intake/import.ts";
import type { Verified } from "../../src/intake/schemes/scheme.ts";
import type { ClientCredentials, KeySets } from "../../src/ports.ts";
import { isDevelopmentKey } from "../../src/registry/development-key.ts";
import { fail, ok } from "../../src/result.ts";
import type { Sample, StreamSample, Way } from "../integrations/samples/kit.ts";
import { orderFor, type Played, play } from "../support/play.ts";
import { checked, proven } from "../support/proven.ts";

// The same cases at every run.
fc.configureGlobal({ seed: 20_261_121 });

const NOW = Date.parse("2026-11-21T09:00:00Z");
const encoder = new TextEncoder();
const vendor = await newVendorKey();
const certificates = new Map([
  [
    "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
    await vendor.certificate("sns.amazonaws.com"),
  ],
  [
    "https://api.paypal.com/v1/notifications/certs/CERT-0123456789abcdef",
    await vendor.certificate("messageverificationcerts.paypal.com"),
  ],
]);
const keySets: KeySets = {
  keys: async () => vendor.keys,
  text: async (address, behind) => {
    if (behind !== undefined) return ebayKeyAt(address, behind);
    const pem = certificates.get(address);
    return pem === undefined ? fail("absent") : ok(pem);
  },
};

/** eBay's keys lie behind a token of the application. */
function ebayKeyAt(address: string, behind: ClientCredentials): Awaited<ReturnType<KeySets["text"]>> {
  const { clientId, clientSecret } = sampleOf("ebay").settings;
  if (!address.endsWith(`/${EBAY_KEY.id}`)) return fail("absent");
  if (behind.id !== clientId || behind.secret !== clientSecret) return fail("unavailable");
  const key = `-----BEGIN PUBLIC KEY-----${EBAY_KEY.publicKey}-----END PUBLIC KEY-----`;
  return ok(JSON.stringify({ key, algorithm: "ECDSA", digest: "SHA1" }));
}

const exported = Object.entries<Integration>(all).map(([name, integration]) => ({
  name,
  integration,
  id: integration.id,
}));
const samples = import.meta.glob<{ readonly sample: Sample }>("../integrations/samples/*.ts", { eager: true });
const sampleOf = (id: string): Sample =>
  samples[`../integrations/samples/${id}.ts`]?.sample ?? { settings: {}, hooks: {}, ways: [] };
const senderOf = (name: string): Sender => Object.entries<Sender>(senders).find(([id]) => id === name)?.[1] ?? {};
const hooksOf = ({ hooks }: Integration): [string, Hook][] => (isAbsent(hooks) ? [] : Object.entries(hooks));
const actionsOf = ({ actions }: Integration) =>
  (Object.entries(actions) as [ActionName, Action<Settings>][]).filter(([, action]) => !isAbsent(action));

describe.each(exported)("$id", ({ name, integration, id }) => {
  const sample = sampleOf(id);
  const hooks = hooksOf(integration);

  it("has an id in kebab-case that equals its file's name and its export's", async () => {
    expect(id).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
    expect(name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)).toBe(id);
    const module: Readonly<Record<string, unknown>> = await import(`../../integrations/${id}.ts`);
    expect(module[name]).toBe(integration);
  });

  it("has samples for its contract test", () => {
    expect(Object.keys(samples)).toContain(`../integrations/samples/${id}.ts`);
    expect(Object.keys(sample.hooks)).toEqual(hooks.map(([endpoint]) => endpoint));
    expect(new Set(sample.ways.map(({ action }) => action))).toEqual(
      new Set(actionsOf(integration).map(([action]) => action)),
    );
  });

  it("says what it is, and where it may be called", () => {
    expect(integration.name.trim()).not.toBe("");
    expect(integration.about.trim()).not.toBe("");
    for (const declared of integration.origins) {
      const origin = declared.replace(/(?<=[/.])\{\w+\}(?=\.)/g, "label");
      expect(new URL(origin).origin).toBe(origin);
      expect(isPublicEndpoint(`${origin}/`), origin).toBe(true);
    }
    expect(integration.limits.connections).toBeGreaterThan(0);
  });

  it("[I13] lets a setting choose no more of an origin than one DNS label before the vendor's own name", () => {
    for (const declared of integration.origins)
      for (const [braced, name = ""] of declared.matchAll(/\{(\w+)\}/g)) {
        expect(declared.slice(declared.indexOf(braced) + braced.length)).toMatch(/^(\.[a-z0-9-]+){2,}$/);
        expect(integration.settings[name]).toMatchObject({ kind: "text", pattern: DNS_LABEL });
        for (const value of [
          "",
          "a.b",
          "evil.example/",
          "a/b",
          "a@b",
          "a:1",
          "a#",
          "a?",
          "-a",
          "a-",
          "A",
          "a".repeat(64),
        ])
          expect(
            originOf(declared, integration.settings, { ...sample.settings, [name]: value }),
            value,
          ).toBeUndefined();
      }
  });

  it("[I13] sends people and tokens to its own origins only, and gives what it was granted back", () => {
    const { oauth, settings, origins, actions, hooks } = integration;
    if (isAbsent(oauth)) return;
    const { client } = oauth;
    const signs = typeof client.by === "string" ? [] : [client.by.keyId, client.by.issuer];
    const own = client.by === "document" ? [client.scopes] : [client.id, client.secret];
    for (const named of [...own, ...signs]) expect(Object.keys(settings)).toContain(named);
    if (client.by !== "document") expect(settings[client.secret]).toMatchObject({ kind: "secret" });
    if (client.by !== "document" && client.dpop !== undefined) {
      // Asked for by filling it in; what proofs the server takes is said by its metadata.
      expect(settings[client.dpop]).toMatchObject({ kind: "text", required: false, pattern: expect.any(RegExp) });
      expect(Object.keys(oauth.server)).toContain("discovered");
    }
    if (oauth.site !== undefined) expect(settings[oauth.site]).toMatchObject({ kind: "text", pattern: DNS_LABEL });
    const { server } = oauth;
    if ("discovered" in server) expect(settings[server.discovered]).toMatchObject({ kind: "endpoint" });
    if ("asks" in server) expect(server.asks).toMatchObject({ kind: "text", pattern: expect.any(RegExp) });
    if ("by" in server)
      for (const value of Object.keys(server.servers)) {
        const chosen = settings[server.by];
        expect(chosen?.kind === "text" && chosen.pattern?.test(value) === true, value).toBe(true);
      }
    const servers = "by" in server ? Object.values(server.servers) : "token" in server ? [server] : [];
    for (const { token, authorize } of servers) {
      for (const address of [token, authorize]) expect(address).toMatch(/^https:\/\/[a-z0-9.{}-]+\//i);
      // The token goes where calls may go; a person may be sent to another host of the vendor's.
      expect(origins).toContain(/^https:\/\/[^/]+/.exec(token)?.[0]);
    }
    if (isAbsent(actions.revoke))
      throw new Error("what was granted has to be given back, if only by destroying it here");
    expect(actions.revoke.by).toContain(CONNECTION);
    expect(actions.revoke.each).toBe("identity");
    // Our own word of a connection's end has this place.
    if (!isAbsent(hooks)) expect(Object.keys(hooks)).not.toContain(CONNECTION);
  });

  it("names the source of each hook, of its OAuth, of each action and of what the holder keeps", () => {
    const { hooks: declared, oauth, actions, residuals } = integration;
    const sourced: readonly { readonly source: string }[] = [
      ...(isAbsent(declared) ? [declared] : Object.values(declared)),
      ...Object.values(integration.streams ?? {}),
      ...Object.values(integration.lists ?? {}),
      oauth,
      ...Object.values(actions),
      ...residuals,
      ...(integration.limits.perDay === undefined ? [] : [integration.limits.perDay]),
    ];
    for (const { source } of sourced) {
      expect(URL.canParse(source), source).toBe(true);
      expect(new URL(source).protocol, source).toBe("https:");
    }
  });

  it("gives a reason for whatever is absent", () => {
    const parts: readonly object[] = [integration.hooks, integration.oauth, ...Object.values(integration.actions)];
    for (const part of parts) if (isAbsent(part)) expect(part.absent.trim()).not.toBe("");
  });

  it("labels its settings, and takes those of its sample", () => {
    for (const [setting, { label }] of Object.entries(integration.settings)) expect(label.trim(), setting).not.toBe("");
    expect(settingsSchema(integration.settings).safeParse(sample.settings).success).toBe(true);
  });

  it("owns the identity types of its namespace, and says what each is", () => {
    for (const [type, meaning] of Object.entries(integration.identities)) {
      expect(type).toMatch(new RegExp(`^${id}\\.[a-z][a-z0-9_-]*$`));
      expect(meaning.trim()).not.toBe("");
    }
  });

  it("looks only with identity types that are its own or everyone's", () => {
    const shared = ["email", "phone", "user_id", "handle", "did"];
    const granted = isAbsent(integration.oauth) ? [] : [CONNECTION];
    const known = new Set([...Object.keys(integration.identities), ...shared, ...granted]);
    for (const [, { by, learns = [] }] of actionsOf(integration))
      for (const type of [...(by === "any" ? [] : by), ...learns]) expect(known).toContain(type);
  });

  it("publishes only with a person's grant, and says what by ids of its own", () => {
    const { unpublish } = integration.actions;
    if (unpublish === undefined) return;
    expect(isAbsent(integration.oauth)).toBe(false);
    if (isAbsent(unpublish)) return;
    for (const type of unpublish.by) expect(Object.keys(integration.identities)).toContain(type);
    // What is published for a person is not what the holder keeps of them.
    const { erase } = integration.actions;
    if (!isAbsent(erase)) for (const type of unpublish.by) expect(erase.by).not.toContain(type);
  });

  it("needs for an action only settings that may be left out, and its sample fills them in", () => {
    for (const [, { needs }] of actionsOf(integration))
      for (const setting of needs?.settings ?? []) {
        expect(integration.settings[setting]?.required, setting).toBe(false);
        expect(sample.settings[setting], setting).toBeDefined();
        expect(isPublicEndpoint(needs?.otherwise.source ?? "")).toBe(true);
      }
  });

  describe.each(hooks.map(([endpoint, hook]) => ({ endpoint, hook })))("hook $endpoint", ({ endpoint, hook }) => {
    const said = sample.hooks[endpoint] ?? {};
    const sent = senderOf(name)[endpoint] ?? {};
    const [first = NOTHING] = Object.values(sent);
    const { verify: scheme } = hook;
    const genuine = (at = NOW, settings = sample.settings, event = first) => made(event, endpoint, settings, at);

    it("takes its key from a setting, and a shared one from a secret", () => {
      if ("key" in scheme) expect(Object.keys(integration.settings)).toContain(scheme.key);
      if ("key" in scheme && SHARED.has(scheme.scheme)) expect(integration.settings[scheme.key]?.kind).toBe("secret");
    });

    it("[I5] has samples that a deployed gateway does not believe, where anybody can make them", () => {
      if (scheme.scheme === "ed25519" || scheme.scheme === "ecdsa-p256")
        expect(isDevelopmentKey(sample.settings[scheme.key] ?? "")).toBe(true);
    });

    it("has a sender and an expectation for each of its events", () => {
      expect(Object.keys(sent).toSorted()).toEqual([...hook.events].toSorted());
      expect(Object.keys(said).toSorted()).toEqual([...hook.events].toSorted());
    });

    it.each(Object.keys(sent))("accepts a genuine %s and reads what it says", async (event) => {
      const delivery = await genuine(NOW, sample.settings, sent[event]);
      const proven = await verified(hook, delivery, sample.settings, endpoint);
      if (!proven.ok) throw new Error(JSON.stringify(proven.problem));
      const reading = hook.read(proven.value);
      if (!reading.ok) throw new Error(`${reading.problem.reason} at ${reading.problem.at}`);
      expect(hook.contentTypes).toContain(delivery.headers["content-type"]?.split(";")[0]);
      for (const { id } of reading.value) expect(id).not.toBe("");
      const signals = reading.value.flatMap((each) => each.signals);
      expect(signals).toEqual(said[event]?.(NOW));
      for (const { type, identity } of signals) {
        // An e-mail address is everyone's: a vendor that knows no other id can cause nothing by it until the policy widens its hook.
        expect([...Object.keys(integration.identities), "email"]).toContain(identity.type);
        expect(hook.authority[type]).toBeDefined();
      }
    });

    it("reads the same ids from the same delivery sent twice, and others from another", async () => {
      const ids = async (delivery: Made) => {
        const proven = await verified(hook, delivery, sample.settings, endpoint);
        const reading = proven.ok ? hook.read(proven.value) : undefined;
        return reading?.ok === true ? reading.value.map((event) => event.id) : [];
      };
      const one = await ids(await genuine());
      expect(one.length).toBeGreaterThan(0);
      expect(await ids(await genuine())).toEqual(one);
    });

    it("[I5] is signed in a way that cannot be read in two", () => {
      const within = ageOf(scheme);
      if (within !== undefined) expect(within).toBeGreaterThan(0);
      // A header or an item that touches another could end one character later: only a time of a fixed form cannot.
      for (const [one, two] of "over" in scheme ? scheme.over.map((part, at, all) => [part, all[at + 1]] as const) : [])
        if (isNamed(one) && isNamed(two)) expect([one, two]).toContainEqual("fresh" in scheme ? scheme.fresh?.at : {});
      if (scheme.scheme !== "jwt") return;
      if (typeof scheme.keys === "string") expect(integration.origins).toContain(new URL(scheme.keys).origin);
      // Anybody can have a token made for any address: who is meant stands in a claim of its own.
      if (scheme.audience === "url")
        expect(Object.values(scheme.claims ?? {}).some((each) => each !== true)).toBe(true);
    });

    it("[I5] has challenges that sign nothing which could be a delivery, and bear any delivery", () => {
      for (const challenge of hook.challenges ?? []) {
        expect(new URL(challenge.source).protocol).toBe("https:");
        if (challenge.ask === "presence") continue;
        expect(challenge.shape.flags, "a pattern that remembers").not.toMatch(/[gy]/);
        if (challenge.ask === "delivery") {
          const find = (text: string) => challenge.find(rubbish(text));
          fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => typeof find(text) !== "number"));
          for (const text of ["{", "null", "[{}]", "1", '""']) expect(find(text)).toBeUndefined();
        } else if (challenge.answer.give === "hmac")
          for (const around of ["", "a", "v0:1:", "hmacsha256=", "1."])
            for (const text of ["{}", "[]", "[{}]", '{"a":1}', "a=b&c=d", "a:b", '"a"'])
              expect(challenge.shape.exec(around + text)?.[0], text).not.toBe(around + text);
      }
    });

    it("[I5] takes a key from a delivery only by a secret of ours, and never a delivery that says something", async () => {
      if (hook.offer === undefined) return;
      const { offer } = hook;
      expect(new URL(offer.source).protocol).toBe("https:");
      expect(integration.settings[offer.verify.key]?.kind).toBe("secret");
      const tells = (text: string) => offer.tells(rubbish(text));
      fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => tells(text) === false));
      for (const event of Object.values(sent))
        expect(tells((await genuine(NOW, sample.settings, event)).body)).toBe(false);
    });

    it("[I5] asks for a call of ours only to its own origins, and bears any delivery", async () => {
      if (hook.handshake === undefined) return;
      const { handshake } = hook;
      expect(new URL(handshake.source).protocol).toBe("https:");
      expect(handshake.withinHours).toBeGreaterThan(0);
      const find = (text: string) => handshake.find(rubbish(text));
      fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => find(text) === undefined));
      const proof = await verified(hook, await genuine(), sample.settings, endpoint);
      const value = proof.ok ? handshake.find(proof.value) : undefined;
      if (value === undefined) return;
      const { calls, outcome } = play(handshake.run(value, sample.settings), () => ({ status: 200 }));
      expect(outcome).toEqual({ outcome: "informed" });
      for (const call of calls) expectAllowed(call, integration, sample);
      for (const status of undocumentedBy(200))
        expect(play(handshake.run(value, sample.settings), () => ({ status })).outcome).not.toEqual(outcome);
    });

    it("[I5] refuses a delivery with any byte of its body changed", async () => {
      if (!coversBody(scheme)) return;
      const delivery = await genuine();
      const bytes = encoder.encode(delivery.body);
      for (let at = 0; at < bytes.length; at++)
        for (let bit = 0; bit < 8; bit++) {
          if (saysTheSame(scheme, bytes, flipped(bytes, at, bit))) continue;
          const result = await verified(
            hook,
            { ...delivery, body: flipped(bytes, at, bit) },
            sample.settings,
            endpoint,
          );
          expect(result.ok, `byte ${at} bit ${bit}`).toBe(false);
        }
    });

    it("[I5] refuses a delivery with any character of a signed header changed", async () => {
      const delivery = await genuine();
      for (const header of signedHeaders(scheme)) {
        const value = delivery.headers[header] ?? "";
        for (let at = 0; at < value.length; at++)
          for (const other of ["0", "a", "Z", ",", "=", " "].filter((each) => each !== value[at])) {
            const headers = { ...delivery.headers, [header]: `${value.slice(0, at)}${other}${value.slice(at + 1)}` };
            const result = await verified(hook, { ...delivery, headers }, sample.settings, endpoint);
            expect(result.ok, `${header} at ${at}: ${other}`).toBe(false);
          }
      }
    });

    it("[I5] refuses a delivery without one of its signed headers", async () => {
      const delivery = await genuine();
      for (const header of signedHeaders(scheme)) {
        const { [header]: _, ...headers } = delivery.headers;
        expect((await verified(hook, { ...delivery, headers }, sample.settings, endpoint)).ok, header).toBe(false);
      }
    });

    it("[I5] refuses a delivery that was signed with another key, or when no key is known", async () => {
      const delivery = await genuine();
      for (const setting of keySettings(scheme)) {
        const { [setting]: value = "", ...without } = sample.settings;
        expect((await verified(hook, delivery, without, endpoint)).ok).toBe(false);
        const other = { ...without, [setting]: otherKey(value) };
        expect((await verified(hook, delivery, other, endpoint)).ok).toBe(false);
        if (SHARED.has(scheme.scheme))
          expect((await verified(hook, await genuine(NOW, other), sample.settings, endpoint)).ok).toBe(false);
      }
    });

    it("[I5] refuses a delivery that names another app or account than ours, and takes what names none", async () => {
      const expects = "expects" in scheme ? (scheme.expects ?? []) : [];
      for (const { at, setting } of expects) {
        expect(integration.settings[setting]).toMatchObject({ kind: "text" });
        expect(sample.settings[setting], setting).toBeDefined();
        const named: string[] = [];
        for (const [event, each] of Object.entries(sent)) {
          const delivery = await genuine(NOW, sample.settings, each);
          const taken = async (value: string | undefined) => {
            const { [setting]: _, ...others } = sample.settings;
            const settings = value === undefined ? others : { ...others, [setting]: value };
            return (await verified(hook, delivery, settings, endpoint)).ok;
          };
          expect(await taken(undefined), event).toBe(true);
          expect(await taken(`stranger,${sample.settings[setting]}`), event).toBe(true);
          if (!(await taken("stranger"))) named.push(event);
        }
        expect(named.length, `events that name one at ${at.join(".")}`).toBeGreaterThan(0);
      }
    });

    it("[I5] knows a delivery whose body is not really signed by the id that is", async () => {
      if (scheme.scheme !== "paypal") return;
      const ids = async (each: string, body: string) => {
        const header = (name: string) => (name === "paypal-transmission-id" ? each : undefined);
        const reading = hook.read({ ...rubbish(body), signed: header });
        return reading.ok ? reading.value.map(({ id }) => id) : [];
      };
      const [{ body }, { body: other }] = [await genuine(), await genuine(NOW - 60_000)];
      expect(await ids("one", other)).toEqual(await ids("one", body));
      expect(await ids("two", body)).not.toEqual(await ids("one", body));
    });

    it("[I5] refuses an old delivery where its scheme sets an age, and only there", async () => {
      const within = ageOf(scheme);
      const old = await genuine(NOW - ((within ?? 86_400) + 1) * 1000);
      expect((await verified(hook, old, sample.settings, endpoint)).ok).toBe(within === undefined);
    });

    it("[I5] answers rubbish with a result, never with an exception", () => {
      const read = (text: string) => hook.read(rubbish(text));
      fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => typeof read(text).ok === "boolean"));
      for (const text of ["{", "null", "[{}]"]) expect(read(text).ok).toBe(false);
    });
  });

  describe.each(Object.entries(integration.streams ?? {}).map(([endpoint, stream]) => ({ endpoint, stream })))(
    "stream $endpoint",
    ({ endpoint, stream }) => {
      const said = sample.streams?.[endpoint] ?? {};

      it("is called unlike any hook, and names its source", () => {
        expect(hooks.map(([name]) => name)).not.toContain(endpoint);
        for (const { source } of [stream, ...(stream.confirm === undefined ? [] : [stream.confirm])])
          expect(new URL(source).protocol, source).toBe("https:");
      });

      it("[I13] is read at declared origins only, over TLS, from where reading stopped", () => {
        for (const origin of stream.origins) {
          expect(integration.origins).toContain(origin);
          for (const [address, says] of addressesOf(stream, origin, said)) {
            const { protocol, host, search } = new URL(address);
            expect([protocol, host]).toEqual([stream.reach === "tenant" ? "https:" : "wss:", new URL(origin).host]);
            for (const each of says) expect(search).toContain(encodeURIComponent(each));
          }
        }
      });

      it("[I7] is opened with a secret of the tenant's own where it is the tenant's own", () => {
        if (stream.reach === "everybody") return;
        expect(integration.settings[stream.bearer]).toMatchObject({ kind: "secret", required: false });
        expect(new Set(stream.parts).size).toBe(stream.parts.length);
        for (const part of stream.parts) expect(part).toMatch(/^[\w-]+$/);
        expect(sample.settings[stream.bearer]).toBeDefined();
        for (const [address] of addressesOf(stream, stream.origins[0], said))
          expect(address).not.toContain(sample.settings[stream.bearer]);
      });

      it("has an expectation for each of its events", () => {
        expect(Object.keys(said).toSorted()).toEqual([...stream.events].toSorted());
      });

      it.each(Object.entries(said))("reads what %s says, and when", (event, { message, says, isTimeless = false }) => {
        const told = stream.read(message(NOW));
        if (!told.ok) throw new Error(`${told.problem.reason} at ${told.problem.at}`);
        expect(told.value.place?.at).toBe(isTimeless ? undefined : NOW);
        expect(told.value.events.map(({ name }) => name)).toEqual([event]);
        const signals = told.value.events.flatMap((each) => each.signals);
        expect(signals).toEqual(says(NOW));
        for (const { type, identity } of signals) {
          expect(Object.keys(integration.identities)).toContain(identity.type);
          expect(stream.authority[type]).toBeDefined();
        }
        for (const { id, knownBy, signals } of told.value.events) {
          expect(id).not.toBe("");
          if (signals.length > 0) expect(knownBy.length).toBeGreaterThan(0);
        }
        expect(stream.read(message(NOW)), "the same again").toEqual(told);
      });

      it("[I5] answers rubbish with a result, never with an exception", () => {
        fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => typeof stream.read(text).ok === "boolean"));
        for (const text of ["", "{", "null", "[{}]"]) expect(stream.read(text).ok).toBe(false);
      });
    },
  );

  describe.each(Object.entries(integration.lists ?? {}).map(([endpoint, list]) => ({ endpoint, list })))(
    "list $endpoint",
    ({ endpoint, list }) => {
      const said = sample.lists?.[endpoint] ?? {};

      it("is called unlike any hook, any stream and the import, and has an expectation for each of its events", () => {
        const others = [...hooks.map(([name]) => name), ...Object.keys(integration.streams ?? {}), IMPORT];
        expect(others).not.toContain(endpoint);
        expect(Object.keys(said).toSorted()).toEqual([...list.events].toSorted());
      });

      it.each(Object.entries(said))("reads what %s says, and the same again", (event, { line, says }) => {
        const told = list.read(line(NOW), NOW);
        if (!told.ok) throw new Error(`${told.problem.reason} at ${told.problem.at}`);
        expect(told.value.map(({ name }) => name)).toEqual([event]);
        for (const { id } of told.value) expect(id).not.toBe("");
        const signals = told.value.flatMap((each) => each.signals);
        expect(signals).toEqual(says(NOW));
        for (const { type, identity } of signals) {
          expect(Object.keys(integration.identities)).toContain(identity.type);
          expect(list.authority[type]).toBeDefined();
        }
        const ids = ({ value }: typeof told) => value.map(({ id }) => id);
        const later = list.read(line(NOW), NOW + 86_400_000);
        expect(later.ok && ids(later), "on another day").toEqual(ids(told));
      });

      it("[I5] answers rubbish with a result, never with an exception", () => {
        const read = (text: string) => list.read(text, NOW);
        fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => typeof read(text).ok === "boolean"));
        for (const text of ["", "{", "null", "[{}]", "{}"]) expect(read(text).ok).toBe(false);
      });
    },
  );

  describe.each(sample.ways.map((way) => ({ way, title: `${way.action}: ${way.name}` })))("$title", ({ way }) => {
    it("comes to its outcome", () => {
      const { outcome } = play(
        stepsOf(integration, sample, way),
        way.steps.map(({ reply }) => reply),
      );
      expect(outcome).toEqual(way.outcome);
    });

    it("[I13] calls only declared origins over https, with no secret in the address", () => {
      const { calls } = play(
        stepsOf(integration, sample, way),
        way.steps.map(({ reply }) => reply),
      );
      const homes = (way.grants ?? []).flatMap((grant) => homeOf(grant) ?? []);
      for (const call of calls)
        if (!homes.includes(new URL(call.at.url).origin))
          expectAllowed(call, integration, sample, Object.values(way.grant?.server ?? {}));
    });

    it("takes no refusal of a person's own token for one of the tenant's, for which all would have to rest", () => {
      const { calls } = play(
        stepsOf(integration, sample, way),
        way.steps.map(({ reply }) => reply),
      );
      if (way.action === "unpublish") for (const { expects } of calls) expect(expects).toContain(401);
    });

    it("[I4] claims nothing on a status that is not documented, whatever the body", () => {
      way.steps.forEach((_, at) => {
        fc.assert(
          fc.property(fc.constantFrom(...undocumented(way, at)), fc.oneof(fc.string(), fc.json()), (status, body) =>
            claimsNothing(integration, sample, way, at, { status, body }),
          ),
        );
      });
    });

    it("[I4] claims nothing on a status that is not documented, even with the body of a success", () => {
      const claimed = way.steps.flatMap(({ reply }, at) =>
        undocumented(way, at).filter((status) => !claimsNothing(integration, sample, way, at, { ...reply, status })),
      );
      expect(claimed).toEqual([]);
    });
  });
});

const isNamed = (part: Part | undefined): boolean => typeof part === "object" && ("header" in part || "item" in part);

/** Each address that a stream is read at, and what stands in its query. */
function addressesOf(
  stream: Stream,
  origin: string,
  said: StreamSample,
): readonly (readonly [string, readonly string[]])[] {
  if (stream.reach === "everybody") {
    const told = stream.read(Object.values(said)[0]?.message(NOW) ?? "");
    const heard = told.ok ? (told.value.place?.cursor ?? "") : "";
    return [stream.begin(NOW), stream.rewind(heard, 5)].map((cursor) => [stream.address(origin, cursor), [cursor]]);
  }
  const { follow, replay } = stream;
  const text = (at: number) => new Date(at).toISOString().slice(0, 19);
  return stream.parts.flatMap((part): [string, string[]][] => [
    [follow.address(origin, part, follow.mostMinutes), [part, String(follow.mostMinutes)]],
    [replay.address(origin, part, NOW - 3_600_000, NOW), [part, text(NOW - 3_600_000), text(NOW)]],
  ]);
}

const NOTHING: SampleEvent = { person: "", make: () => Promise.reject(new Error("no sender")) };

/** Schemes whose key the vendor and we share, so that whoever has it can sign. */
const SHARED: ReadonlySet<Verification["scheme"]> = new Set([
  "signed-request",
  "stripe",
  "hmac",
  "standard-webhooks",
  "shared-secret",
]);

const coversBody = (scheme: Verification): boolean =>
  scheme.scheme !== "shared-secret" &&
  !(scheme.scheme === "jwt" && typeof scheme.at === "object" && "bearer" in scheme.at);

/** Where the fields of a form are signed, they may be written in several ways: %5b for %5B. SNS signs some members only. */
function saysTheSame(scheme: Verification, one: Uint8Array, other: Uint8Array): boolean {
  if (scheme.scheme === "sns") return readBySns(one) === readBySns(other);
  if (!("over" in scheme) || !scheme.over.includes("form")) return false;
  const fields = (bytes: Uint8Array) => JSON.stringify([...new URLSearchParams(new TextDecoder().decode(bytes))]);
  return fields(one) === fields(other);
}

function readBySns(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes);
  try {
    const read: Record<string, unknown> = JSON.parse(text);
    return JSON.stringify(Object.entries(read).filter(([name]) => SNS_MEMBERS.has(name)));
  } catch {
    return text;
  }
}

const SNS_MEMBERS: ReadonlySet<string> = new Set([
  ...["Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "Token", "SubscribeURL"],
  ...["SignatureVersion", "Signature", "SigningCertURL"],
]);

function signedHeaders(scheme: Verification): readonly string[] {
  switch (scheme.scheme) {
    case "signed-request":
    case "sns":
      return [];
    case "stripe":
      return ["stripe-signature"];
    case "paypal":
      return ["id", "time", "sig"].map((each) => `paypal-transmission-${each}`);
    case "ebay":
      return ["x-ebay-signature"];
    case "standard-webhooks":
      return ["webhook-id", "webhook-timestamp", "webhook-signature"];
    case "jwt":
      return typeof scheme.at === "object" && "bearer" in scheme.at ? [scheme.at.bearer] : [];
    case "shared-secret":
      return "header" in scheme.at ? [scheme.at.header] : "basic" in scheme.at ? ["authorization"] : [];
    default:
      return [
        scheme.signature.header,
        ...scheme.over.flatMap((part) => (typeof part === "object" && "header" in part ? [part.header] : [])),
      ];
  }
}

const keySettings = (scheme: Verification): readonly string[] => {
  if (scheme.scheme === "sns") return [scheme.topics.setting];
  if (scheme.scheme === "paypal") return [scheme.webhookId.setting];
  if (scheme.scheme === "ebay") return [scheme.client.id.setting, scheme.client.secret.setting];
  if (scheme.scheme === "jwt") return scheme.audience === "url" ? [] : [scheme.audience.setting];
  return [scheme.key];
};

/** Another key of the same form: its last letter or digit but one is another. */
const otherKey = (key: string): string =>
  key.replace(/[0-9A-Za-z](?=[0-9A-Za-z][^0-9A-Za-z]*$)/, (each) => (each === "1" ? "2" : "1"));

function ageOf(scheme: Verification): number | undefined {
  if ("withinSeconds" in scheme) return scheme.withinSeconds;
  // The longest life that a vendor is known to give a token, and the clocks' tolerance.
  if (scheme.scheme === "jwt" && scheme.expires) return 86_400 + 300;
  return "fresh" in scheme ? scheme.fresh?.withinSeconds : undefined;
}

function addressOf(endpoint: string, query: Made["query"] = {}): string {
  const search = new URLSearchParams(query).toString();
  return `https://gateway.example.com/hooks/acme/vendor/${endpoint}${search === "" ? "" : `?${search}`}`;
}

const made = (event: SampleEvent, endpoint: string, settings: Sample["settings"], at: number): Promise<Made> =>
  event.make({
    settings,
    at,
    seed: "1",
    person: event.person,
    url: addressOf(endpoint),
    token: vendor.token,
    sign: vendor.sign,
  });

const verified = (
  hook: Hook,
  { body, headers, query = {} }: Omit<Made, "body"> & { readonly body: string | Uint8Array },
  settings: Sample["settings"],
  endpoint: string,
): Promise<Verified> =>
  checked(hook.verify, { body, headers, url: addressOf(endpoint, query) }, settings, {
    now: NOW,
    keySets,
  });

const rubbish = (text: string) => proven(text, {}, NOW);

function flipped(bytes: Uint8Array, at: number, bit: number): Uint8Array<ArrayBuffer> {
  const changed = Uint8Array.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ (1 << bit);
  return changed;
}

function stepsOf(integration: Integration, sample: Sample, way: Way): Steps<Answer | Sight> {
  const action = integration.actions[way.action];
  if (action === undefined || isAbsent(action)) throw new Error(`${integration.id} has no ${way.action}`);
  const order: Order = orderFor(sample.settings, way.identity, {
    keeps: new Set(way.keeps ?? []),
    ...(way.grant !== undefined && { grant: way.grant }),
    ...(way.grants !== undefined && { grants: way.grants }),
  });
  if (isBulk(action)) {
    if (way.part === "run") return only(action.bulk.run([order], "batch"));
    if (way.part === "look" && action.look !== undefined) return action.look.run(order);
    if (way.part === "look" || action.bulk.check === undefined) throw new Error(`${integration.id} has no such part`);
    return only(action.bulk.check(way.part.check, [order]));
  }
  if (way.part === "run") return action.run(order);
  if (way.part === "look") {
    if (action.look === undefined) throw new Error(`${integration.id} has no look`);
    return action.look.run(order);
  }
  if (action.check === undefined) throw new Error(`${integration.id} has no check`);
  return action.check(way.part.check, order);
}

/** A bulk call for one. */
function* only(steps: Steps<readonly Answer[]>): Steps<Answer> {
  const [answer] = yield* steps;
  if (answer === undefined) throw new Error("a bulk call answers for each");
  return answer;
}

const ALL = Array.from({ length: 500 }, (_, index) => index + 100);
const undocumentedBy = (...known: readonly number[]) => ALL.filter((status) => !known.includes(status));
const undocumented = (way: Way, at: number) => {
  const documented = way.steps[at]?.documented ?? (() => true);
  return ALL.filter((status) => !documented(status));
};

/** Whatever comes after the odd reply is answered as in the sample, so that nothing but the oddity can stop a claim. */
function claimsNothing(integration: Integration, sample: Sample, way: Way, at: number, odd: Played): boolean {
  const { outcome } = play(stepsOf(integration, sample, way), (_, index) =>
    index === at ? odd : (way.steps[index]?.reply ?? { status: 599 }),
  );
  if (typeof outcome === "string") return outcome !== "absent";
  return !["erased", "revoked", "not_found"].includes(outcome.outcome);
}

const filled = (declared: string, settings: Sample["settings"]) =>
  declared.replace(/\{(\w+)\}/g, (_, name: string) => settings[name] ?? "");

function expectAllowed(
  { at }: Call,
  integration: Integration,
  { settings }: Sample,
  discovered: readonly string[] = [],
): void {
  const url = new URL(at.url);
  expect(
    integration.origins.some((declared) => filled(declared, settings) === url.origin) ||
      Object.entries(integration.settings).some(([name, setting]) => isOwn(setting, settings[name], at.url)) ||
      discovered.includes(at.url),
    at.template,
  ).toBe(true);
  expect(url.protocol).toBe("https:");
  for (const [name, { kind }] of Object.entries(integration.settings))
    if (kind === "secret") expect(decodeURIComponent(at.url).includes(settings[name] ?? name), name).toBe(false);
}
