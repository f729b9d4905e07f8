import type { Problem } from "../problem.ts";
import { fail, ok, type Result } from "../result.ts";

/** The body's bytes, read once and no further than allowed, whatever the sender says of its length. */
export async function limited(request: Request, maxBytes: number): Promise<Result<Uint8Array<ArrayBuffer>, Problem>> {
  const length = request.headers.get("content-length");
  if (Number(length ?? 0) > maxBytes) return fail({ reason: "too_large", maxBytes });
  // HTTP itself keeps a stated length, and reading at once costs far less than a stream, even one that is only asked for.
  if (length !== null) {
    const bytes = new Uint8Array(await request.arrayBuffer());
    return bytes.byteLength > maxBytes ? fail({ reason: "too_large", maxBytes }) : ok(bytes);
  }
  if (request.body === null) return ok(new Uint8Array(0));
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.byteLength;
    // Leaving the loop cancels the stream.
    if (size > maxBytes) return fail({ reason: "too_large", maxBytes });
    chunks.push(new Uint8Array(chunk));
  }
  const [only] = chunks;
  if (chunks.length === 1 && only !== undefined) return ok(only);
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return ok(whole);
}
