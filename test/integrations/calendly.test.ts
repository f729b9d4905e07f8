import { describe, expect, it } from "vitest";
import { calendly } from "../../integrations/calendly.ts";
import { isAbsent, isBulk } from "../../src/contract/integration.ts";
import { settingsSchema } from "../../src/contract/settings.ts";
import { orderFor, play } from "../support/play.ts";

const { erase } = calendly.actions;
if (isAbsent(erase) || isBulk(erase) || erase.check === undefined) throw new Error("Calendly has an erasure");

const organization = "https://api.calendly.com/organizations/ORG";
const settings = { token: "t0ken", organization, clientId: "", clientSecret: "", webhookUrl: "" };
const order = orderFor(settings, { type: "email", value: "ada+x@example.com" });

describe("Calendly", () => {
  it("says why it has no hook, and what a person can do for an erasure where it has no token", () => {
    expect(isAbsent(calendly.hooks)).toBe(true);
    expect(erase.needs).toMatchObject({
      settings: ["token", "organization"],
      otherwise: { instructions: expect.any(String) },
    });
  });

  it("takes no address for the product's webhooks with which another host's could begin", () => {
    const fits = (value: string) => settingsSchema(calendly.settings).safeParse({ webhookUrl: value }).success;
    expect(fits("https://app.example.com/hooks/")).toBe(true);
    expect(fits("https://app.example.com")).toBe(false);
  });

  it("asks by the person's address alone, and never by a range of time", () => {
    const { calls } = play(erase.run(order), [{ status: 202, body: {} }]);
    expect(calls).toMatchObject([
      { method: "POST", at: { url: "https://api.calendly.com/data_compliance/deletion/invitees" } },
    ]);
    expect(JSON.parse(calls[0]?.body ?? "")).toEqual({ emails: ["ada+x@example.com"] });
  });

  it("looks for events with this invitee in the whole organization", () => {
    const { calls, outcome } = play(erase.check?.("invitee", order) ?? erase.run(order), [
      { status: 200, body: { collection: [] } },
    ]);
    expect(outcome).toEqual({ outcome: "erased" });
    expect(Object.fromEntries(new URL(calls[0]?.at.url ?? "").searchParams)).toEqual({
      organization: settings.organization,
      invitee_email: "ada+x@example.com",
      count: "1",
    });
  });

  it("stops the lane where plan or token do not suffice", () => {
    expect(play(erase.run(order), [{ status: 403 }]).outcome).toMatchObject({ outcome: "unauthorized" });
  });
});
