import { describe, expect, it } from "vitest";
import { sharedSignals } from "../../integrations/shared-signals.ts";
import type { Call } from "../../src/contract/call.ts";
import { streamingOf } from "../../src/intake/transmitter.ts";
import { manage, StreamAction } from "../../src/lanes/manage.ts";
import type { Ports } from "../../src/ports.ts";
import type { Tenant } from "../../src/registry/tenant.ts";
import { fail, ok } from "../../src/result.ts";
import { sample } from "../integrations/samples/shared-signals.ts";
import { replyOf } from "../support/play.ts";
import { type Answered, bench, entry } from "./samples.ts";

const { issuer, audience } = sample.settings;
const METADATA = {
  issuer,
  configuration_endpoint: "https://idp.example.com/streams",
  status_endpoint: "https://idp.example.com/status",
  verification_endpoint: "https://idp.example.com/verify",
};
const POLL = { method: "urn:ietf:rfc:8936", endpoint_url: "https://idp.example.com/poll/s1" };
const STREAM = {
  stream_id: "s1",
  iss: issuer,
  aud: audience,
  events_delivered: ["https://e.example/x"],
  delivery: POLL,
};

/** One subprocessor whose transmitter answers as the test says; what is entered is kept. */
async function desk(settings: object = {}, stream?: object) {
  const made = await bench();
  const calls: Call[] = [];
  const expected: string[] = [];
  let answers: readonly Answered[] = [];
  let metadata: object = METADATA;
  let tenant: Tenant = {
    ...made.context.tenant,
    subprocessors: {
      acme: {
        ...entry("acme"),
        integration: sharedSignals.id,
        settings: { ...sample.settings, ...settings },
        ...(stream !== undefined && { stream: stream as NonNullable<Tenant["subprocessors"][string]["stream"]> }),
      },
    },
  };
  const secrets = async (_: string, name: string) =>
    name === "token" ? ["t0"] : name === "authorization" ? ["s3"] : [];
  const context = () => ({ ...made.context, tenant, secrets });
  const ports: Ports = {
    ...made.ports,
    tenants: { bySlug: async () => context(), byNumber: async () => context() },
    integrations: new Map([[sharedSignals.id, sharedSignals]]),
    send: async (call) => {
      const [next, ...rest] = answers;
      if (next === undefined) throw new Error(`no answer is left for ${call.at.url}`);
      answers = rest;
      calls.push(call);
      return "problem" in next ? fail(next.problem) : ok(replyOf(next));
    },
    store: {
      ...made.ports.store,
      expectVerification: async (_, __, state) => void expected.push(state),
      streamStatus: async (_, __, status) => void expected.push(status),
      change: async (_, __, changed) => {
        tenant = changed;
        return true;
      },
    },
  };
  return {
    calls,
    expected,
    stream: () => tenant.subprocessors.acme?.stream,
    asked: () => calls.map(({ method, at }) => `${method} ${at.url}`),
    publish: (configuration: object) => {
      metadata = configuration;
    },
    do: async (action: object, ...next: readonly Answered[]) => {
      answers = [{ status: 200, body: metadata }, ...next];
      calls.length = 0;
      const streaming = streamingOf(ports, tenant, "acme");
      if (streaming === undefined) throw new Error("there is no stream to manage");
      const done = await manage(ports, context(), streaming, StreamAction.parse(action), "key_1");
      if (done.ok) return "done";
      return "detail" in done.problem ? done.problem.detail : done.problem.reason;
    },
  };
}

const AGREED = {
  id: "s1",
  delivery: "poll",
  endpoint: POLL.endpoint_url,
  audience: [audience],
  events: STREAM.events_delivered,
};

describe("setting a stream up", () => {
  it("asks for what means something here, to be pushed to our hook with the agreed secret, and enters the answer", async () => {
    const { do: act, calls, asked, stream } = await desk();
    const delivery = { method: "urn:ietf:rfc:8935", endpoint_url: "https://gate.example/hooks/acme/acme/events" };
    expect(await act({ action: "create" }, { status: 201, body: { ...STREAM, delivery } })).toBe("done");
    expect(asked()).toEqual([
      "GET https://idp.example.com/.well-known/ssf-configuration",
      "POST https://idp.example.com/streams",
    ]);
    expect(calls.map(({ headers }) => headers.authorization)).toEqual([undefined, "Bearer t0"]);
    expect(JSON.parse(calls[1]?.body ?? "")).toEqual({
      events_requested: expect.any(Array),
      delivery: { ...delivery, authorization_header: "s3" },
    });
    expect(stream()).toEqual({ id: "s1", delivery: "push", audience: [audience], events: STREAM.events_delivered });
    expect(await act({ action: "create" })).toContain("already");
  });

  it("takes over the one that exists, or the one that is named", async () => {
    const { do: act, stream, asked } = await desk();
    expect(await act({ action: "create" }, { status: 409 })).toContain("`adopt` takes over");
    expect(await act({ action: "adopt" }, { status: 200, body: [STREAM, STREAM] })).toContain("2 streams");
    expect(stream()).toBeUndefined();
    expect(await act({ action: "adopt" }, { status: 200, body: [STREAM] })).toBe("done");
    expect(stream()).toEqual(AGREED);
    expect(await act({ action: "adopt", stream_id: "s1" }, { status: 200, body: STREAM })).toBe("done");
    expect(asked().at(-1)).toBe("GET https://idp.example.com/streams?stream_id=s1");
  });

  it.each([
    ["of another issuer", { iss: "https://other.example.com" }],
    ["polled elsewhere", { delivery: { ...POLL, endpoint_url: "https://other.example.com/poll" } }],
    ["polled nowhere", { delivery: { method: POLL.method } }],
    ["delivered in another way", { delivery: { method: "urn:x" } }],
    ["nameless", { stream_id: "" }],
  ])("[I13] enters none that is %s", async (_, odd) => {
    const { do: act, stream } = await desk();
    expect(await act({ action: "create", delivery: "poll" }, { status: 201, body: { ...STREAM, ...odd } })).toMatch(
      /^The transmitter: /,
    );
    expect(stream()).toBeUndefined();
  });
});

describe("[I13] where a configuration leads", () => {
  it.each([
    [{}, "neither the issuer's origin", 1],
    [{ management: "https://api.idp.example.net/any" }, "done", 2],
  ])("is followed to another origin only where the operator named it: %j", async (settings, said, made) => {
    const { do: act, publish, calls } = await desk(settings, AGREED);
    publish({ ...METADATA, verification_endpoint: "https://api.idp.example.net/verify" });
    expect(await act({ action: "verify" }, { status: 204 })).toContain(said);
    expect(calls).toHaveLength(made);
  });

  it.each([
    [{ ...METADATA, issuer: "https://other.example.com" }, "another issuer"],
    [{ configuration_endpoint: 7 }, "cannot be read"],
    [{ issuer }, "names no verification_endpoint"],
  ])("is not followed where it does not fit: %j", async (metadata, said) => {
    const { do: act, publish, calls } = await desk({}, AGREED);
    publish(metadata);
    expect(await act({ action: "verify" })).toContain(said);
    expect(calls).toHaveLength(1);
  });
});

describe("a stream that is set up", () => {
  it("is verified with a state of ours, kept before it is sent", async () => {
    const { do: act, calls, expected } = await desk({}, AGREED);
    expect(await act({ action: "verify" }, { status: 204 })).toBe("done");
    expect(JSON.parse(calls[1]?.body ?? "")).toEqual({ stream_id: "s1", state: expected[0] });
    expect(expected[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(await act({ action: "verify" }, { status: 429 })).toContain("throttled");
    expect(await act({ action: "verify" }, { status: 401 })).toContain("refused the credentials");
  });

  it("says its status, and takes another", async () => {
    const { do: act, expected, asked } = await desk({}, AGREED);
    await act({ action: "status" }, { status: 200, body: { stream_id: "s1", status: "enabled" } });
    expect(asked().at(-1)).toBe("GET https://idp.example.com/status?stream_id=s1");
    await act({ action: "status", status: "paused" }, { status: 200, body: { stream_id: "s1", status: "paused" } });
    expect(expected).toEqual(["enabled", "paused"]);
  });

  it("is changed, and what was agreed stays while the change is only accepted", async () => {
    const { do: act, calls, stream } = await desk({}, AGREED);
    expect(await act({ action: "update", delivery: "push" }, { status: 202 })).toBe("done");
    expect(stream()).toEqual(AGREED);
    const delivery = { method: "urn:ietf:rfc:8935", endpoint_url: "https://gate.example/hooks/acme/acme/events" };
    await act({ action: "update", delivery: "push" }, { status: 200, body: { ...STREAM, delivery } });
    expect(calls[1]).toMatchObject({ method: "PATCH" });
    expect(stream()?.delivery).toBe("push");
  });

  it("is deleted, also where it is gone already", async () => {
    for (const status of [204, 404]) {
      const { do: act, stream } = await desk({}, AGREED);
      expect(await act({ action: "delete" }, { status })).toBe("done");
      expect(stream()).toBeUndefined();
    }
    const { do: act } = await desk();
    expect(await act({ action: "verify" })).toContain("no stream here yet");
  });
});
