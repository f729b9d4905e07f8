import { expect, it } from "vitest";
import { resume } from "../../src/request/residue.ts";
import { bench, summary } from "./samples.ts";

const REQUEST = `req_11${"a".repeat(32)}`;
const content = {
  subprocessor: "shop",
  identities: [{ type: "shop.customer", value: "cus_1" }],
  held: false,
};

it("[I9] opens a request at the one holder on its day, and then forgets the residue", async () => {
  const at = await bench();
  await at.residue(`${REQUEST}/shop.erase`, content);
  const done = await at.run(resume, "residue", [`${REQUEST}/shop.erase`]);
  expect(summary(done.settlements)).toEqual([`residue:${REQUEST}/shop.erase drop`]);
  expect(JSON.parse(at.recorded[0]?.fields.d ?? "{}")).toMatchObject({
    authority: "here",
    scope: "shop",
    continues: REQUEST,
  });
  expect(at.recorded[0]).toMatchObject({ here: true, echoOf: "", signalAt: 0 });
  expect(at.residues.size).toBe(0);
});

it.each([
  ["its seal is damaged", { s: "v1.AAAA.AAAA" }],
  ["its key is damaged", { k: "v1.AAAA.AAAA" }],
])("[I2] comes back later, is kept, and holds up nobody else, where %s", async (_, damage) => {
  const at = await bench();
  const ids = ["one", "two", "three"].map((name) => `${REQUEST}/${name}.erase`);
  for (const id of ids) await at.residue(id, content);
  const bad = ids[1] ?? "";
  at.residues.set(bad, { ...at.residues.get(bad), ...damage });
  const done = await at.run(resume, "residue", ids);
  expect(summary(done.settlements).toSorted()).toEqual(
    [`residue:${ids[0]} drop`, `residue:${ids[1]} back later`, `residue:${ids[2]} drop`].toSorted(),
  );
  expect([...at.residues.keys()]).toEqual([bad]);
});

it("[I9] asks once a day whether a hold still stands", async () => {
  const at = await bench();
  await at.residue(`${REQUEST}/shop.erase`, { ...content, held: true });
  const hold = {
    id: "hold_1",
    reason: "litigation",
    reviewAt: "2027-06-01T00:00:00Z",
    placedAt: "2026-01-01T00:00:00Z",
    placedBy: "key_1",
  };
  const context = { ...at.context, tenant: { ...at.context.tenant, holds: [hold] } };
  const order = { id: `residue:${REQUEST}/shop.erase`, attempt: 1, payload: "", cursor: "", learned: [], joint: [] };
  const done = await resume(at.ports, context, "token", [{ order, subject: `${REQUEST}/shop.erase` }]);
  expect(summary(done.settlements)).toEqual([`${order.id} back later`]);
  expect(at.recorded).toEqual([]);
});
