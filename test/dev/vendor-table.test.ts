import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as senders from "../../cli/senders/index.ts";
import { objectTypes } from "../../dev/object-types.ts";
import { withVendors } from "../../dev/vendor-table.ts";
import * as integrations from "../../integrations/index.ts";
import { absent, type Integration } from "../../src/contract/integration.ts";

const root = new URL("../../", import.meta.url);
const hasPage = (id: string) => existsSync(new URL(`docs/vendors/${id}.md`, root));
const catalogue = { integrations: Object.values<Integration>(integrations), senders };

const EMPTY =
  "# A page\n\n<!-- vendors: made from the code by `npm run vendors` -->\nout of date\n<!-- /vendors -->\n\nEnd\n";
const BLANK = { readme: EMPTY, index: EMPTY };

async function rowsOf(given: typeof catalogue, pages: (id: string) => boolean = () => false) {
  const { readme } = await withVendors(BLANK, given, pages);
  return readme.split("\n").filter((line) => line.startsWith("|"));
}

describe("the table of vendors", () => {
  it("stands in README.md, and its index in docs/vendors, as the code has it: if not, run npm run vendors", async () => {
    const read = (path: string) => readFileSync(new URL(path, root), "utf8");
    const pages = { readme: read("README.md"), index: read("docs/vendors/README.md") };
    expect(await withVendors(pages, catalogue, hasPage)).toEqual(pages);
  });

  it("has its kinds of object in the product's client: if not, run npm run vendors", () => {
    const client = readFileSync(new URL("client/object-types.ts", root), "utf8");
    expect(objectTypes(catalogue.integrations)).toBe(client);
    expect(client).toContain('| "openai.file"');
    expect(client).not.toContain("hubspot.conversation");
  });

  it("has one row for each integration, with a link where there is a page", async () => {
    const rows = await rowsOf(catalogue, (id) => id === "stripe");
    expect(rows).toHaveLength(catalogue.integrations.length + 2);
    expect(rows.filter((row) => row.includes("](docs/vendors/"))).toEqual([
      expect.stringMatching(
        /^\| \[Stripe\]\(docs\/vendors\/stripe\.md\) `stripe` \| `account_deleted`: customer\.deleted; /,
      ),
    ]);
    for (const row of rows) expect(row.replaceAll("\\|", "").split("|")).toHaveLength(6);
  });

  it("says why not, once where all is for one reason, and what a person can do instead", async () => {
    const { openai } = integrations;
    const page = "https://vendor.example";
    const none = absent("there is | no API", page);
    const mute: Integration = { ...openai, hooks: none, actions: { erase: none, revoke: none }, residuals: [] };
    const byHand: Integration = { ...mute, actions: { erase: absent("no API", page, "Ask them"), revoke: none } };
    const rows = await rowsOf({ integrations: [mute, byHand], senders });
    expect(rows[2]).toContain("| no: there is \\| no API | no: there is \\| no API |");
    expect(rows[3]).toContain("**erase** by hand: no API; **revoke** no: there is \\| no API");
  });

  it("keeps all before and after it, and refuses a page without its place", async () => {
    const pages = await withVendors(BLANK, catalogue, hasPage);
    for (const page of Object.values(pages)) {
      expect(page.startsWith("# A page\n")).toBe(true);
      expect(page.endsWith("<!-- /vendors -->\n\nEnd\n")).toBe(true);
      expect(page).not.toContain("out of date");
    }
    expect(await withVendors(pages, catalogue, hasPage)).toEqual(pages);
    await expect(withVendors({ ...pages, index: "# A page" }, catalogue, hasPage)).rejects.toThrow("no place");
  });

  it("has no page of a vendor that is not there", () => {
    const known = new Set(catalogue.integrations.map(({ id }) => `${id}.md`));
    for (const file of readdirSync(new URL("docs/vendors/", root)))
      if (file !== "README.md") expect(known, file).toContain(file);
  });
});
