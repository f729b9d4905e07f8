/// <reference types="vite/client" />
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as all from "../../integrations/index.ts";
import type { Finding } from "../../src/contract/check.ts";
import { type Integration, isAbsent } from "../../src/contract/integration.ts";
import { isAllowed } from "../../src/lanes/call.ts";
import type { Sample } from "../integrations/samples/kit.ts";
import { type Played, play } from "../support/play.ts";

fc.configureGlobal({ seed: 20_261_121 });

const AT = "2026-11-21T09:00:00.000Z";
const samples = import.meta.glob<{ readonly sample: Sample }>("../integrations/samples/*.ts", { eager: true });
const lists = { data: [] };

/** What a vendor answers when all is well, call by call. */
const WELL: Readonly<Record<string, readonly Played[]>> = {
  openai: [
    { status: 200, body: lists },
    { status: 200, body: lists },
  ],
  "azure-openai": [{ status: 200, body: lists }],
  anthropic: [{ status: 200, body: { ...lists, has_more: false } }],
  mistral: [{ status: 200, body: lists }],
  gemini: [{ status: 200, body: {} }],
  elevenlabs: [
    { status: 200, body: { voices: [], has_more: false } },
    { status: 200, body: { conversations: [], has_more: false } },
  ],
  facebook: [{ status: 200, body: { id: "1234567890" } }],
  stripe: Array.from({ length: 4 }, () => ({ status: 200, body: { data: [], has_more: false } })),
  zendesk: [{ status: 200, body: { user: { id: 7, role: "admin" } } }],
  intercom: [{ status: 200, body: { type: "admin", id: "7" } }],
  sendgrid: [
    {
      status: 200,
      body: { scopes: ["recipients.erasejob.create", "marketing.read", "suppression.bounces.delete", "mail.send"] },
    },
  ],
  mailchimp: [{ status: 200, body: { health_status: "Everything's Chimpy!" } }],
  hubspot: [{ status: 200, body: { total: 0, results: [] } }],
  klaviyo: [{ status: 200, body: { data: [], links: { next: null } } }],
  amplitude: [{ status: 200, body: [] }],
  posthog: [{ status: 200, body: { results: [], next: null } }],
  paypal: [
    { status: 200, body: { access_token: "A21" } },
    { status: 200, body: { payment_tokens: [] } },
  ],
  mixpanel: [{ status: 200, body: { status: "ok", results: { status: "NOT_FOUND", distinct_ids: [] } } }],
  "first-party": [{ status: 200, body: { challenge: "check_20261121090000000" } }],
};

/** What a vendor answers a credential that is none, or lacks a right, where that is not simply 401 or 403. */
const ODD: readonly (readonly [string, Played, Finding["finding"]])[] = [
  ["openai", { status: 401, body: { error: { message: "Missing scopes: api.files.read." } } }, "lacks_scope"],
  ["openai", { status: 401, body: { error: { message: "Incorrect API key provided." } } }, "unauthorized"],
  ["openai", { status: 403, body: { error: { message: "Missing scopes: api.files.read." } } }, "lacks_scope"],
  ["elevenlabs", { status: 401, body: { detail: { status: "missing_permissions" } } }, "lacks_scope"],
  ["elevenlabs", { status: 401, body: { detail: { status: "invalid_api_key" } } }, "unauthorized"],
  [
    "gemini",
    { status: 400, body: { error: { status: "INVALID_ARGUMENT", message: "API key not valid." } } },
    "unauthorized",
  ],
  ["gemini", { status: 403, body: { error: { status: "PERMISSION_DENIED", message: "blocked" } } }, "lacks_scope"],
  ["facebook", { status: 400, body: { error: { code: 190, message: "Invalid token" } } }, "unauthorized"],
  ["facebook", { status: 200, body: { id: "another" } }, "unforeseen"],
  ["zendesk", { status: 200, body: { user: { id: null, role: "end-user" } } }, "unauthorized"],
  ["zendesk", { status: 200, body: { user: { id: 7, role: "agent" } } }, "lacks_scope"],
  ["sendgrid", { status: 200, body: { scopes: ["mail.send"] } }, "lacks_scope"],
  ["first-party", { status: 200, body: { challenge: "another" } }, "unforeseen"],
];

const checked = Object.values<Integration>(all).flatMap((integration) => {
  const { id, check } = integration;
  const sample = samples[`../integrations/samples/${id}.ts`]?.sample;
  return check === undefined || isAbsent(check) || sample === undefined ? [] : [{ id, integration, check, sample }];
});
const settingsFor = ({ settings }: Integration, sample: Sample): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(Object.keys(settings).map((name) => [name, ""])),
  ...sample.settings,
  // Facebook's answer names the app.
  ...("appId" in settings && { appId: "1234567890" }),
});

describe("the checks", () => {
  it("have documented answers here, each of them", () => {
    expect(checked.map(({ id }) => id).toSorted()).toEqual(Object.keys(WELL).toSorted());
  });

  it.each(ODD)("of %s reads %j as %s", (id, reply, finding) => {
    const found = checked.find((each) => each.id === id);
    if (found === undefined) throw new Error(`${id} has no check`);
    const { check, integration, sample } = found;
    expect(play(check.run(settingsFor(integration, sample), AT), [reply]).outcome).toMatchObject({ finding });
  });
});

describe.each(checked)("the check of $id", ({ id, integration, check, sample }) => {
  const settings = settingsFor(integration, sample);
  const well = WELL[id] ?? [];
  const run = (replies: readonly Played[]) => play(check.run(settings, AT), (_, at) => replies[at] ?? { status: 599 });

  it("says where it stands and what it shows", () => {
    expect(new URL(check.source).protocol).toBe("https:");
    expect(check.shows.trim()).not.toBe("");
    if (check.posts !== undefined) expect(check.posts.trim()).not.toBe("");
  });

  it("[I13] finds all well with documented answers, by calls that change nothing, go where they may, and tell no secret", () => {
    const { calls, outcome } = play(check.run(settings, AT), well);
    expect(outcome).toEqual({ finding: "fine" });
    for (const call of calls) {
      expect(isAllowed(call, { integration, settings }), call.at.template).toBe(true);
      if (check.posts === undefined) expect(call.method).toBe("GET");
      for (const [name, { kind }] of Object.entries(integration.settings))
        if (kind === "secret" && settings[name] !== "")
          expect(decodeURIComponent(call.at.url).includes(settings[name] ?? name), name).toBe(false);
    }
  });

  it("never calls a refusal fine, whatever its body, and repeats no word of it", () => {
    well.forEach((good, at) => {
      for (const status of [201, 204, 301, 302, 400, 402, 403, 409, 410, 418, 422])
        for (const body of [good.body, "sentinel-of-the-vendor", { error: { message: "sentinel-of-the-vendor" } }]) {
          const { outcome } = run([...well.slice(0, at), { status, body }, ...well.slice(at + 1)]);
          expect(outcome.finding, `call ${at} status ${status}`).not.toBe("fine");
          expect(JSON.stringify(outcome)).not.toContain("sentinel");
        }
    });
  });

  it("bears any body", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (body) => {
        const { outcome } = run(well.map(() => ({ status: 200, body })));
        return typeof outcome.finding === "string";
      }),
    );
  });
});
