/**
 * `npm run bench`: a table of figures, each with its aim. `-- --json` prints them as one JSON object on the last line
 * instead, `-- --quick` takes a minute or two.
 */
import { parseArgs } from "node:util";
import { table } from "./figures.ts";
import { measure } from "./measure.ts";
import { quick, whole } from "./options.ts";

const { values } = parseArgs({ options: { json: { type: "boolean" }, quick: { type: "boolean" } } });
const figures = await measure(values.quick === true ? quick : whole, (what) => console.error(`measuring ${what} …`));
console.log(values.json === true ? JSON.stringify(figures) : table(figures));
