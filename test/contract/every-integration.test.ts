import fc from "fast-check";
import { describe, expect, it } from "vitest";
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
import type { Answer, Sight } from "../../src/contract/outcome.ts";
import { isPublicEndpoint, type Settings, settingsSchema } from "../../src/contract/settings.ts";
import { type Delivery, verify } from "../../src/intake/verify.ts";
import { type Genuine, type Sample, samples, type Way } from "../integrations/samples.ts";
import { orderFor, type Played, play } from "../support/play.ts";

// The same cases at every run.
fc.configureGlobal({ seed: 20_261_121 });

const NOW = Date.parse("2026-11-21T09:00:00Z");
const encoder = new TextEncoder();

const exported = Object.entries<Integration>(all).map(([name, integration]) => ({
  name,
  integration,
  id: integration.id,
}));
const sampleOf = (id: string): Sample => samples[id] ?? { settings: {}, hooks: {}, ways: [] };
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
    expect(Object.keys(samples)).toContain(id);
    expect(Object.keys(sample.hooks)).toEqual(hooks.map(([endpoint]) => endpoint));
    expect(new Set(sample.ways.map(({ action }) => action))).toEqual(
      new Set(actionsOf(integration).map(([action]) => action)),
    );
  });

  it("says what it is, and where it may be called", () => {
    expect(integration.name.trim()).not.toBe("");
    expect(integration.about.trim()).not.toBe("");
    for (const origin of integration.origins) expect(new URL(origin).origin).toBe(origin);
    for (const origin of integration.origins) expect(isPublicEndpoint(`${origin}/`), origin).toBe(true);
    expect(integration.limits.connections).toBeGreaterThan(0);
  });

  it("names the source of each hook, of its OAuth, of each action and of what the holder keeps", () => {
    const { hooks: declared, oauth, actions, residuals } = integration;
    const sourced: readonly { readonly source: string }[] = [
      ...(isAbsent(declared) ? [declared] : Object.values(declared)),
      oauth,
      ...Object.values(actions),
      ...residuals,
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
    const known = new Set([...Object.keys(integration.identities), "email", "phone", "user_id", "handle", "did"]);
    for (const [, { by, learns = [] }] of actionsOf(integration))
      for (const type of [...(by === "any" ? [] : by), ...learns]) expect(known).toContain(type);
  });

  describe.each(hooks.map(([endpoint, hook]) => ({ endpoint, hook })))("hook $endpoint", ({ endpoint, hook }) => {
    const { sign, says } = sample.hooks[endpoint] ?? {
      sign: () => Promise.reject(new Error("no sample")),
      says: () => [],
    };
    const key = sample.settings[hook.verify.key] ?? "";

    it("takes its key from a secret", () => {
      expect(integration.settings[hook.verify.key]?.kind).toBe("secret");
    });

    it("accepts a genuine delivery and reads what it says", async () => {
      const proven = await verified(hook, await sign(key, NOW), [key]);
      if (!proven.ok) throw new Error(proven.problem.reason);
      const reading = hook.read(proven.value.text);
      if (!reading.ok) throw new Error(`${reading.problem.reason} at ${reading.problem.at}`);
      expect(reading.value.deliveryId).not.toBe("");
      expect(reading.value.signals).toEqual(says(NOW));
    });

    it("speaks only for its own identities, and says what each signal may cause", async () => {
      for (const { type, identity } of says(NOW)) {
        expect(Object.keys(integration.identities)).toContain(identity.type);
        expect(hook.authority[type]).toBeDefined();
      }
      expect(hook.events.length).toBeGreaterThan(0);
    });

    it("reads the same id from the same delivery sent twice", async () => {
      const [first, second] = await Promise.all([sign(key, NOW), sign(key, NOW)]);
      const ids = await Promise.all([first, second].map((genuine) => deliveryId(hook, genuine, key)));
      expect(ids[0]).toBe(ids[1]);
    });

    it("[I5] refuses a delivery with any byte of its body changed", async () => {
      const { body, headers } = await sign(key, NOW);
      const bytes = encoder.encode(body);
      for (let at = 0; at < bytes.length; at++)
        for (let bit = 0; bit < 8; bit++)
          expect((await delivered(hook, flipped(bytes, at, bit), headers, [key])).ok, `byte ${at} bit ${bit}`).toBe(
            false,
          );
    });

    it("[I5] refuses a delivery with any character of a signed header changed", async () => {
      const { body, headers } = await sign(key, NOW);
      for (const [header, value] of Object.entries(headers))
        for (let at = 0; at < value.length; at++)
          for (const other of ["0", "a", "Z", ",", "=", " "].filter((each) => each !== value[at])) {
            const changed = { ...headers, [header]: `${value.slice(0, at)}${other}${value.slice(at + 1)}` };
            expect((await delivered(hook, encoder.encode(body), changed, [key])).ok, `${header} at ${at}`).toBe(false);
          }
    });

    it("[I5] refuses a delivery without one of its signed headers", async () => {
      const { body, headers } = await sign(key, NOW);
      for (const header of Object.keys(headers)) {
        const { [header]: _, ...rest } = headers;
        expect((await delivered(hook, encoder.encode(body), rest, [key])).ok, header).toBe(false);
      }
    });

    it("[I5] refuses a delivery that was signed with another key, or when no key is known", async () => {
      const genuine = await sign(key, NOW);
      expect((await verified(hook, genuine, [`${key}x`])).ok).toBe(false);
      expect((await verified(hook, await sign(`${key}x`, NOW), [key])).ok).toBe(false);
      expect((await verified(hook, genuine, [])).ok).toBe(false);
    });

    it("[I5] refuses an old delivery where its scheme sets an age, and only there", async () => {
      const { verify: scheme } = hook;
      const within = "withinSeconds" in scheme ? scheme.withinSeconds : undefined;
      const old = await sign(key, NOW - ((within ?? 86_400) + 1) * 1000);
      expect((await verified(hook, old, [key])).ok).toBe(within === undefined);
    });

    it("[I5] answers rubbish with a result, never with an exception", () => {
      fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => typeof hook.read(text).ok === "boolean"));
      expect(hook.read("{").ok).toBe(false);
      expect(hook.read("null").ok).toBe(false);
      expect(hook.read("[]").ok).toBe(false);
    });
  });

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
      for (const call of calls) expectAllowed(call, integration, sample);
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

const importKey = (secret: string) =>
  crypto.subtle.importKey("raw", encoder.encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);

const delivered = (hook: Hook, body: Uint8Array, headers: Genuine["headers"], keys: readonly string[]) => {
  const delivery: Delivery = { body, header: (header) => headers[header.toLowerCase()] };
  return verify(hook.verify, delivery, keys, importKey, NOW);
};

const verified = (hook: Hook, { body, headers }: Genuine, keys: readonly string[]) =>
  delivered(hook, encoder.encode(body), headers, keys);

async function deliveryId(hook: Hook, genuine: Genuine, key: string): Promise<string | undefined> {
  const proven = await verified(hook, genuine, [key]);
  const reading = proven.ok ? hook.read(proven.value.text) : undefined;
  return reading?.ok === true ? reading.value.deliveryId : undefined;
}

function flipped(bytes: Uint8Array, at: number, bit: number): Uint8Array {
  const changed = Uint8Array.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ (1 << bit);
  return changed;
}

function stepsOf(integration: Integration, sample: Sample, way: Way): Steps<Answer | Sight> {
  const action = integration.actions[way.action];
  if (isAbsent(action)) throw new Error(`${integration.id} has no ${way.action}`);
  const order: Order = orderFor(sample.settings, way.identity, { keeps: new Set(way.keeps ?? []) });
  if (isBulk(action)) {
    if (way.part === "run") return only(action.bulk.run([order], "batch"));
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

function expectAllowed({ at }: Call, integration: Integration, { settings }: Sample): void {
  const url = new URL(at.url);
  const endpoints = Object.entries(integration.settings).filter(([, { kind }]) => kind === "endpoint");
  expect(
    integration.origins.includes(url.origin) || endpoints.some(([name]) => settings[name] === at.url),
    at.template,
  ).toBe(true);
  expect(url.protocol).toBe("https:");
  for (const [name, { kind }] of Object.entries(integration.settings))
    if (kind === "secret") expect(decodeURIComponent(at.url).includes(settings[name] ?? name), name).toBe(false);
}
