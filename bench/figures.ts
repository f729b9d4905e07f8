/** The figures by name; null where this machine cannot tell. */
export type Figures = Readonly<Record<string, number | null>>;

type Aim = { readonly text: string; readonly met: (value: number, figures: Figures) => boolean };

const atMost = (most: number, text = `at most ${most}`): Aim => ({ text, met: (value) => value <= most });
const below = (limit: number): Aim => ({ text: `below ${limit}`, met: (value) => value < limit });

/** What is aimed at, where something is. Round trips at load: below 2, and 0.2 for each task. */
const aims: Readonly<Record<string, Aim>> = {
  "intake.ratio_to_floor": { text: "at least 0.8", met: (value) => value >= 0.8 },
  // Now and then a snapshot is looked at again.
  "intake.redis_round_trips": { text: "1", met: (value) => value < 1.01 },
  "intake.queue_sends": atMost(1),
  "propagation.round_trips_per_request_4_at_load": below(2 + 0.2 * 4),
  "propagation.round_trips_per_request_20_at_load": below(2 + 0.2 * 20),
  "connections.round_trips_per_callback": atMost(2),
  "connections.renewals_per_burst": { text: "1", met: (value) => value === 1 },
  // As fast as for a tenant whose vendors are well; turns on one machine differ by so much.
  "isolation.ratio_to_floor": { text: "at least 0.9", met: (value) => value >= 0.9 },
  "isolation.round_trips_per_task": below(0.2),
  "isolation.vendor_calls_per_task_bulk": below(0.1),
  "isolation.worker_resident_growth": atMost(1.2),
  "isolation.calls_over_quota": { text: "0", met: (value) => value === 0 },
  "isolation.left_open": { text: "0", met: (value) => value === 0 },
  "content.round_trips_per_1000": { text: "1", met: (value) => value === 1 },
  "memory.closed_request_bytes": {
    text: "at most the limit",
    met: (value, figures) => value <= (figures["memory.closed_request_limit_bytes"] ?? 0),
  },
};

/** One line a figure, with the aim beside it. */
export function table(figures: Figures): string {
  const names = Object.keys(figures);
  const width = Math.max(...names.map((name) => name.length));
  return names.map((name) => `${name.padEnd(width)}  ${line(name, figures)}`.trimEnd()).join("\n");
}

function line(name: string, figures: Figures): string {
  const value = figures[name] ?? null;
  if (value === null) return "not known here";
  const shown = shorten(value).padStart(12);
  const aim = aims[name];
  return aim === undefined ? shown : `${shown}  ${aim.met(value, figures) ? "met" : "missed"}: ${aim.text}`;
}

const shorten = (value: number): string =>
  Math.abs(value) >= 100 || Number.isInteger(value) ? String(Math.round(value)) : value.toPrecision(3);
