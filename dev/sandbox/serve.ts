import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ConnectionDropped } from "./faults.ts";
import type { Sandbox } from "./sandbox.ts";

/**
 * The admin API over HTTP, on 127.0.0.1; port 0 takes a free one.
 *
 * A request with the header `x-original-url: https://vendor/path` is a vendor call instead, so that a Worker run by
 * other means can be pointed here.
 */
export async function serveSandbox(sandbox: Sandbox, port: number): Promise<{ url: string; stop(): Promise<void> }> {
  const server = createServer((incoming, outgoing) => {
    const original = incoming.headers["x-original-url"];
    if (typeof original === "string") return void answer(incoming, outgoing, original, sandbox.fetch);
    return void answer(incoming, outgoing, `http://127.0.0.1${incoming.url}`, sandbox.admin);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
  // A TCP server has an AddressInfo once it listens; only pipes and closed servers have something else.
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${bound}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * Vendor calls as Node sees them, routed by their `Host`: for Miniflare's `outboundService: { node: … }`.
 *
 * The scheme is not in such a request; it is taken to be https, as all vendors' addresses are.
 */
export function vendorListener(sandbox: Sandbox): RequestListener {
  return (incoming, outgoing) =>
    void answer(incoming, outgoing, `https://${incoming.headers.host}${incoming.url}`, sandbox.fetch);
}

async function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  url: string,
  handle: (request: Request) => Promise<Response>,
): Promise<void> {
  const gone = new AbortController();
  outgoing.once("close", () => gone.abort());
  try {
    const response = await handle(await requestOf(incoming, url, gone.signal));
    if (response.headers.get(LIVE) === "no") return await goOn(response, outgoing);
    const body = Buffer.from(await response.arrayBuffer());
    outgoing.writeHead(response.status, headersOf(response)).end(body);
  } catch (problem) {
    if (problem instanceof ConnectionDropped) return void incoming.socket.destroy();
    // A malformed x-original-url, a caller that left midway, or a mistake of ours: the developer wants to read it.
    outgoing.writeHead(500, { "content-type": "text/plain; charset=utf-8" }).end(String(problem));
  }
}

/** A sign-in sets several cookies, each with a header of its own. */
function headersOf({ headers }: Response): Record<string, string | string[]> {
  const cookies = headers.getSetCookie();
  return { ...Object.fromEntries(headers), ...(cookies.length > 0 && { "set-cookie": cookies }) };
}

/** `no` where the answer goes on and on: whoever reads it gets each piece as it comes. */
export const LIVE = "x-accel-buffering";

async function goOn(response: Response, outgoing: ServerResponse): Promise<void> {
  outgoing.writeHead(response.status, headersOf(response)).flushHeaders();
  for await (const piece of response.body ?? []) outgoing.write(piece);
  outgoing.end();
}

async function requestOf(incoming: IncomingMessage, url: string, signal: AbortSignal): Promise<Request> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headersDistinct))
    for (const one of value ?? []) headers.append(name, one);
  return new Request(url, {
    method: incoming.method ?? "GET",
    headers,
    signal,
    ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
  });
}
