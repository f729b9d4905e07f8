import { expect, it } from "vitest";
import { get } from "../../src/contract/call.ts";
import { sender } from "../../src/platform/send.ts";

const sending = (url: string, ...forbidden: readonly string[]) =>
  sender(
    () => Promise.resolve(new Response("{}")),
    () => 0,
    forbidden,
  )(get({ url, template: url }, {}));

it.each([
  "https://gate.example/",
  "https://GATE.example/",
  "https://gate.example./",
  "https://gate.example../",
  "https://store.example/",
  "http://other.example/",
  "https://other.example:8443/",
])("[I13] does not call %s, whatever dots stand at the end of the name", async (url) => {
  expect(await sending(url, "gate.example", "store.example.")).toMatchObject({
    ok: false,
    problem: { reason: "forbidden_address" },
  });
});

it("calls other hosts", async () => {
  expect(await sending("https://other.example/", "gate.example")).toMatchObject({ ok: true, value: { status: 200 } });
});
