import { type Action, absent, defineIntegration, type Integration } from "../../src/contract/integration.ts";
import { erased } from "../../src/contract/outcome.ts";
import type { Settings } from "../../src/contract/settings.ts";
import { type RequestId, tenantNumber } from "../../src/ids.ts";
import { signingKeys } from "../../src/platform/signing.ts";
import type { Settlement } from "../../src/platform/store/lanes.ts";
import type { Closing, Hash, NewRequest, Opening } from "../../src/platform/store/requests.ts";
import type { Store } from "../../src/platform/store.ts";
import { createVault } from "../../src/platform/vault.ts";
import type { Ports } from "../../src/ports.ts";
import type { Context } from "../../src/registry/load.ts";
import type { Subprocessor } from "../../src/registry/subprocessor.ts";
import type { Tenant } from "../../src/registry/tenant.ts";
import { compact } from "../../src/request/compact.ts";
import type { KnownIdentity } from "../../src/request/plan.ts";
import { Policy } from "../../src/request/policy.ts";
import { RECEIPT_TYP, type ReceiptTask } from "../../src/request/receipt.ts";
import { type Intent, record } from "../../src/request/record.ts";
import type { Step, StepVerb } from "../../src/request/step.ts";
import { fail } from "../../src/result.ts";

export const NOW = Date.parse("2026-11-21T09:00:00Z");
export const email = (name: string) => ({ type: "email", value: `${name}@example.com` });
const SOURCE = "https://acme.example/docs";

const action = (by: readonly string[]): Action<Settings> => ({
  source: SOURCE,
  by,
  each: "identity",
  // biome-ignore lint/correctness/useYield: these verbs run nothing.
  *run() {
    return erased;
  },
});

const holder = (id: string, more: Partial<Integration>): Integration =>
  defineIntegration<Settings>({
    id,
    name: id,
    about: "Holds data.",
    origins: [`https://api.${id}.example`],
    settings: {},
    identities: {},
    hooks: absent("none", SOURCE),
    oauth: absent("none", SOURCE),
    actions: { erase: absent("not offered", SOURCE), revoke: absent("not offered", SOURCE) },
    residuals: [],
    retainable: [],
    limits: { connections: 1 },
    ...more,
  });

/** One holder that can tell us what happened there, and one that cannot. */
const integrations = new Map(
  [
    holder("shop", {
      identities: { "shop.customer": "Customer id" },
      hooks: { events: { title: "Events", receive: () => ({ ok: true, value: [] }) } } as never,
      actions: { erase: action(["shop.customer"]), revoke: absent("not offered", SOURCE) },
    }),
    holder("mail", { actions: { erase: action(["email"]), revoke: absent("not offered", SOURCE) } }),
  ].map((each) => [each.id, each]),
);

const entry = (id: string): Subprocessor => ({
  id,
  integration: id,
  settings: {},
  secrets: {},
  registersObjects: false,
  status: "active",
  validFrom: "2026-01-01T00:00:00.000Z",
  version: 1,
  facts: {},
});

/** The verbs' ports in memory: what is sealed is really sealed, and the store remembers what it was asked for. */
export async function bench() {
  const n = tenantNumber(1);
  const random = (count: number) => crypto.getRandomValues(new Uint8Array(count));
  const vault = createVault([{ id: "m1", bytes: random(32) }], random);
  const tenant: Tenant = {
    n,
    slug: "acme",
    name: "Acme",
    root: await vault.newTenant(n),
    policy: Policy.parse({}),
    policyVersion: 1,
    subprocessors: { mail: entry("mail"), shop: entry("shop") },
    apiKeys: [],
    holds: [],
    status: "active",
  };
  const keys = await vault.tenant(n, tenant.root);
  const context: Context = {
    version: "1",
    tenant,
    keys,
    loadedAt: NOW,
    secrets: async () => [],
    once: async (_, make) => make(),
  };
  const pair = await crypto.subtle.generateKey({ name: "Ed25519" }, true, ["sign", "verify"]);
  const requests = new Map<string, Hash>();
  const subjects = new Map<string, Hash>();
  const indexes = new Map<string, string>();
  const suppressions = new Map<string, string>();
  const residues = new Map<string, Hash>();
  const recorded: NewRequest[] = [];
  const openings: Opening[] = [];
  const closings: Closing[] = [];
  const answers = new Map<string, string>();
  const events: string[] = [];
  let loads = 0;

  const answered = <T extends Opening | Closing>(done: T[], usual: string) => {
    return async (all: readonly T[]) =>
      all.map((each) => {
        done.push(each);
        return { result: answers.get(each.id) ?? usual, woken: [] };
      });
  };
  const store: Partial<Store> = {
    record: async (all) => {
      recorded.push(...all);
      for (const { id, fields } of all) requests.set(id, { st: "scheduled", ...fields });
      return all.map(() => ({ result: "recorded", wake: false }));
    },
    load: async (all) => all.map(({ id }) => requests.get(id) ?? {}),
    ofAccounts: async (_, all) => all.map(() => []),
    connections: async (all) => all.map(() => ({})),
    ending: async () => {},
    subjectsOf: async (all) => all.map(({ pseudonym }) => indexes.get(pseudonym)),
    subjects: async (all) => all.map(({ subject }) => subjects.get(subject) ?? {}),
    suppressed: async (_, all) => all.map((pseudonym) => suppressions.get(pseudonym)),
    open: answered(openings, "open"),
    close: answered(closings, "closed"),
    residue: async (_, id) => residues.get(id) ?? {},
    dropResidue: async (_, id) => {
      residues.delete(id);
    },
    setField: async () => undefined,
    tell: async () => undefined,
  };
  const ports: Ports = {
    now: () => NOW,
    random,
    // Whatever else a verb would ask the store for fails, and is seen.
    store: store as Store,
    tenants: {
      bySlug: async () => context,
      byNumber: async () => {
        loads++;
        return context;
      },
    },
    vault,
    send: async () => {
      throw new Error("no call is made here");
    },
    listen: async () => ({ ok: false, problem: { reason: "connection_failed" } }),
    lines: async () => ({ ok: false, problem: { reason: "connection_failed" } }),
    wake: async () => undefined,
    later: () => undefined,
    keySets: { keys: async () => undefined, text: async () => fail("unavailable") },
    log: (event, facts) => {
      events.push(`${event} ${String(facts.order ?? facts.request ?? "")}`);
    },
    integrations,
    signing: signingKeys([await crypto.subtle.exportKey("jwk", pair.privateKey)].map((jwk) => jwk as never)),
    sleep: async () => undefined,
    origin: "https://gate.example",
  };

  const request = async (delivery: string, more: Partial<Intent> = {}): Promise<RequestId> => {
    const intent: Intent = {
      type: "erasure",
      source: "api",
      delivery,
      authority: "everywhere",
      identities: [email(delivery)],
      ...more,
    };
    const [made] = await record(ports, context, () => [intent]);
    if (made === undefined) throw new Error("nothing was recorded");
    return made.id;
  };

  const steps = (kind: string, subject: string): Step => ({
    order: { id: `${kind}:${subject}`, attempt: 1, payload: "", cursor: "", learned: [], joint: [] },
    subject,
  });

  return {
    context,
    ports,
    requests,
    subjects,
    suppressions,
    residues,
    recorded,
    openings,
    closings,
    answers,
    events,
    loads: () => loads,
    request,
    step: steps,
    /** Runs a verb for all of them in one batch. */
    run: async (verb: StepVerb, kind: string, subjectsOfSteps: readonly string[]) =>
      verb(
        ports,
        context,
        "token",
        subjectsOfSteps.map((each) => steps(kind, each)),
      ),
    /** Makes a subject known, by what it is linked to. */
    link: async (subject: string, known: readonly KnownIdentity[]) => {
      const { key, wrapped } = await keys.newKey(`subject ${subject}`);
      const fields = await Promise.all(
        known.map(async (identity) => {
          const pseudonym = await keys.pseudonym("index", identity);
          indexes.set(pseudonym, subject);
          const field = `e:${pseudonym}`;
          return [field, await key.seal(`subject ${subject} ${field}`, JSON.stringify(identity))] as const;
        }),
      );
      subjects.set(subject, { k: wrapped, v: "1", ...Object.fromEntries(fields) });
    },
    /** A request as its start leaves it when each of its tasks has ended. */
    opened: async (id: RequestId, subject?: string) => {
      const before = requests.get(id) ?? {};
      const document = { ...JSON.parse(before.d ?? "{}"), ...(subject !== undefined && { subject }) };
      const task = {
        ...{ id: "mail.erase", subprocessor: "mail", integration: "mail", action: "erase", attempts: 1 },
        ...{ state: "ended", outcome: "erased", level: "deleted_reported" },
        ...{ due_at: document.due_at, ended_at: document.received_at },
      };
      requests.set(id, {
        ...before,
        st: "open",
        d: JSON.stringify(document),
        "t:mail.erase": JSON.stringify(task),
      });
    },
    /** A request that has closed, with how its tasks ended. */
    closed: async (id: RequestId, tasks: readonly Partial<ReceiptTask>[]) => {
      const jws = await ports.signing.sign(RECEIPT_TYP, JSON.stringify({ request: id, tasks }));
      requests.set(id, { st: "closed", c: `0.${await compact(jws)}` });
    },
    residue: async (id: string, content: object) => {
      const { key, wrapped } = await keys.newKey(`residue ${id}`);
      residues.set(id, { k: wrapped, s: await key.seal(`residue ${id}`, JSON.stringify(content)) });
    },
    suppress: async (identity: KnownIdentity, value: string) => {
      suppressions.set(await keys.pseudonym("suppression", identity), value);
    },
  };
}

/** A settlement in a few words: which order, and what becomes of it. */
export const summary = (settlements: readonly Settlement[]): readonly string[] =>
  settlements.map(({ id, what, ...more }) =>
    what === "back" && "due" in more ? `${id} ${what} ${more.due > NOW ? "later" : "now"}` : `${id} ${what}`,
  );

/** The planned tasks of an opening, with how each of them stands. */
export const planned = ({ tasks }: Opening): Readonly<Record<string, string>> =>
  Object.fromEntries(
    tasks.map(({ id, document }) => {
      const { state, outcome, level } = JSON.parse(document);
      return [id, [state, outcome, level].filter((each) => each !== undefined).join(" ")];
    }),
  );
