import { connections } from "./connections.ts";
import { content } from "./content.ts";
import type { Figures } from "./figures.ts";
import { intake } from "./intake.ts";
import { isolation } from "./isolation.ts";
import { memory } from "./memory.ts";
import type { Options } from "./options.ts";
import { propagation } from "./propagation.ts";
import { schemes } from "./schemes.ts";
import { startup } from "./startup.ts";
import { verification } from "./verification.ts";

/** All figures, one part after the other, so that none disturbs another. `tell` hears of what begins. */
export async function measure(options: Options, tell: (what: string) => void): Promise<Figures> {
  tell("bundle");
  const size = await startup(options.startup.starts);
  tell("intake");
  const taken = await intake(options.intake);
  tell("schemes");
  const bySchemes = await schemes(options.schemes);
  tell("verification");
  const verified = await verification(options.verification);
  tell("propagation");
  const propagated = await propagation(options.propagation);
  tell("isolation");
  const isolated = await isolation(options.isolation);
  tell("memory");
  const kept = await memory(options.memory);
  tell("content");
  const told = await content();
  tell("connections");
  const granted = await connections(options.connections);
  return { ...taken, ...bySchemes, ...verified, ...propagated, ...isolated, ...size, ...kept, ...told, ...granted };
}
