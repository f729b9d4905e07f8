import { Hono } from "hono";
import { base64url } from "jose";
import { describe, expect, it } from "vitest";
import { namesOf } from "../../src/pages/name.ts";
import { NotedPage } from "../../src/pages/noted-page.tsx";
import { status } from "../../src/pages/status.tsx";
import { StatusPage } from "../../src/pages/status-page.tsx";
import type { App, Ports } from "../../src/ports.ts";
import { compact } from "../../src/request/compact.ts";
import { RECEIPT_TYP } from "../../src/request/receipt.ts";
import type { RequestView } from "../../src/request/request.ts";
import {
  accepted,
  erased,
  held,
  inWork,
  NOW,
  names,
  notFound,
  queued,
  request,
  residual,
  retained,
  task,
  views,
} from "./samples.ts";

const markup = (view: RequestView, more: { now?: number; suppressedUntil?: number } = {}): string =>
  String(StatusPage({ view, names, now: NOW, suppressedUntil: undefined, ...more }));

/** What a person reads: no markup, and white space as a browser shows it. */
const text = (view: RequestView, more: { now?: number; suppressedUntil?: number } = {}): string =>
  markup(view, more)
    .replace(/<style>.*<\/style>/s, "")
    .replace(/<\/(?:h\d|p|li|dt|dd)>/g, " ")
    .replace(/<[^>]+>/g, "")
    .replace(/\s+/g, " ");

describe("what was superseded", () => {
  const cancelled = (more: Partial<RequestView>) => ({ ...views.cancelled, source: "facebook/import", ...more });

  it("says of a cancelled request why it was not carried out, and nothing where somebody cancelled it", () => {
    const back = text(cancelled({ superseded_by: "restored" }));
    expect(back).toContain("Facebook Login told Larch that an account had been deleted");
    expect(back).toContain("Facebook Login says that the account was restored after that");
    expect(back).toContain("nothing has been erased or ended because of it");
    expect(text(cancelled({ superseded_by: "connection" }))).toContain("You have connected again since then");
    expect(text(cancelled({}))).not.toMatch(/restored|connected again/);
  });

  it.each([
    ["superseded", "restored", "the account was restored after that"],
    ["superseded", "connection", "You have connected again since then"],
    ["superseded", undefined, "You have connected again since then"],
    ["recorded", undefined, "has taken note of it"],
  ] as const)("says of a message that was %s (%s) that %s", (noted, supersededBy, words) => {
    const page = NotedPage({ noted, supersededBy, controller: "Larch", receivedAt: "2026-11-22T10:00:00.000Z" });
    expect(String(page).replace(/\s+/g, " ")).toContain(words);
  });
});

describe("how the whole request stands", () => {
  it.each<[keyof typeof views, string]>([
    ["scheduled", "Scheduled"],
    ["checked", "Waiting for a check"],
    ["working", "Being worked on"],
    ["finished", "Finished"],
    ["kept", "Finished, except for what is kept"],
    ["onHold", "Finished, except for what is kept"],
    ["nothingFound", "Finished"],
    ["partly", "Not everything could be done"],
    ["nowhere", "Not everything could be done"],
    ["cancelled", "Cancelled"],
    ["revocation", "Finished"],
    ["followUp", "Finished"],
  ])("%s is said as “%s”", (name, headline) => {
    expect(markup(views[name])).toContain(`<h2 id="standing">${headline}</h2>`);
    expect(markup(views[name])).toContain(`<title>${headline}: your request to Larch</title>`);
  });

  it("says when a scheduled request becomes final, and how to stop it", () => {
    expect(text(views.scheduled)).toContain("becomes final on 21 December 2026; the work begins then.");
    expect(text(views.scheduled)).toContain("Contact Larch before then, and the request is stopped.");
    expect(text(views.scheduled)).toContain("Closing of an account at Larch");
  });

  it("says how far the work is and when it is to be finished", () => {
    expect(text(views.working)).toContain("2 of 5 steps have ended so far. It is to be finished by 21 December 2026.");
  });

  it("[I8] says so when the deadline has passed", () => {
    const late = text(views.working, { now: Date.parse("2026-12-22T01:00:00Z") });
    expect(late).toContain("Late, and still being worked on");
    expect(late).toContain("This was to be finished by 21 December 2026, and it is not.");
  });

  it("says that nothing was done when a request was cancelled, or had nowhere to go", () => {
    expect(text(views.cancelled)).toContain("nothing has been erased or ended because of it");
    expect(text(views.nowhere)).toContain("nothing was done: no place was found");
  });

  it("names the platform of a revocation, and what came through it", () => {
    expect(text(views.revocation)).toContain("End of the access that Larch has to an account at Facebook Login.");
    expect(text(views.revocation)).toContain("the access through Facebook Login is ended here too.");
  });
});

describe("what was done, holder by holder", () => {
  it("says of an erasure how well it is known", () => {
    expect(text(views.finished)).toContain("Larch’s own systems The erasure was confirmed on 22 November 2026.");
    expect(text(views.finished)).toContain("Acme Mail Erased. A later look on 22 November 2026 found it gone.");
    const stated = text(request({ tasks: [task({ ...erased, by: "key_1" })] }));
    expect(stated).toContain("Larch stated on 22 November 2026 that this has been erased.");
    expect(stated).not.toContain("key_1");
  });

  it("tells a search that found nothing from a list on which nothing was", () => {
    expect(text(views.nothingFound)).toContain("Asked on 22 November 2026; nothing was there");
    const attested = text(request({ tasks: [task({ ...notFound, level: "attested" })] }));
    expect(attested).toContain("Larch keeps a list of what it places here. Nothing of yours was on it");
  });

  it("says what is open in plain words, and nothing that is meant for the company", () => {
    const open = text({ ...views.working, tasks: [...views.working.tasks, inWork, accepted, queued] });
    for (const words of [
      "Stripe Erasure: needs a person at Larch to look at it.",
      "Acme Mail A step by hand: needs a person at Larch to do it.",
      "Facebook Login End of the access: waiting until another step has ended.",
      "OpenAI Erasure: in work right now.",
      "Acme Mail Erasure: in work; the request was accepted here.",
      "Larch’s own systems Erasure: waiting for its turn.",
    ])
      expect(open).toContain(words);
    expect(open).not.toMatch(/credential|PUT|red button|no API|waits for|at_risk|ask again/);
  });

  it("never lets what was not done pass as erased", () => {
    expect(text(views.partly)).toContain("Do not take that part as erased");
    expect(text(views.partly)).toContain(
      "Acme Mail This was refused on 22 November 2026. You have a right to know why",
    );
    expect(text(views.partly)).toContain("It is not known whether data about you is still here");
    expect(text(views.partly)).not.toContain("policy");
  });
});

describe("[I9] what is kept", () => {
  it("says what, until which day, why and by which law", () => {
    const kept = text(views.kept);
    expect(kept).toContain(
      "Billing records, kept until 21 November 2033. Why: A law requires these records to be kept (§ 147 AO).",
    );
    expect(kept).toContain(
      "Recent payments, kept until 19 February 2027. Why: A contract or a payment is not finished yet.",
    );
    expect(kept).toContain("Why: OpenAI keeps logs of API content to detect abuse.");
    expect(kept).toContain("what is kept goes without you asking");
    expect(markup(views.kept)).toContain('<time datetime="2033-11-21">21 November 2033</time>');
  });

  it("says beside a confirmed erasure that something is kept", () => {
    expect(text(views.kept)).toContain("confirmed on 22 November 2026. Something is kept beside it");
    expect(text(views.finished)).not.toContain("Something is kept");
  });

  it("takes a legal hold's date for the day of its review, never for its end", () => {
    for (const now of [NOW, Date.parse("2027-07-01T00:00:00Z")]) {
      expect(text(views.onHold, { now })).toContain(
        "kept until the legal hold is lifted; the hold is to be reviewed on 1 June 2027.",
      );
      expect(text(views.onHold, { now })).toContain("Finished, except for what is kept");
    }
  });

  it("claims no more than that the time is over when it is", () => {
    const view = request({ status: "closed", complete: true, tasks: [residual] });
    const over = text(view, { now: Date.parse("2027-01-01T00:00:00Z") });
    expect(over).toContain("was kept until 22 December 2026 and was due to go then.");
    expect(over).toContain("that time is over, and what was kept was due to go then");
  });

  it("does not pass over something kept of which no more is known", () => {
    const { retained: _, ...bare } = retained;
    expect(text(request({ status: "closed", complete: true, tasks: [bare] }))).toContain(
      "Data is kept here. Larch can tell you which",
    );
  });

  it("names the mark that keeps data from being collected again", () => {
    const suppressedUntil = Date.parse("2029-11-24T12:00:00Z");
    expect(text(views.finished, { suppressedUntil })).toContain("until 24 November 2029 at the latest");
    expect(text(views.revocation, { suppressedUntil })).not.toContain("collected again");
  });
});

describe("every page", () => {
  it.each(Object.entries(views))("%s claims nothing about everything, and is whole", (_, view) => {
    const page = markup(view);
    expect(text(view)).not.toMatch(
      /\ball (?:of )?(?:your|the) (?:personal )?data\b|everything (?:is|was|has been) (?:erased|deleted)/i,
    );
    expect(page.startsWith("<!doctype html>")).toBe(true);
    expect(page).toContain('<html lang="en">');
    expect(page.match(/<(?:h1|main)\b/g)).toEqual(["<main", "<h1"]);
    expect(page).not.toMatch(/<script|<img|<link|@import|url\(/);
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const levels = [...page.matchAll(/<h(\d)/g)].map(([, level]) => Number(level));
    expect(levels.every((level, index) => level <= (levels[index - 1] ?? 0) + 1)).toBe(true);
    expect(text(view)).toContain("right to complain to a supervisory authority");
    expect(text(view)).toContain(
      "Received 21 November 2026".replace("Received", view.continues ? "Started" : "Received"),
    );
  });

  it("says how the receipt is checked", () => {
    expect(text(views.finished)).toContain("Ask Larch for it.");
    expect(text(views.finished)).toContain("with quittance receipt verify and the public keys");
    expect(text(request({ receipt: "/v1/receipts/req_1" }))).toContain("A first receipt says how things stood");
  });

  it("shows hostile text as text", () => {
    const hostile = "<script>alert(1)</script>";
    const page = String(
      StatusPage({
        view: request({
          tasks: [task({ ...held, retained: [{ category: hostile, until: "2027-01-01T00:00:00Z", ground: hostile }] })],
        }),
        names: { controller: `${hostile}"`, holder: () => hostile },
        now: NOW,
        suppressedUntil: undefined,
      }),
    );
    expect(page).not.toContain("<script");
    expect(page).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
  });
});

describe("names", () => {
  const entry = (facts: { display_name?: string }) => ({
    id: "pay",
    integration: "stripe",
    settings: {},
    secrets: {},
    registersObjects: false,
    status: "active" as const,
    validFrom: "2026-01-01T00:00:00Z",
    version: 1,
    facts,
  });

  it("are the registry's, else the integration's, else the registry id", () => {
    const named = (facts: { display_name?: string }) =>
      namesOf({ name: "Larch", subprocessors: { pay: entry(facts) } }, new Map());
    expect(named({ display_name: "Card payments" }).holder({ subprocessor: "pay" })).toBe("Card payments");
    expect(named({}).holder({ subprocessor: "pay" })).toBe("pay");
    expect(named({}).holder({ subprocessor: "gone", integration: "stripe" })).toBe("gone");
  });
});

describe("GET /status/{code}", () => {
  const id = `req_11${"a".repeat(32)}`;
  const code = `11${"a".repeat(48)}`;

  const appWith = (tenant: object | undefined) => {
    const ports = {
      origin: "https://gateway.example",
      now: () => NOW,
      integrations: new Map([["stripe", { name: "Stripe" }]]),
      tenants: { byNumber: async () => tenant },
      store: { load: async () => [{ st: "closed", c: `0.${await compact(receipt)}` }] },
    } as unknown as Ports; // No more than this is asked for here.
    const app = new Hono<App>();
    app.use(async (c, next) => {
      c.set("ports", ports);
      return next();
    });
    return app.route("/", status());
  };
  const larch = {
    tenant: { n: "1", name: "Larch", subprocessors: {}, policy: { suppression_days: 1095 } },
    keys: { derive: async () => "a".repeat(32) },
  };
  const kid = base64url.encode(new Uint8Array(32));
  const header = base64url.encode(JSON.stringify({ alg: "Ed25519", kid, typ: RECEIPT_TYP }));
  const receipt = `${header}.${base64url.encode(
    JSON.stringify({
      request: id,
      tenant: "larch",
      type: "erasure",
      source: "api",
      complete: true,
      received_at: "2026-11-21T08:30:00.000Z",
      due_at: "2026-12-21T23:59:59.999Z",
      closed_at: "2026-11-25T12:00:00.000Z",
      tasks: [{ ...retained, at: "2026-11-22T10:00:00.000Z", by: "key_1", reason: "see ticket 12" }],
    }),
  )}.${base64url.encode(new Uint8Array(64))}`;
  const get = (app: ReturnType<typeof appWith>, path: string, accept?: string) =>
    app.request(path, accept === undefined ? {} : { headers: { accept } });

  it("shows a browser the page, with the names that people know", async () => {
    const reply = await get(appWith(larch), `/status/${code}`, "text/html,*/*;q=0.8");
    const page = await reply.text();
    expect(reply.status).toBe(200);
    expect(page).toContain("Your request to Larch");
    expect(page).toContain("<h3>Stripe</h3>");
    expect(page).toContain("24 November 2029");
    expect(page).not.toMatch(/key_1|ticket 12/);
  });

  it("gives a program the request as the API shows it, without what the company's people noted", async () => {
    const reply = await get(appWith(larch), `/status/${code}`, "application/json");
    const body = await reply.text();
    expect(JSON.parse(body)).toMatchObject({ id, status: "closed", tasks: [{ retained: retained.retained }] });
    expect(body).not.toMatch(/key_1|ticket 12/);
  });

  it.each([
    [undefined, "text/html"],
    ["*/*", "text/html"],
    ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"],
    ["text/html, application/json;q=0.9", "text/html"],
    ["application/json", "application/problem+json"],
    ["application/json, text/html;q=0.5, */*;q=0.1", "application/problem+json"],
  ])("answers an unknown code to Accept %s with %s", async (accept, type) => {
    const reply = await get(appWith(undefined), `/status/${code}`, accept);
    expect(reply.status).toBe(404);
    expect(reply.headers.get("content-type")).toContain(type);
    expect(reply.headers.get("cache-control")).toBe("no-store");
    expect(reply.headers.get("vary")).toBe("accept");
    if (type === "text/html") expect(await reply.text()).toContain("This link does not lead to a request");
  });

  it("answers a code that was made up for a real tenant in the same way", async () => {
    const [made, unknown] = await Promise.all([
      get(appWith(larch), `/status/${code.slice(0, -1)}b`),
      get(appWith(undefined), `/status/${code}`),
    ]);
    expect(made.status).toBe(404);
    expect(await made.text()).toBe(await unknown.text());
  });
});
