/**
 * Runs against `npm start` in this folder: `npm run --silent example`. A person comes, a file of theirs is created at OpenAI and
 * registered beside that call, and their erasure finds it there without a search.
 */
import { readFileSync } from "node:fs";
import { connect } from "./index.ts";

/** What `npm start` has written about its gateway. */
type Dev = { readonly url: string; readonly sandbox: string; readonly key: string };

/** Stands for OpenAI's SDK: the sandbox has no upload, so the file is planted. */
const openaiOf = (sandbox: string) => ({
  files: {
    create: async ({ name, content }: { readonly name: string; readonly content: string }) => {
      const seed = { vendor: "openai", files: [{ id: `file-${name}`, filename: `${name}.txt`, content }] };
      const reply = await fetch(`${sandbox}/seed`, { method: "POST", body: JSON.stringify(seed) });
      if (!reply.ok) throw new Error(`the sandbox answered ${reply.status}`);
      return { id: `file-${name}` };
    },
  },
});

export async function example(
  { url, sandbox, key }: Dev,
  person: string,
  say: (line: string) => void,
): Promise<string> {
  const quittance = connect({ url, key });
  const openai = openaiOf(sandbox);
  const api = async (method: string, path: string, body?: object) => {
    const reply = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return reply.json();
  };
  const email = { type: "email", value: `${person}@example.com` };
  await api("PUT", `/v1/subjects/${person}`, { identities: [email] });

  // These two lines are all that a product adds.
  const file = await openai.files.create({ name: person, content: `${email.value} wrote this` });
  const { registered } = await quittance.holds(person, "openai.file", file.id);
  say(`registered: ${registered}`);

  // Or both in one.
  const photo = await quittance.created(
    person,
    "openai.file",
    openai.files.create({ name: `${person}-photo`, content: `a picture of ${email.value}` }),
  );
  say(`created and registered: ${photo.id}`);

  const request = await api("POST", "/v1/requests", { type: "erasure", subject: person });
  say(`asked for: ${request.id}`);
  return request.id;
}

if (import.meta.main) {
  const file = `${process.env.DATA ?? ".quittance"}/dev.json`;
  // Written by `npm start`, and by nobody else.
  const dev = JSON.parse(readFileSync(file, "utf8")) as {
    readonly url: string;
    readonly sandbox_url: string;
    readonly tenants: Readonly<Record<string, { readonly api_key: string }>>;
  };
  const { url, sandbox_url: sandbox } = dev;
  const key = dev.tenants.cloutmetrics?.api_key ?? "";
  await example({ url, sandbox, key }, `person-${Date.now()}`, (line) => console.log(line));
}
