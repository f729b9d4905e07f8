import { base64url } from "jose";

/**
 * A closed request is kept as its receipt: the signed text itself, deflated (RFC 1951), so that what is handed out years
 * later is to the letter what was signed. Header and signature stay as they are.
 */
export async function compact(jws: string): Promise<string> {
  const [header = "", payload = "", signature = ""] = jws.split(".");
  const packed = await through(new Uint8Array(base64url.decode(payload)), new CompressionStream("deflate-raw"));
  return `${header}.${base64url.encode(packed)}.${signature}`;
}

export async function expand(packed: string): Promise<string> {
  const [header = "", payload = "", signature = ""] = packed.split(".");
  const bytes = await through(new Uint8Array(base64url.decode(payload)), new DecompressionStream("deflate-raw"));
  return `${header}.${base64url.encode(bytes)}.${signature}`;
}

const through = async (
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
): Promise<Uint8Array> =>
  new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());

/** The payload of a compact JWS that is known to be ours. */
export const payloadOf = (jws: string): unknown =>
  JSON.parse(new TextDecoder().decode(base64url.decode(jws.split(".")[1] ?? "")));
