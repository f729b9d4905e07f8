import { Hono } from "hono";
import { type Streaming, streamingOf } from "../intake/transmitter.ts";
import { manage, StreamAction } from "../lanes/manage.ts";
import { polledLanes } from "../lanes/poll.ts";
import { laneName } from "../platform/keys.ts";
import { VERIFIED_WITHIN_MS } from "../platform/store/transmitters.ts";
import type { Ports } from "../ports.ts";
import { problemResponse } from "../problem.ts";
import type { Context } from "../registry/load.ts";
import { rfc3339 } from "../request/deadline.ts";
import { type Authorised, requires } from "./auth.ts";
import { input } from "./input.ts";

const NONE = { reason: "not_found", what: "subprocessor with a stream" } as const;

/** Streams of security events: how they stand, and what can be done with them at their transmitters. */
export const streams = () => {
  const app = new Hono<Authorised>();

  app.get("/v1/subprocessors/:id/stream", requires("read"), async (c) => {
    const { ports, tenant: context } = c.var;
    const streaming = streamingOf(ports, context.tenant, c.req.param("id"));
    return streaming === undefined
      ? problemResponse(c, NONE)
      : c.json(await streamView(ports, context, streaming), 200, { "cache-control": "no-store" });
  });

  app.post("/v1/subprocessors/:id/stream", requires("operate"), async (c) => {
    const { ports, actor } = c.var;
    const id = c.req.param("id");
    // What was agreed a moment ago counts.
    const context = (await ports.tenants.byNumber(c.var.tenant.tenant.n, 0)) ?? c.var.tenant;
    const streaming = streamingOf(ports, context.tenant, id);
    if (streaming === undefined) return problemResponse(c, NONE);
    const body = await input(c, StreamAction);
    if (!body.ok) return problemResponse(c, body.problem);
    const done = await manage(ports, context, streaming, body.value, actor);
    const { slug, n } = context.tenant;
    ports.log("stream_managed", {
      tenant: slug,
      subprocessor: id,
      action: body.value.action,
      done: done.ok,
      by: actor,
    });
    if (!done.ok) return problemResponse(c, done.problem);
    const now = (await ports.tenants.byNumber(n, 0)) ?? context;
    const lane = laneName(n, id);
    if (polledLanes(ports, now).includes(lane)) {
      const woken = await ports.store.keepPolling([lane], ports.now());
      if (woken.length > 0) await ports.wake(woken);
    }
    return c.json(await streamView(ports, now, streamingOf(ports, now.tenant, id) ?? streaming));
  });

  return app;
};

async function streamView(ports: Ports, { tenant }: Context, { subprocessor, transmitter, polledAt }: Streaming) {
  const { v, va, st, sr, sa, pa, pp = "", po } = await ports.store.stream(tenant.n, subprocessor.id);
  const { stream, settings } = subprocessor;
  const isAwaited = va !== undefined && Number(va) > Number(v ?? 0);
  const isLate = isAwaited && ports.now() - Number(va) > VERIFIED_WITHIN_MS;
  const audience = settings[transmitter.audience];
  return {
    ...(stream !== undefined && { stream }),
    // The transmitter gives the audience; until it is entered, nothing that it sends is for us.
    ...(stream !== undefined && { audience_fits: stream.audience.some((each) => namedIn(audience).includes(each)) }),
    verification: {
      ...(va !== undefined && { asked_at: rfc3339(Number(va)) }),
      ...(v !== undefined && { last_verified_at: rfc3339(Number(v)) }),
      state: isLate ? "missing" : isAwaited ? "awaited" : v === undefined ? "never" : "verified",
    },
    ...(st !== undefined && {
      status: { status: st, ...(sr !== undefined && sr !== "" && { reason: sr }), at: rfc3339(Number(sa)) },
    }),
    ...((polledAt !== undefined || pa !== undefined) && {
      polling: {
        active: polledAt !== undefined,
        ...(pa !== undefined && { last_tried_at: rfc3339(Number(pa)) }),
        ...(po !== undefined && { last_polled_at: rfc3339(Number(po)) }),
        ...(pp !== "" && { problem: pp }),
      },
    }),
  };
}

const namedIn = (text = ""): readonly string[] => text.split(",").map((each) => each.trim());
