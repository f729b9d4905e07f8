/** A call that its vendor's page documents and the catalogue of machine-readable descriptions does not have, or has older. */
type Documented = { readonly method: string; readonly url: RegExp; readonly body?: RegExp; readonly source: string };

/** Each was read on its page; whoever adds one names the page. What is not here is judged. */
const documented: readonly Documented[] = [
  {
    method: "GET",
    url: /^https:\/\/graph\.instagram\.com\/v\d+\.0\/me\?fields=[\w,]+$/,
    source: "https://developers.facebook.com/documentation/instagram-platform/reference/me",
  },
  {
    method: "GET",
    url: /^https:\/\/graph\.threads\.(net|com)\/v1\.0\/me\?fields=[\w,]+$/,
    source: "https://developers.facebook.com/documentation/threads/threads-profiles",
  },
  {
    method: "GET",
    url: /^https:\/\/graph\.threads\.(net|com)\/v1\.0\/\d+\?fields=[\w,]+$/,
    source: "https://developers.facebook.com/documentation/threads/reference/media-retrieval",
  },
  {
    method: "GET",
    url: /^https:\/\/api\.hubapi\.com\/account-info\/2026-03\/details$/,
    source: "https://developers.hubspot.com/docs/api-reference/latest/account/account-information/get-account-details",
  },
  {
    // The description is of 2020, when `code` was the only way; the page has all arguments optional.
    method: "POST",
    url: /^https:\/\/slack\.com\/api\/oauth\.v2\.access$/,
    body: /grant_type=refresh_token/,
    source: "https://docs.slack.dev/reference/methods/oauth.v2.access",
  },
];

/** Whether a call is one of these, so that the catalogue cannot judge it. */
export const isDocumentedElsewhere = (call: {
  readonly method: string;
  readonly url: string;
  readonly body: string;
}): boolean =>
  documented.some(
    ({ method, url, body }) => method === call.method && url.test(call.url) && (body?.test(call.body) ?? true),
  );
