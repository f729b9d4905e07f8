import type { IncomingMessage, RequestListener } from "node:http";

/**
 * Vendors that say yes at once, so that what is measured is the gateway: first-party endpoints are done, OpenAI's objects
 * are deleted and then gone, Facebook's grants revoked. They keep nothing.
 */
export const responder: RequestListener = async (request, response) => {
  const body = await textOf(request);
  // Whoever called has given up meanwhile, and hears nothing.
  if (body === undefined) return;
  const { status, value } = answer(request.headers.host ?? "", request.method ?? "", body);
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
};

function answer(host: string, method: string, body: string): { readonly status: number; readonly value: unknown } {
  if (host === "graph.facebook.com") return { status: 200, value: { success: true } };
  if (host === "api.openai.com")
    return method === "DELETE" ? { status: 200, value: { deleted: true } } : { status: 404, value: {} };
  const told: unknown = JSON.parse(body);
  const challenge = typeof told === "object" && told !== null && "data" in told ? told.data : {};
  return { status: 200, value: { status: "done", ...(typeof challenge === "object" && challenge) } };
}

/** The body; undefined where whoever sent it has gone meanwhile. */
export async function textOf(request: IncomingMessage): Promise<string | undefined> {
  let text = "";
  try {
    for await (const chunk of request) text += chunk;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ECONNRESET") return undefined;
    throw error;
  }
  return text;
}
