import { z } from "zod";
import {
  at,
  bearer,
  noCall,
  postForm,
  type Reply,
  read,
  readRefusal,
  unauthorized,
  unforeseen,
} from "../../src/contract/call.ts";
import type { Steps } from "../../src/contract/integration.ts";
import type { SlowDown, Unauthorized, Unforeseen } from "../../src/contract/outcome.ts";
import { secret } from "../../src/contract/settings.ts";

/** What Google Cloud's APIs have in common: a service account's access tokens, and the words of a refusal. */
export const SERVICE_ACCOUNT = "https://developers.google.com/identity/protocols/oauth2/service-account";
export const TOKEN_ORIGIN = "https://oauth2.googleapis.com";

export const serviceAccountKey = secret(
  "Key of a service account: the whole JSON file that Google gives out",
  /^\s*\{[\s\S]*"private_key"[\s\S]*\}\s*$/,
);

/** A project's id, which stands in addresses and between backticks. */
export const PROJECT = /^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/;

const KeyFile = z.object({
  client_email: z.string().min(1),
  private_key: z.string().min(1),
  private_key_id: z.string().min(1),
});
const Token = z.object({ access_token: z.string().min(1) });
const TokenRefusal = z.object({ error: z.string() });

/** "A maximum of 1 hour after the issued time." */
const ASSERTION_SECONDS = 3600;

/** Headers with an access token for this scope, asked for anew in each attempt. The address is Google's, whatever a key file says. */
export function* authorised(
  keyFile: string,
  scope: string,
): Steps<{ readonly headers: ReturnType<typeof bearer> } | Unauthorized | Unforeseen> {
  const key = keyIn(keyFile);
  if (key === undefined) return unauthorized(noCall, "the setting holds no key file of a service account");
  const reply = yield postForm(
    at`https://oauth2.googleapis.com/token`,
    {},
    [["grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"]],
    {
      sign: {
        scheme: "jwt-bearer",
        key: key.private_key,
        keyId: key.private_key_id,
        claims: { iss: key.client_email, scope, aud: `${TOKEN_ORIGIN}/token` },
        forSeconds: ASSERTION_SECONDS,
      },
    },
  );
  if (reply.status === 400) {
    const refused = readRefusal(reply, TokenRefusal);
    return refused.ok
      ? unauthorized(reply, `Google gives this service account no token: ${codeOf(refused.value.error)}`)
      : refused.problem;
  }
  const token = read(reply, Token);
  return token.ok ? { headers: bearer(token.value.access_token) } : token.problem;
}

function keyIn(keyFile: string): z.infer<typeof KeyFile> | undefined {
  try {
    return KeyFile.safeParse(JSON.parse(keyFile)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Older APIs give reasons (`rateLimitExceeded`), newer ones a status and details (`PERMISSION_DENIED`), many both. */
const Refusal = z.object({
  error: z.object({
    message: z.string().default(""),
    status: z.string().optional(),
    errors: z.array(z.object({ reason: z.string().optional() })).optional(),
    details: z.array(z.object({ reason: z.string().optional() })).optional(),
  }),
});

/** What a refusal says: codes, and words that may name what was asked for and so are never passed on. */
export function refusalIn(reply: Reply): { readonly codes: readonly string[]; readonly message: string } {
  const refused = readRefusal(reply, Refusal);
  if (!refused.ok) return { codes: [], message: "" };
  const { message, status, errors = [], details = [] } = refused.value.error;
  const codes = [...[...errors, ...details].map(({ reason }) => reason), status].filter((code) => code !== undefined);
  return { codes, message };
}

const TOO_FAST: ReadonlySet<string> = new Set([
  "rateLimitExceeded",
  "userRateLimitExceeded",
  "quotaExceeded",
  "RATE_LIMIT_EXCEEDED",
  "RESOURCE_EXHAUSTED",
]);

/**
 * What every Google API means by 403: too fast, where it says so, else that the service account may not. `needs` says what it has
 * to be allowed. Any other status is unforeseen.
 */
export function refusal(reply: Reply, needs: string): SlowDown | Unauthorized | Unforeseen {
  if (reply.status !== 403) return unforeseen(reply);
  const { codes } = refusalIn(reply);
  if (codes.some((code) => TOO_FAST.has(code))) return { outcome: "slow_down", seconds: 60 };
  const [code = "forbidden"] = codes;
  return unauthorized(reply, `Google answered 403 (${codeOf(code)}); the service account needs ${needs}`);
}

/** A code of Google's goes into reasons that people read; anything longer might be more than a code. */
const codeOf = (code: string): string => (/^\w{1,60}$/.test(code) ? code : "no known code");
