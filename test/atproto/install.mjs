/**
 * Installs the real host of the AT Protocol beside this file: some 250 MB, one to two minutes the first time. It is compiled for the machine's
 * own Node.js, with which `host.ts` starts it, and not for the one among this project's own modules.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));
const installed = `${folder}node_modules/.package-lock.json`;
const { packages } = JSON.parse(readFileSync(`${folder}package-lock.json`, "utf8"));
const isThere =
  existsSync(installed) &&
  Object.entries(JSON.parse(readFileSync(installed, "utf8")).packages).every(
    ([path, { version }]) => packages[path]?.version === version,
  );
if (!isThere) {
  const path = (process.env.PATH ?? "").split(delimiter).filter((each) => !each.includes("node_modules"));
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: folder,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, PATH: path.join(delimiter) },
  });
  if (status !== 0) {
    console.error(
      "The real host of the AT Protocol could not be installed (npm ci in test/atproto): its tests did not run.",
    );
    process.exit(3);
  }
}
