import type { z } from "zod";
import { fail, ok, type Result } from "../result.ts";
import type { Answer, Unauthorized, Unforeseen } from "./outcome.ts";

/** An address, and the same address with names in place of values: the one is called, the other may be shown. */
export type Address = { readonly url: string; readonly template: string };

/**
 * Makes an address from named parts, each encoded, so that no value can change the path:
 * ``at`https://api.stripe.com/v1/customers/${{ customer }}` ``.
 */
export function at(strings: TemplateStringsArray, ...parts: readonly Readonly<Record<string, string>>[]): Address {
  let url = strings[0] ?? "";
  let template = url;
  parts.forEach((part, index) => {
    const [name, value] = Object.entries(part)[0] ?? ["", ""];
    const tail = strings[index + 1] ?? "";
    url += encodeSegment(value) + tail;
    template += `{${name}}${tail}`;
  });
  return { url, template };
}

/** The address of a customer's own endpoint, as its setting gives it; evidence shows it by the setting's name. */
export const endpointAt = (url: string): Address => ({ url, template: "{endpoint}" });

/** An address below a customer's own, where its setting is a `tree`; `path` begins with a slash. */
export const below = (url: string, path: Address): Address => ({
  url: url.replace(/\/$/, "") + path.url,
  template: `{endpoint}${path.template}`,
});

/** A value of dots alone would be taken as a path step by every URL parser, encoded or not. */
function encodeSegment(value: string): string {
  if (value === "" || /^\.{1,2}$/.test(value)) throw new RangeError("this value cannot stand in an address");
  return encodeURIComponent(value);
}

export type Call = {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly at: Address;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Statuses of this call that are answers here although they would mean a bad credential or a pause elsewhere. */
  readonly expects?: readonly number[];
  /** How the call is signed, just before it leaves. */
  readonly sign?: Sign;
  /** What has to vouch for the answer; whether it does is `proven` in the reply. */
  readonly proof?: Proof;
};

/** What the platform signs a call with, since generators cannot wait for keys: data, as in `Verification`. */
export type Sign =
  /** The body as a Standard Webhook. https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
  | { readonly scheme: "standard-webhooks"; readonly secret: string; readonly id: string }
  /**
   * A proof that we have the key to which a grant is bound, made anew with the server's nonce where it asks for one (RFC 9449). With
   * `accessToken` the call is in its name; with `client`, the form says as which client we ask the server of that issuer, and shows it
   * (RFC 7523 section 2.2).
   */
  | {
      readonly scheme: "dpop";
      readonly key: PrivateKey;
      readonly accessToken?: string;
      readonly client?: DocumentKey & { readonly audience: string };
    }
  /** Method, address, headers and body by AWS Signature Version 4, which others than AWS ask for, too. */
  | AwsSigV4
  /**
   * A form that is exchanged for an access token: it gains an `assertion`, a JWT of these claims, signed RS256 with a key in PKCS #8
   * PEM and good for so many seconds. RFC 7523 section 2.1
   */
  | {
      readonly scheme: "jwt-bearer";
      readonly key: string;
      readonly keyId: string;
      readonly claims: Readonly<Record<string, string>>;
      readonly forSeconds: number;
    }
  | NestedJwt
  | ClientSecretJwt;

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
export type AwsSigV4 = {
  readonly scheme: "aws-sigv4";
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  readonly service: string;
  /** The call must also carry the body's MD5, which is one of the digests that S3 wants for some calls. */
  readonly contentMd5?: true;
};

/** The body is made of these claims: a JWT that holds another in the claim `inside`, both signed with one key. RFC 7519, RFC 7515. */
export type NestedJwt = {
  readonly scheme: "nested-jwt";
  /** A private JWK with `alg` and `kid`, as JSON. */
  readonly key: string;
  readonly inside: string;
  readonly inner: Readonly<Record<string, unknown>>;
  /** `iat` is put in here when the call leaves. */
  readonly outer: Readonly<Record<string, unknown>>;
};

/** How an answer proves whose it is, where TLS alone is not what the protocol asks for: data, as `Sign` is. */
export type Proof =
  /**
   * The body is signed, RSASSA-PKCS1-v1_5 with SHA-256, by the key of this certificate (X.509, PEM), which is in force; the
   * signature stands in base64 in the first of these headers that is there.
   */
  | { readonly scheme: "certificate"; readonly certificate: string; readonly headers: readonly string[] }
  /** The body is a JWS by one of these public keys (JWK, or a list of them, as JSON), whose claim `repeats` is the very body that was sent. */
  | { readonly scheme: "jws-receipt"; readonly keys: string; readonly repeats: string };

/**
 * A form that gains a `client_secret`: a JWT of the client's own about itself, signed ES256 with a key in PKCS #8 PEM and good for a
 * few minutes. Unlike a client assertion (RFC 7523 section 2.2) it stands where a secret would, and another than the client issues it.
 */
export type ClientSecretJwt = {
  readonly scheme: "client-secret-jwt";
  readonly key: string;
  readonly keyId: string;
  readonly issuer: string;
  readonly audience: string;
  /** The client's id. */
  readonly subject: string;
};

/** A key of P-256 with its private part, as RFC 7517 writes it. */
export type PrivateKey = {
  readonly kty: "EC";
  readonly crv: "P-256";
  readonly x: string;
  readonly y: string;
  readonly d: string;
};

/**
 * What a grant is bound to: a key of its own, and, where the client that asked for it is a document, the key by which the server knows
 * that client for as long as the grant lasts.
 */
export type Binding = { readonly key: PrivateKey; readonly client?: DocumentKey };

/** A client that is a document, by the address of that, and the key of which it tells the public half. */
export type DocumentKey = { readonly id: string; readonly key: PrivateKey };

export type Reply = {
  readonly status: number;
  /** Whether the call's `proof` was given; undefined where it asked for none. */
  readonly proven?: boolean;
  readonly header: (name: string) => string | undefined;
  readonly text: string;
};

type Headers = Readonly<Record<string, string>>;
type Extras = Pick<Call, "expects" | "sign" | "proof">;

export const get = (address: Address, headers: Headers, extras: Extras = {}): Call => ({
  method: "GET",
  at: address,
  headers,
  ...extras,
});
export const del = (address: Address, headers: Headers, extras: Extras = {}): Call => ({
  method: "DELETE",
  at: address,
  headers,
  ...extras,
});
export const postForm = (
  address: Address,
  headers: Headers,
  fields: readonly (readonly [string, string])[],
  extras: Extras = {},
): Call => ({
  method: "POST",
  at: address,
  headers: { ...headers, "content-type": "application/x-www-form-urlencoded" },
  body: new URLSearchParams(fields.map(([name, value]) => [name, value])).toString(),
  ...extras,
});
export const postJson = (address: Address, headers: Headers, body: unknown, extras: Extras = {}): Call => ({
  method: "POST",
  at: address,
  headers: { ...headers, "content-type": "application/json" },
  body: JSON.stringify(body),
  ...extras,
});

export const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` });

/**
 * A success's JSON, read by a schema. Only the statuses that the vendor documents for it count: 200, unless others are
 * named. Any other status, and what does not fit, is unforeseen, never guessed.
 */
export const read = <S extends z.ZodType>(
  reply: Reply,
  schema: S,
  statuses: readonly number[] = [200],
): Result<z.infer<S>, Unforeseen> =>
  statuses.includes(reply.status) ? bodyOf(reply, schema) : fail(unforeseen(reply));

/** A refusal's JSON (4xx), read by a schema, where a vendor says in the body what the status does not. */
export const readRefusal = <S extends z.ZodType>(reply: Reply, schema: S): Result<z.infer<S>, Unforeseen> =>
  reply.status >= 400 && reply.status < 500 ? bodyOf(reply, schema) : fail(unforeseen(reply));

function bodyOf<S extends z.ZodType>(reply: Reply, schema: S): Result<z.infer<S>, Unforeseen> {
  let json: unknown;
  try {
    json = JSON.parse(reply.text);
  } catch (error) {
    if (error instanceof SyntaxError) return fail(unforeseen(reply, "the body is not JSON"));
    throw error;
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return ok(parsed.data);
  const path = parsed.error.issues[0]?.path.join(".") ?? "";
  return fail(unforeseen(reply, `the body has no usable ${path || "content"}`));
}

/** Stands in for a reply where a call would be in vain, so that none is made. */
export const noCall = { status: 0 } as const;

export const unforeseen = (
  reply: Pick<Reply, "status">,
  what = "a status that the vendor does not document here",
): Unforeseen => ({
  outcome: "unforeseen",
  status: reply.status,
  what,
});

/** Accepted work that will never be done: visible, and begun anew when somebody says `retry`. */
export const cameToNothing = (what: string): Unforeseen => ({ ...unforeseen(noCall, what), anew: true });

export const unauthorized = (reply: Pick<Reply, "status">, what: string): Unauthorized => ({
  outcome: "unauthorized",
  status: reply.status,
  what,
});

/** Lists the documented statuses; any other is unforeseen. */
export const byStatus = <A extends Answer>(reply: Reply, meanings: Readonly<Record<number, A>>): A | Unforeseen =>
  meanings[reply.status] ?? unforeseen(reply);
