import type { Steps } from "./integration.ts";
import type { Answer } from "./outcome.ts";
import type { Proven } from "./signal.ts";
import type { SharedSecret } from "./verification.ts";

/**
 * How a vendor asks whether an address is ours. It is answered from the cached registry, writes nothing and causes nothing.
 * What is answered with a key that also signs deliveries has a narrow shape of its own, or has been verified before: a
 * challenge never has a text of somebody's choice signed.
 */
export type Challenge =
  /** A GET with a value in the query; `token` where the vendor also sends what we agreed on. */
  | {
      readonly ask: "query";
      readonly name: string;
      readonly shape: RegExp;
      readonly token?: { readonly name: string; readonly key: string };
      readonly answer: ChallengeAnswer;
      readonly source: string;
    }
  /** A delivery like any other, verified first, whose body asks; `find` gives the value, and undefined for all others. */
  | {
      readonly ask: "delivery";
      readonly find: (proven: Proven) => string | undefined;
      readonly shape: RegExp;
      readonly answer: ChallengeAnswer;
      readonly source: string;
    }
  /** A request that only wants to hear that somebody is there. */
  | { readonly ask: "presence"; readonly method: "GET" | "HEAD"; readonly source: string };

export type ChallengeAnswer =
  /** The value itself, as plain text. */
  | { readonly give: "value" }
  | { readonly give: "nothing"; readonly status: 200 | 204 }
  /** HMAC-SHA256 of the value under the newest key. */
  | {
      readonly give: "hmac";
      readonly key: string;
      readonly encoding: "hex" | "base64";
      readonly body: (value: string, mac: string) => Readonly<Record<string, string>>;
    }
  /** SHA-256 of the value, a token of ours and the registered address, in hex: eBay's. */
  | {
      readonly give: "digest";
      readonly key: string;
      readonly body: (value: string, digest: string) => Readonly<Record<string, string>>;
    };

/**
 * How a vendor asks by a delivery to be called back before it sends anything else. Intake calls nobody: what is asked for is
 * made durable as an order in the subprocessor's lane before the delivery is accepted, and is called from there, until it was
 * answered or is too old.
 */
export type Handshake = {
  readonly source: string;
  /** What the call needs, at most 2,048 characters; undefined for every delivery that asks for none. */
  readonly find: (proven: Proven) => string | undefined;
  /** The call, to the integration's own origins, which bears repeating. `informed` ends it; whatever else is said gives it up. */
  readonly run: (value: string, settings: Readonly<Record<string, string>>) => Steps<Answer>;
  /** For how long the vendor waits for it. */
  readonly withinHours: number;
};

/**
 * Where the vendor makes up the key and tells it by a first delivery, which that key cannot prove: a secret of ours in the
 * address does. Such a delivery is kept, sealed, for an operator who enters the key; until then it is used for nothing.
 */
export type Offer = {
  readonly source: string;
  readonly verify: SharedSecret;
  /** Whether a delivery tells a key, and nothing else. */
  readonly tells: (proven: Proven) => boolean;
};
