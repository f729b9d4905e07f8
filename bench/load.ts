/**
 * Sends deliveries from a process of its own, over plain sockets that are kept open, so that making load costs little
 * beside what is measured. All deliveries of a run are signed before its clock starts.
 */
import { connect, type Socket } from "node:net";
import * as senders from "../cli/senders/index.ts";
import type { Made } from "../cli/senders/sender.ts";
import { signedRequest } from "./signed-request.ts";
import { ORIGIN } from "./stage.ts";
import { percentile } from "./statistics.ts";

export type Run = {
  readonly port: number;
  readonly path: string;
  /** Whose delivery it is; Meta's data deletion callback, signed with `secret`, where nobody is named. */
  readonly by?: By;
  readonly secret: string;
  /** The first user's number; each delivery is for the next user. */
  readonly from: number;
  /** At most this many deliveries, whatever the time. */
  readonly most: number;
  readonly seconds: number;
  readonly connections: number;
  /** Deliveries a second, sent when they are due whether or not others have been answered; undefined: as fast as answers come. */
  readonly perSecond?: number;
};

/** One event of a vendor's, made by its sender with these settings; the user's number stands in `person` for `#`. */
export type By = {
  readonly sender: string;
  readonly endpoint: string;
  readonly event: string;
  readonly person: string;
  readonly settings: Readonly<Record<string, string>>;
};

export type Ran = {
  readonly accepted: number;
  readonly refused: number;
  readonly seconds: number;
  /** From the time at which a delivery was due, or was sent where no rate was given. */
  readonly p50Ms: number;
  readonly p99Ms: number;
};

process.on("message", (run: Run) => {
  load(run).then(
    (ran) => process.send?.(ran),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});

async function load(run: Run): Promise<Ran> {
  const deliveries: string[] = [];
  for (let user = run.from; user < run.from + run.most; user++) deliveries.push(await delivery(run, user));
  const sockets = await Promise.all(Array.from({ length: run.connections }, () => open(run.port)));
  const latencies: number[] = [];
  let refused = 0;
  let next = 0;
  const begun = performance.now();
  const end = begun + run.seconds * 1000;
  const dueAt = (index: number) =>
    run.perSecond === undefined ? performance.now() : begun + (index * 1000) / run.perSecond;

  const worker = async (socket: Socket): Promise<void> => {
    const answers = answersOf(socket);
    while (next < deliveries.length) {
      const index = next++;
      const due = dueAt(index);
      if (due >= end) return;
      await until(due);
      socket.write(deliveries[index] ?? "");
      const status = await answers();
      latencies.push(performance.now() - due);
      if (status < 200 || status >= 300) refused++;
    }
  };
  await Promise.all(sockets.map(worker));
  const seconds = (performance.now() - begun) / 1000;
  for (const socket of sockets) socket.destroy();
  return {
    accepted: latencies.length - refused,
    refused,
    seconds,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
  };
}

/** Timers come up to a millisecond late, so the last stretch is waited for turn by turn. */
async function until(due: number): Promise<void> {
  for (let left = due - performance.now(); left > 0; left = due - performance.now())
    await new Promise((resolve) => (left > 1.5 ? setTimeout(resolve, left - 1.5) : setImmediate(resolve)));
}

/** A delivery as the bytes that go over the wire. */
async function delivery(run: Run, user: number): Promise<string> {
  const { path, port, secret, by } = run;
  const { body, headers, query } = by === undefined ? callback(secret, user) : await made(by, path, user);
  const search = query === undefined ? "" : `?${new URLSearchParams(query)}`;
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = Buffer.byteLength(body);
  return `POST ${path}${search} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n${lines.join("")}content-length: ${length}\r\n\r\n${body}`;
}

const callback = (secret: string, user: number): Made => ({
  body: `signed_request=${signedRequest(secret, String(user), Date.now())}`,
  headers: { "content-type": "application/x-www-form-urlencoded" },
});

function made({ sender, endpoint, event, person, settings }: By, path: string, user: number): Promise<Made> {
  const sample = new Map(Object.entries(senders)).get(sender)?.[endpoint]?.[event];
  if (sample === undefined) throw new Error(`${sender} has no ${endpoint}/${event}`);
  const seed = String(user);
  return sample.make({
    settings,
    at: Date.now(),
    seed,
    person: person.replace("#", seed),
    url: `${ORIGIN}${path}`,
    token: unpublished,
    sign: unpublished,
  });
}

/** A vendor whose keys are published would have them asked for, and here nobody answers. */
const unpublished = () => Promise.reject(new Error("nobody publishes keys here"));

const open = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true }, () => resolve(socket));
    socket.once("error", reject);
  });

/** The status of one answer after the other; one delivery is on its way at a time. */
function answersOf(socket: Socket): () => Promise<number> {
  let text = "";
  let heard: ((status: number) => void) | undefined;
  const look = () => {
    const end = lengthOf(text);
    if (end === undefined || heard === undefined) return;
    const status = Number(text.slice(9, 12));
    text = text.slice(end);
    const hear = heard;
    heard = undefined;
    hear(status);
  };
  socket.setEncoding("latin1");
  socket.on("data", (chunk: string) => {
    text += chunk;
    look();
  });
  // A connection that ends is a refusal, which the run counts.
  socket.once("close", () => heard?.(0));
  return () =>
    new Promise((resolve) => {
      heard = resolve;
      if (socket.destroyed) resolve(0);
      look();
    });
}

/** How long the first answer in the text is, once it is whole. */
function lengthOf(text: string): number | undefined {
  const head = text.indexOf("\r\n\r\n");
  if (head < 0) return undefined;
  const headers = text.slice(0, head);
  // No content, and no word of its length.
  if (/^HTTP\/1\.1 204 /.test(headers)) return head + 4;
  const length = /^content-length: (\d+)$/im.exec(headers)?.[1];
  if (length !== undefined) {
    const end = head + 4 + Number(length);
    return text.length >= end ? end : undefined;
  }
  const last = text.indexOf("0\r\n\r\n", head + 4);
  return last < 0 ? undefined : last + 5;
}
