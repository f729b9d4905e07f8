import { html, raw } from "hono/html";
import type { Child } from "hono/jsx";
import { LOOK } from "./look.ts";

type PageProps = {
  readonly title: string;
  /** Whose page it is, in the line above the heading. */
  readonly of: string;
  readonly footer?: Child;
  readonly children: Child;
};

/** What every page has around its content. Nothing is loaded from anywhere and nothing runs. */
export const Page = ({ title, of, footer, children }: PageProps) =>
  html`<!doctype html>${(
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>{title}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <style>{raw(LOOK)}</style>
      </head>
      <body>
        <header>
          <p>{of}</p>
        </header>
        <main>{children}</main>
        {footer === undefined ? null : <footer>{footer}</footer>}
      </body>
    </html>
  )}`;
