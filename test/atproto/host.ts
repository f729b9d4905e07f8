import { fork } from "node:child_process";
import { existsSync } from "node:fs";
import { request } from "node:http";
import { delimiter, join } from "node:path";
import type { VendorCall } from "../../dev/sandbox/sandbox.ts";

/** Where a person's account lies, with the directory that says so: real servers, on loopback, with names of their own. */
export type Host = {
  readonly name: string;
  /** A call to the host, to a name at it, or to the directory; undefined for any other. */
  readonly answer: (call: VendorCall) => Promise<Response> | undefined;
  /** What was called, for whoever wants to see the gateway's own calls. */
  readonly calls: {
    readonly method: string;
    readonly url: string;
    readonly body: string;
    readonly status: number;
    readonly answer: string;
  }[];
  /** The host's event stream, as it comes. */
  readonly events: HostEvent[];
  /** Moves its clock on. */
  readonly advance: (ms: number) => void;
  readonly createAccount: (handle: string, password: string) => Promise<string>;
  readonly deleteAccount: (did: string) => Promise<void>;
  readonly stop: () => void;
};

export type HostEvent = {
  readonly type: string;
  readonly did?: string;
  readonly seq: number;
  readonly time: string;
  readonly active?: boolean;
  readonly status?: string;
};

const DIRECTORY = "plc.directory";
const DNS = "cloudflare-dns.com";

/** Its modules are compiled for the machine's own Node.js, which need not be the one that runs the tests. */
function nodeOfTheMachine(): string {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => !folder.includes("node_modules"));
  return folders.map((folder) => join(folder, "node")).find((path) => existsSync(path)) ?? process.execPath;
}

export async function startHost(
  name: string,
  gateway: { readonly origin: string; readonly url: () => string },
): Promise<Host> {
  const adminPassword = "dev_host_admin_password";
  const child = fork(new URL("host.mjs", import.meta.url), {
    execPath: nodeOfTheMachine(),
    execArgv: [],
    env: { PATH: process.env.PATH, HOST: name, GATEWAY: gateway.origin, ADMIN_PASSWORD: adminPassword },
  });
  let offset = 0;
  const events: HostEvent[] = [];
  const calls: Host["calls"] = [];
  const ports = await new Promise<{ readonly pds: number; readonly plc: number }>((resolve, reject) => {
    // Only `host.mjs` speaks here.
    child.on("message", (message: { pds: number; plc: number } | { event: HostEvent } | "gateway") => {
      if (message === "gateway") child.send({ gateway: gateway.url() });
      else if ("event" in message) events.push(message.event);
      else resolve(message);
    });
    child.once("exit", (code) => reject(new Error(`the host ended with ${code}`)));
  });

  const call = async (asked: VendorCall): Promise<Response> => {
    const url = new URL(asked.url);
    const body = Buffer.from(await asked.arrayBuffer());
    const port = url.hostname === DIRECTORY ? ports.plc : ports.pds;
    const headers = { ...Object.fromEntries(asked.headers), host: url.host, "x-forwarded-proto": "https" };
    const reply = await sent(port, asked.method, url.pathname + url.search, headers, body);
    const answer = await reply.clone().text();
    calls.push({ method: asked.method, url: asked.url, body: body.toString(), status: reply.status, answer });
    return reply;
  };
  const xrpc = async (method: string, body: object, authorization?: string): Promise<unknown> => {
    const reply = await call(
      new Request(`https://${name}/xrpc/${method}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...(authorization !== undefined && { authorization }) },
        body: JSON.stringify(body),
      }),
    );
    const text = await reply.text();
    if (!reply.ok) throw new Error(`${method}: ${reply.status} ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  };

  return {
    name,
    calls,
    events,
    answer: (asked) => {
      const { hostname } = new URL(asked.url);
      // No name here has a record.
      if (hostname === DNS) return Promise.resolve(Response.json({ Status: 3 }));
      return hostname === DIRECTORY || hostname === name || hostname.endsWith(`.${name}`) ? call(asked) : undefined;
    },
    advance: (ms) => {
      offset += ms;
      child.send({ offset });
    },
    createAccount: async (handle, password) => {
      const made = await xrpc("com.atproto.server.createAccount", { handle, password, email: `${handle}@example.com` });
      return (made as { readonly did: string }).did;
    },
    deleteAccount: async (did) => {
      await xrpc("com.atproto.admin.deleteAccount", { did }, `Basic ${btoa(`admin:${adminPassword}`)}`);
    },
    stop: () => {
      child.removeAllListeners("exit");
      child.kill();
    },
  };
}

/** `fetch` does not let a caller say which host it means. */
const sent = (port: number, method: string, path: string, headers: Record<string, string>, body: Buffer) =>
  new Promise<Response>((resolve, reject) => {
    const { "content-length": _, connection: __, ...rest } = headers;
    const outgoing = request(
      {
        port,
        host: "127.0.0.1",
        method,
        path,
        headers: { ...rest, ...(body.length > 0 && { "content-length": body.length }) },
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("end", () => {
          const answered = new Headers();
          for (let at = 0; at < incoming.rawHeaders.length; at += 2)
            if (
              !["transfer-encoding", "connection", "keep-alive"].includes(incoming.rawHeaders[at]?.toLowerCase() ?? "")
            )
              answered.append(incoming.rawHeaders[at] ?? "", incoming.rawHeaders[at + 1] ?? "");
          const status = incoming.statusCode ?? 502;
          const isBare = status === 204 || status === 304;
          resolve(new Response(isBare ? null : Buffer.concat(chunks), { status, headers: answered }));
        });
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
