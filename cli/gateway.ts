import { fail, ok, type Result } from "../src/result.ts";
import { isOrigin } from "./origin.ts";
import { parseJson } from "./shape.ts";
import type { Terminal } from "./terminal.ts";

/** A gateway and the key that opens it. */
export type Gateway = { readonly gateway: string; readonly key: string };

/** A body as it is sent, and of which type. */
export type Content = { readonly type: string; readonly text: string };

export const jsonContent = (body: object): Content => ({ type: "application/json", text: JSON.stringify(body) });

const TIMEOUT_MS = 60_000;

/** From `--gateway` and `--key`, or from the environment; an empty variable is one that was not set. */
export function gatewayIn(
  values: { readonly gateway?: string | undefined; readonly key?: string | undefined },
  env: Terminal["env"],
  role: string,
): Result<Gateway, string> {
  const gateway = (values.gateway ?? env.QUITTANCE_URL ?? "").replace(/\/$/, "");
  const key = values.key ?? env.QUITTANCE_API_KEY ?? "";
  if (!isOrigin(gateway))
    return fail(
      "where is the gateway? Give --gateway, an origin such as https://erasure.example.com, or QUITTANCE_URL",
    );
  if (!/^[\x21-\x7e]{8,256}$/.test(key))
    return fail(`the gateway needs an API key of the role \`${role}\`: --key, or QUITTANCE_API_KEY in the environment`);
  return ok({ gateway, key });
}

/** One call of the gateway's API: a GET, or a POST where there is something to say. */
export async function ask(
  terminal: Terminal,
  { gateway, key }: Gateway,
  path: string,
  content?: Content,
): Promise<Result<{ readonly status: number; readonly body: unknown }, string>> {
  try {
    const reply = await terminal.fetch(`${gateway}${path}`, {
      headers: {
        accept: "application/json",
        authorization: `Bearer ${key}`,
        ...(content !== undefined && { "content-type": content.type }),
      },
      ...(content !== undefined && { method: "POST", body: content.text }),
      // The key is for this origin and no other.
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const body = parseJson(await reply.text(), "the answer");
    return ok({ status: reply.status, body: body.ok ? body.value : undefined });
  } catch (error) {
    // Sockets and fetch reject with an `Error`, whose message may repeat what was sent: only its name is shown.
    if (error instanceof Error) return fail(`${gateway} did not answer (${error.name})`);
    throw error;
  }
}
