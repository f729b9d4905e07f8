import * as dev from "../../dev/browser.ts";
import type { World } from "./world.ts";

export type { Arrived } from "../../dev/browser.ts";

/** The one of the dev scripts, which goes on to a page of the product's unless it is told of another place. */
export type Browser = Omit<dev.Browser, "signIn"> & {
  readonly signIn: (url: string, as: string, isThere?: (next: URL) => boolean) => Promise<dev.Arrived>;
};

/** The gateway is reached over HTTP, vendors in the sandbox, other sites not at all. */
export function newBrowser(world: World): Browser {
  const browser = dev.newBrowser((request) =>
    request.url.startsWith(world.url) ? fetch(request) : world.sandbox.fetch(request),
  );
  return {
    ...browser,
    signIn: (url, as, isThere = ({ host }) => host === PRODUCT) => browser.signIn(url, as, isThere),
  };
}

export const PRODUCT = "app.product.example";
export const RETURN_TO = `https://${PRODUCT}/settings/connections`;
