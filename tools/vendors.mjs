// Writes the vendors into README.md and docs/vendors/README.md, and their kinds of object into client/object-types.ts, from what the integrations declare and their senders make.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import * as senders from "../cli/senders/index.ts";
import { objectTypes } from "../dev/object-types.ts";
import { withVendors } from "../dev/vendor-table.ts";
import * as integrations from "../integrations/index.ts";

const at = (path) => new URL(`../${path}`, import.meta.url);
const FILES = { readme: at("README.md"), index: at("docs/vendors/README.md") };

const before = { readme: readFileSync(FILES.readme, "utf8"), index: readFileSync(FILES.index, "utf8") };
const after = await withVendors(before, { integrations: Object.values(integrations), senders }, (id) =>
  existsSync(at(`docs/vendors/${id}.md`)),
);
for (const [page, file] of Object.entries(FILES)) if (after[page] !== before[page]) writeFileSync(file, after[page]);
console.log(
  after.readme === before.readme && after.index === before.index
    ? "The vendors stand in README.md and docs/vendors/README.md as they were"
    : "The vendors are written anew into README.md and docs/vendors/README.md",
);
writeFileSync(at("client/object-types.ts"), objectTypes(Object.values(integrations)));
