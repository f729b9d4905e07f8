import { describe, expect, it } from "vitest";
import { table } from "../../bench/figures.ts";
import { measure } from "../../bench/measure.ts";
import { tiny } from "../../bench/options.ts";
import { median, percentile } from "../../bench/statistics.ts";

describe("the bench", () => {
  // Two weeks of jobs go by in it, a due minute at a time, which a busy machine takes its time for.
  it("gives every figure", { timeout: 180_000 }, async () => {
    const figures = await measure(tiny, () => undefined);
    expect(Object.keys(figures)).toEqual(expect.arrayContaining(names));
    for (const [name, value] of Object.entries(figures))
      expect(value === null || Number.isFinite(value), `${name} is ${value}`).toBe(true);
    expect(table(figures).split("\n")).toHaveLength(Object.keys(figures).length);
  });

  it("shows an aim beside its figure, and whether it is met", () => {
    expect(table({ "intake.ratio_to_floor": 0.79 })).toMatch(/0\.790 {2}missed: at least 0\.8$/);
    expect(table({ "intake.queue_sends": 0 })).toMatch(/0 {2}met: at most 1$/);
    expect(table({ "memory.open_request_bytes": null })).toMatch(/not known here$/);
  });

  it("takes medians and percentiles by rank", () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([7])]).toEqual([2, 2.5, 7]);
    expect([percentile([5, 1, 4, 2, 3], 0.5), percentile([1, 2, 3, 4], 0.99), percentile([], 0.5)]).toEqual([3, 4, 0]);
  });
});

const ofConnections = [
  ...["round_trips_per_start", "round_trips_per_callback", "round_trips_per_renewal", "renewals_per_second"],
  ...["renewals_per_second_of_floor", "renewals_per_burst"],
].map((name) => `connections.${name}`);

const names = [
  ...ofConnections,
  "intake.ratio_to_floor",
  "intake.ratio_to_floor_without_encryption",
  "intake.per_second",
  "intake.p50_ms",
  "intake.p99_ms",
  "intake.floor_per_second",
  "intake.redis_round_trips",
  "intake.redis_commands",
  "intake.script_commands",
  "intake.queue_sends",
  ...[
    "floor",
    "signed-request",
    "stripe",
    "hmac",
    "ed25519",
    "ecdsa-p256",
    "standard-webhooks",
    "jwt",
    "shared-secret",
    "sns",
    "paypal",
    "ebay",
  ].map((scheme) => `verification.${scheme}.per_second`),
  ...["signed-request", "stripe", "hmac", "ed25519", "ecdsa-p256", "standard-webhooks", "shared-secret"].flatMap(
    (scheme) => [`intake.${scheme}.per_second`, `intake.${scheme}.ratio_to_floor`],
  ),
  "propagation.tasks_per_second",
  "propagation.round_trips_per_task_at_load",
  ...["round_trips_per_request", "commands_per_request"].flatMap((name) =>
    ["4_alone", "20_alone", "4_at_load", "20_at_load"].map((which) => `propagation.${name}_${which}`),
  ),
  "isolation.ratio_to_floor",
  "isolation.tasks_per_second",
  "isolation.days_until_all_ended",
  ...["round_trips_per_task", "round_trips_per_task_in_waves", "floor_round_trips_per_task_in_waves"].map(
    (name) => `isolation.${name}`,
  ),
  ...["", "_bulk", "_others", ".amplitude", ".braze", ".google-bigquery", ".mixpanel", ".posthog", ".salesforce"].map(
    (of) => `isolation.vendor_calls_per_task${of}`,
  ),
  "isolation.vendor_calls_per_task.segment",
  "isolation.worker_resident_mb",
  "isolation.worker_resident_growth",
  "isolation.hung_calls_per_request",
  "isolation.calls_over_quota",
  "isolation.left_open",
  "bundle.gzip_bytes",
  "bundle.bytes",
  "bundle.startup_cpu_ms",
  "memory.open_request_bytes",
  "memory.closed_request_bytes",
  "memory.closed_request_limit_bytes",
  "content.round_trips_per_1000",
  "content.commands_per_1000",
  "content.script_commands_per_1000",
  "content.bytes_per_item",
  "content.bytes_per_item_alone",
  "content.told_round_trips_per_1000",
];
