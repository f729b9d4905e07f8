import type { Refusal } from "./vendor.ts";

/** What every Google API shares: access tokens, and the shape of an error. https://cloud.google.com/apis/design/errors */
export type Access = { readonly email: string; readonly scopes: readonly string[]; readonly until: number };

/** Only stands for Google's tokens: whoever makes one says in it whose it is. */
export const tokenFor = (access: Access): string => `ya29.${Buffer.from(JSON.stringify(access)).toString("base64url")}`;

/** Nothing where the call may go on; else what Google answers for want of a token, or of a scope. `now` in milliseconds. */
export function withoutAccess(request: Request, scopes: readonly string[], now: number): Response | undefined {
  const [, text = ""] = /^Bearer ya29\.([\w-]+)$/.exec(request.headers.get("authorization") ?? "") ?? [];
  const access = text === "" ? undefined : (JSON.parse(Buffer.from(text, "base64url").toString()) as Access);
  if (access === undefined || access.until <= now)
    return googleError(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.", "authError");
  if (!access.scopes.some((scope) => scopes.includes(scope) || scope === CLOUD_PLATFORM))
    return googleError(
      403,
      "PERMISSION_DENIED",
      "Request had insufficient authentication scopes.",
      "insufficientPermissions",
    );
  return undefined;
}

export const CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform";

export const googleError = (code: number, status: string, message: string, reason?: string): Response =>
  Response.json(
    {
      error: {
        code,
        message,
        status,
        ...(reason !== undefined && { errors: [{ message, domain: "global", reason }] }),
      },
    },
    { status: code },
  );

export function googleRefusal({ reason, status }: Refusal): Response {
  if (reason === "rate_limited")
    return googleError(status, "RESOURCE_EXHAUSTED", "Quota exceeded.", "rateLimitExceeded");
  if (reason === "unauthorized") return googleError(status, "UNAUTHENTICATED", "Invalid credentials.", "authError");
  return googleError(status, "INTERNAL", "Internal error encountered.", "backendError");
}

export const gone = (): Response => googleError(404, "NOT_FOUND", "Requested entity was not found.", "notFound");
