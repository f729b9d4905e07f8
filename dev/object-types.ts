import { type Integration, isAbsent } from "../src/contract/integration.ts";

/** The product's client names what can be registered: the vendors' own kinds of object that an action can be given. */
export function objectTypes(integrations: readonly Integration[]): string {
  const types = integrations.flatMap(({ identities, actions }) => {
    const named = new Set(
      Object.values(actions).flatMap((action) => (isAbsent(action) || action.by === "any" ? [] : action.by)),
    );
    return Object.entries(identities).filter(([type]) => named.has(type));
  });
  const lines = types
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([type, meaning]) => `  /** ${meaning} */\n  | "${type}"`);
  return `// Made from the code by \`npm run vendors\`.\n\n/** What can be registered, by integration. */\nexport type ObjectType =\n${lines.join("\n")};\n`;
}
