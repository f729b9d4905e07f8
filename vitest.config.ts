import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** Proofs that take their time: every kind of fault at every vendor, a real time-out, jobs of many, the bench itself. */
const SLOW = ["test/promises/{faults,bulk,together}.test.ts", "test/bench/**/*.test.ts"];

/** Tests of the core run inside workerd; what starts servers, browsers or the command line runs in Node. */
export default defineConfig({
  test: {
    // Much of the time is waiting: for a store, a Worker, a moved clock. By default one core would stay idle.
    maxWorkers: "100%",
    projects: [
      {
        test: {
          name: "node",
          include: ["test/{dev,cli,client,promises,pages,platform}/**/*.test.{ts,tsx}", "test/*.test.ts"],
          exclude: SLOW,
          environment: "node",
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: { name: "slow", include: SLOW, environment: "node", testTimeout: 60_000, hookTimeout: 60_000 },
      },
      {
        plugins: [
          cloudflareTest({ miniflare: { compatibilityDate: "2026-07-30", compatibilityFlags: ["nodejs_compat"] } }),
        ],
        test: {
          name: "workerd",
          // One runtime for all files of a worker: each would else start its own.
          isolate: false,
          include: [
            "test/{connections,contract,integrations,intake,request,lanes,streams,registry,api,vault}/**/*.test.{ts,tsx}",
          ],
          testTimeout: 30_000,
        },
      },
    ],
  },
});
