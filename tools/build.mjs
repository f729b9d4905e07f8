// Bundles the Worker into the one file that `wrangler deploy` ships: dist/worker.js.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

/** zod brings error texts in some fifty languages; only English, which it loads by itself, is used. */
const noLocales = {
  name: "no-locales",
  setup(bundler) {
    bundler.onResolve({ filter: /locales\/index\.js$/ }, () => ({ path: "locales", namespace: "empty" }));
    bundler.onLoad({ filter: /.*/, namespace: "empty" }, () => ({ contents: "export {};" }));
  },
};

await build({
  entryPoints: ["src/worker.ts"],
  outfile: "dist/worker.js",
  bundle: true,
  format: "esm",
  target: "es2022",
  conditions: ["workerd", "worker", "browser"],
  external: ["node:*", "cloudflare:*"],
  minify: true,
  sourcemap: "external",
  legalComments: "none",
  jsx: "automatic",
  jsxImportSource: "hono/jsx",
  plugins: [noLocales],
  logLevel: "warning",
});

const bytes = readFileSync("dist/worker.js");
console.log(`dist/worker.js: ${bytes.length} bytes, ${gzipSync(bytes).length} gzip`);
