import { type Binding, unforeseen } from "../../../src/contract/call.ts";
import type { Identity } from "../../../src/contract/identity.ts";
import type { ActionName } from "../../../src/contract/integration.ts";
import { type Alive, CONNECTION, type Grant } from "../../../src/contract/oauth.ts";
import type { Answer, Sight } from "../../../src/contract/outcome.ts";
import type { Signal } from "../../../src/contract/signal.ts";
import type { Played } from "../../support/play.ts";

/** One step of an action: what the vendor answers, and which statuses it documents for this call. */
export type Step = { readonly reply: Played; readonly documented: (status: number) => boolean };

/** One way through an action, from a documented answer of each call to its outcome. */
export type Way = {
  readonly name: string;
  readonly action: ActionName;
  readonly part: "run" | "look" | { readonly check: string };
  readonly identity: Identity;
  /** What the connection holds that the identity names. */
  readonly grant?: Grant;
  /** What the person has granted here, for what is done in their name. */
  readonly grants?: readonly Grant[];
  readonly keeps?: readonly string[];
  readonly steps: readonly Step[];
  readonly outcome: Answer | Sight;
};

/** What each event of a hook says when it happened at `at`; it is signed by the sender of the same name. */
export type HookSample = Readonly<Record<string, (at: number) => readonly Signal[]>>;

/** Each event of a stream as it comes when it happens at `at`, and what it says; `isTimeless`: not when. */
export type StreamSample = Readonly<
  Record<
    string,
    {
      readonly message: (at: number) => string;
      readonly says: (at: number) => readonly Signal[];
      readonly isTimeless?: true;
    }
  >
>;

/** What is known of a way to the vendor when its token endpoint is asked. */
export type Asked = {
  readonly nonce: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly now: number;
};

/** A person connects, and the tokens are renewed: documented answers, and what is made of them. */
export type OAuthSample = {
  /** The discovery document, where the server is discovered. */
  readonly discovery?: Played;
  /** The token endpoint's answer to a code. */
  readonly token: (asked: Asked) => Played;
  /** The answer to the call that makes a token which lasts, where there is one; the grant is made of it. */
  readonly longer?: Played;
  /** What is asked then to learn whose grant it is. */
  readonly asks: readonly Step[];
  /** The grant that comes of it, but for when it expires. */
  readonly grant: Omit<Grant, "expiresAt">;
  /** `expires_in`, where the vendor says it. */
  readonly lastsSeconds?: number;
  /** The answer to a refresh token, and what it makes of the grant. */
  readonly renewed?: { readonly reply: (asked: Asked) => Played; readonly grant: Omit<Grant, "expiresAt"> };
  /** How the vendor says that a code or a refresh token is no good. */
  readonly invalidGrant: Played;
  /** Ways through the check that a grant still works. */
  readonly alive?: readonly { readonly name: string; readonly steps: readonly Step[]; readonly outcome: Alive }[];
};
/** One line of a list for each of its events, as of `at`, and what it says. */
export type ListSample = Readonly<
  Record<string, { readonly line: (at: number) => string; readonly says: (at: number) => readonly Signal[] }>
>;

/** What an integration's contract test needs beside its declaration. */
export type Sample = {
  readonly settings: Readonly<Record<string, string>>;
  readonly hooks: Readonly<Record<string, HookSample>>;
  readonly streams?: Readonly<Record<string, StreamSample>>;
  readonly lists?: Readonly<Record<string, ListSample>>;
  readonly ways: readonly Way[];
  readonly oauth?: OAuthSample;
};

/** A connection as an identity. */
export const connection: Identity = { type: CONNECTION, value: `con_11${"0".repeat(32)}` };

/** Ways through the deletion of what was published with these grants. */
export const unpublishing =
  (identity: Identity, ...grants: readonly Grant[]) =>
  (one: Pick<Way, "name" | "steps" | "outcome"> & Partial<Way>): Way => ({
    action: "unpublish",
    part: "run",
    identity,
    grants,
    ...one,
  });

/** That none of them could do it. */
export const byNoGrant = (why: string) =>
  unforeseen({ status: 0 }, `no grant of this person's here can delete it: ${why}`);

/** Keys of nobody's: a grant's own, and a client's. */
export const binding = {
  key: {
    kty: "EC",
    crv: "P-256",
    x: "lzhHbcYmkUM29LaUOLMC2ysK3PUWAOpWtrHsN0elpYw",
    y: "-RS-2UHPWGrpZTmVNnGg7VM-ISOUGXoxQUWtBIp_od4",
    d: "fKKSBoa30x_piI7F-zuz6gCOEPAduNsMgTec-8hWVlE",
  },
  client: {
    id: "https://gateway.example.com/oauth/client-metadata/tenant.json",
    key: {
      kty: "EC",
      crv: "P-256",
      x: "E9oM2rCWUa9j-CFKL0Tq5ywyewxOZFfW1GanPU2whQs",
      y: "uLtYzLK5logLOxokg8vfCe1F02bnBrJQm6fQTwhl4zY",
      d: "NX1WiQtCDBsF1mT23Lj2Eh0_4MTJCbxyHfaxtbp18SY",
    },
  },
} as const satisfies Binding;

export const on =
  (...statuses: readonly number[]) =>
  (reply: Played): Step => ({ reply, documented: (status) => statuses.includes(status) });

export const person = { type: "email", value: "ada@example.com" };

/** A vendor that gives whole seconds: it may have happened until the end of that second. */
export const signal = (type: Signal["type"], identity: Identity, at: number): Signal => ({
  type,
  identity,
  at: Math.floor(at / 1000) * 1000 + 999,
});

/**
 * The claims of an ID token. The protocol does not ask for its signature where it comes straight from the provider (OpenID
 * Connect Core 3.1.3.7, item 6), and its end is by the library's own clock, not the test's.
 */
export function idToken({ nonce, issuer, clientId, now }: Asked, sub: string): string {
  const part = (value: object) =>
    btoa(JSON.stringify(value)).replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_");
  const claims = { iss: issuer, aud: clientId, sub, iat: Math.floor(now / 1000), exp: 4_102_444_800 };
  return `${part({ alg: "RS256" })}.${part({ ...claims, ...(nonce !== "" && { nonce }) })}.c2ln`;
}
