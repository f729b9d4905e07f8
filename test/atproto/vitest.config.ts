import { defineConfig } from "vitest/config";

/** Against a real host, which is installed apart: `npm run test:atproto`. */
export default defineConfig({
  test: {
    name: "atproto",
    include: ["test/atproto/**/*.test.ts"],
    environment: "node",
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
