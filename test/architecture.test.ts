import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = new URL("..", import.meta.url).pathname;

const files = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));

type Import = { readonly from: string; readonly isType: boolean };

/** What a file imports, as paths from the root, or package names. */
function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), "utf8");
  return [...text.matchAll(/^(?:import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?"([^"]+)";/gm)].map(
    ([, type, path = ""]) => ({
      from: path.startsWith(".") ? relative(ROOT, join(ROOT, dirname(file), path)) : path,
      isType: type !== undefined,
    }),
  );
}

const all = [...files("src"), ...files("integrations")];
const imports = new Map(all.map((file) => [file, importsOf(file)]));
const allowed = (file: string, fits: (path: string) => boolean) =>
  (imports.get(file) ?? []).map(({ from }) => from).filter((path) => !fits(path));

describe("who may import whom", () => {
  it("lets an integration see the contract, its house and the schema library only", () => {
    const mayImport = (path: string) => path.startsWith("src/contract/") || path === "zod";
    for (const file of files("integrations").filter((each) => each !== "integrations/index.ts")) {
      // What the products of one house share lies in `houses`, and sees no more than they do.
      const isHouse = file.startsWith("integrations/houses/");
      const fits = (path: string) => mayImport(path) || (!isHouse && path.startsWith("integrations/houses/"));
      expect(allowed(file, fits), file).toEqual([]);
    }
  });

  it("lets only the worker see integrations", () => {
    for (const file of files("src").filter((each) => each !== "src/worker.ts"))
      expect(
        allowed(file, (path) => !path.startsWith("integrations/")),
        file,
      ).toEqual([]);
  });

  it("keeps the contract free of everything but results and the schema library", () => {
    // One file reads XML as `call.ts` reads JSON, for which the language itself has no parser.
    const isParser = (file: string, path: string) => file === "src/contract/xml.ts" && path === "@rgrove/parse-xml";
    const fits = (path: string) => path.startsWith("src/contract/") || path === "src/result.ts" || path === "zod";
    for (const file of files("src/contract"))
      expect(
        allowed(file, (path) => fits(path) || isParser(file, path)),
        file,
      ).toEqual([]);
  });

  it("has no production code that knows of the sandbox or the tests", () => {
    for (const file of all)
      expect(
        allowed(file, (path) => !/^(dev|test|bench|cli)\//.test(path)),
        file,
      ).toEqual([]);
  });

  it("names no vendor in the core", () => {
    const vendors = files("integrations")
      .filter((file) => !file.startsWith("integrations/houses/"))
      .map((file) => file.replace(/^integrations\/|\.ts$/g, ""))
      // Standard Webhooks is a standard, and so a scheme of the contract, before it is an integration.
      // `manual` is a state of any holder's task before it is an integration for those without an API.
      .filter((id) => !["index", "first-party", "standard-webhooks", "manual"].includes(id));
    // Stripe's own SDK checks Stripe's signature scheme, which is a member of the contract.
    const exempt = new Set(["src/intake/verify.ts", "src/intake/schemes/stripe.ts", "src/contract/verification.ts"]);
    for (const file of files("src").filter((each) => !exempt.has(each) && !each.startsWith("src/pages/"))) {
      const code = readFileSync(join(ROOT, file), "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
      for (const vendor of vendors)
        expect(code.toLowerCase().includes(`"${vendor}"`), `${file} names ${vendor}`).toBe(false);
    }
  });

  it("has no cycles between modules that run", () => {
    const seen = new Map<string, "open" | "done">();
    const visit = (file: string, path: readonly string[]): void => {
      if (seen.get(file) === "done") return;
      expect(seen.get(file), [...path, file].join(" → ")).not.toBe("open");
      seen.set(file, "open");
      for (const { from, isType } of imports.get(file) ?? [])
        if (!isType && imports.has(from)) visit(from, [...path, file]);
      seen.set(file, "done");
    };
    for (const file of all) visit(file, []);
  });
});
