import { z } from "zod";
import { type Identity, SHARED_TYPES } from "../contract/identity.ts";
import type { Ports } from "../ports.ts";
import type { Problem } from "../problem.ts";
import { fail, ok, type Result } from "../result.ts";

/**
 * Whether each identity is of a type that somebody knows, and looks like what it says: a misspelt one would be looked for,
 * not be found, and be taken for nobody.
 */
export function known(ports: Pick<Ports, "integrations">, identities: readonly Identity[]): Result<undefined, Problem> {
  const own = [...ports.integrations.values()].flatMap((integration) => Object.keys(integration.identities));
  const errors = identityErrors(new Set<string>([...SHARED_TYPES, ...own]), identities, "identities");
  return errors.length === 0 ? ok(undefined) : fail({ reason: "invalid", errors });
}

/** What is wrong with each of a list of identities that may be of these types, by the place in the list. */
export const identityErrors = (types: ReadonlySet<string>, identities: readonly Identity[], list: string) =>
  identities.flatMap(({ type, value }, index) => {
    if (!types.has(type)) return [{ field: `${list}.${index}.type`, expected: `one of ${[...types].join(", ")}` }];
    const isOdd = type === "email" && !z.email().safeParse(value.trim()).success;
    return isOdd ? [{ field: `${list}.${index}.value`, expected: "an e-mail address" }] : [];
  });
