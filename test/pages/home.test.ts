import { expect, it } from "vitest";
import { home } from "../../src/pages/home.tsx";

it("tells an operator what this is and where to look, and nothing about tenants", async () => {
  const reply = await home().request("/");
  const page = await reply.text();
  expect(reply.status).toBe(200);
  expect(page).toContain("<h1>Quittance</h1>");
  expect(page).toContain('href="/healthz"');
  expect(page).toContain('href="/.well-known/jwks.json"');
  expect(page).toContain("README");
});
