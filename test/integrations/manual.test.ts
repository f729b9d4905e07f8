import { describe, expect, it } from "vitest";
import { manual } from "../../integrations/manual.ts";
import { isAbsent } from "../../src/contract/integration.ts";
import { settingsSchema } from "../../src/contract/settings.ts";

const fits = (settings: object) => settingsSchema(manual.settings).safeParse(settings).success;

describe("a holder that is told by hand", () => {
  it("takes what to do, whom to write to and by when from settings that it has", () => {
    const { erase } = manual.actions;
    if (!isAbsent(erase) || typeof erase.instructions !== "object") throw new Error("it is told by a person");
    const texts = Object.entries(manual.settings).filter(([, { kind }]) => kind === "text");
    expect(Object.values(erase.instructions).toSorted()).toEqual(["contact", "days", "instructions"]);
    expect(texts.map(([name]) => name).toSorted()).toEqual(["contact", "days", "instructions"]);
  });

  it("needs to be told what to do; the rest may be left out", () => {
    expect(fits({ instructions: "Open the portal.\nErase the account." })).toBe(true);
    expect(fits({ instructions: "" })).toBe(false);
    expect(fits({ contact: "desk" })).toBe(false);
  });

  it.each(["0", "-1", "100", "soon", "1.5"])("takes no %s for a number of days", (days) => {
    expect(fits({ instructions: "Open the portal.", days })).toBe(false);
  });
});
