import type { Sample } from "./kit.ts";

export const sample: Sample = { settings: {}, hooks: {}, ways: [] };
