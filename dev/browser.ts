/** Where a person's browser has come to. */
export type Arrived = { readonly url: URL; readonly status: number; readonly text: string; readonly headers: Headers };

/** A browser as far as redirects, cookies and forms go. */
export type Browser = {
  readonly open: (
    url: string,
    init?: {
      readonly method?: string;
      readonly form?: Readonly<Record<string, string>>;
      /** A page of another site posts the form, so that only cookies with SameSite=None go along (RFC 6265bis section 5.6.7). */
      readonly isCrossSite?: boolean;
    },
  ) => Promise<Arrived>;
  /**
   * Opens it and goes on through redirects and the provider's own pages, as a person of this name, to a page of the product's; or as far
   * as another place, which is then not opened.
   */
  readonly signIn: (url: string, as: string, isThere: (next: URL) => boolean) => Promise<Arrived>;
  /** By host, then name. */
  readonly cookies: Map<string, Map<string, string>>;
};

const MOST_STEPS = 30;

/** What is sent goes through `send`, which knows who stands for a host and follows no redirect. */
export function newBrowser(send: (request: Request) => Promise<Response>): Browser {
  const cookies = new Map<string, Map<string, string>>();
  const jar = (url: URL) => {
    const found = cookies.get(url.host) ?? new Map<string, string>();
    cookies.set(url.host, found);
    return found;
  };
  /** By host and name. */
  const crossSite = new Set<string>();
  const open: Browser["open"] = async (address, { method, form, isCrossSite = false } = {}) => {
    const url = new URL(address);
    const headers = new Headers({ accept: "text/html" });
    const sent = [...jar(url)].filter(([name]) => !isCrossSite || crossSite.has(`${url.host} ${name}`));
    const cookie = sent.map(([name, value]) => `${name}=${value}`).join("; ");
    if (cookie !== "") headers.set("cookie", cookie);
    const body = form === undefined ? undefined : new URLSearchParams(form).toString();
    if (body !== undefined) headers.set("content-type", "application/x-www-form-urlencoded");
    const init = {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers,
      ...(body !== undefined && { body }),
    };
    const reply = await send(new Request(address, { ...init, redirect: "manual" }));
    for (const set of reply.headers.getSetCookie()) {
      const [pair = "", ...attributes] = set.split(";").map((part) => part.trim());
      const cut = pair.indexOf("=");
      const isGone = attributes.some((each) => /^max-age=0$/i.test(each) || /^expires=Thu, 01 Jan 1970/i.test(each));
      if (isGone || pair.length === cut + 1) jar(url).delete(pair.slice(0, cut));
      else {
        jar(url).set(pair.slice(0, cut), pair.slice(cut + 1));
        const isForAll = attributes.some((each) => /^samesite=none$/i.test(each)) && attributes.includes("Secure");
        crossSite[isForAll ? "add" : "delete"](`${url.host} ${pair.slice(0, cut)}`);
      }
    }
    return { url, status: reply.status, text: await reply.text(), headers: reply.headers };
  };

  const signIn: Browser["signIn"] = async (address, as, isThere) => {
    let page = await open(address);
    for (let step = 0; step < MOST_STEPS; step++) {
      const to = page.headers.get("location");
      if (page.status >= 300 && page.status < 400 && to !== null) {
        const next = new URL(to, page.url);
        if (isThere(next)) return { ...page, url: next };
        page = await open(next.href);
        continue;
      }
      const action = /<form[^>]*action="([^"]+)"/.exec(page.text)?.[1];
      if (page.status !== 200 || action === undefined) return page;
      const next = new URL(plain(action), page.url);
      const prompt = /name="prompt" value="(\w+)"/.exec(page.text)?.[1];
      // What has no prompt posts itself to another site; a page of the same site that asks for something else is the end of the way.
      if (prompt === undefined && next.host === page.url.host) return page;
      const form =
        prompt === undefined
          ? hiddenIn(page.text)
          : { prompt, ...(prompt === "login" && { login: as, password: "unused" }) };
      page = await open(next.href, { form, isCrossSite: next.host !== page.url.host });
    }
    return page;
  };
  return { open, signIn, cookies };
}

const hiddenIn = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)].map(([, name = "", value = ""]) => [
      plain(name),
      plain(value),
    ]),
  );

const plain = (escaped: string): string =>
  escaped.replaceAll("&lt;", "<").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
