import { base64url } from "jose";
import { connectionsIn, destroyTokens } from "../connections/connection.ts";
import type { Identity } from "../contract/identity.ts";
import { CONNECTION } from "../contract/oauth.ts";
import { listeners, noticeId } from "../lanes/notice.ts";
import { residuePlace } from "../lanes/order.ts";
import type { Closing, Hash } from "../platform/store/requests.ts";
import type { Ports, SealingKey } from "../ports.ts";
import type { Context } from "../registry/load.ts";
import { compact } from "./compact.ts";
import { days } from "./deadline.ts";
import { RECEIPT_TYP, receiptOf, subjectReference } from "./receipt.ts";
import type { RequestRecord } from "./request.ts";
import { apart, dropped, later, requestOf, type Step, type StepVerb } from "./step.ts";
import { openSubject } from "./subject.ts";
import { type EndedTask, type Task, tasksOf } from "./task.ts";

/**
 * Closes requests whose tasks have all ended: sign → append to the log → notify → shred → shrink. Signing is done here;
 * the rest is one atomic step in the store, so a crash leaves either all of it or nothing, and running it again is safe.
 */
export const close: StepVerb = async (ports, context, token, steps) => {
  const { n } = context.tenant;
  const hashes = await ports.store.load(steps.map((step) => ({ n, id: requestOf(step) })));
  const all = steps.map((step, index) => ({ step, hash: hashes[index] ?? {} }));
  const live = all.filter(({ hash }) => hash.st === "open" && hash.k !== undefined && hash.d !== undefined);
  const reading = await apart(ports, live, async ({ step, hash }) => ({
    step,
    hash,
    // Written by `start`, and by nobody else.
    record: JSON.parse(hash.d ?? "{}") as RequestRecord,
  }));
  const subjects = await ports.store.subjects(reading.done.map(({ record }) => ({ n, subject: record.subject ?? "" })));
  const withSubjects = reading.done.map((each, index) => ({ ...each, subjectHash: subjects[index] ?? {} }));
  const { done, settlements } = await apart(ports, withSubjects, ({ step, hash, record, subjectHash }) =>
    closingOf(ports, context, token, step, hash, record, subjectHash),
  );
  const results = await ports.store.close(done);
  const stale = done.filter((_, index) => results[index]?.result === "stale");
  done.forEach(({ id }, index) => {
    const { result = "" } = results[index] ?? {};
    if (result === "closed" || result === "replan")
      ports.log(`request_${result}`, { tenant: context.tenant.slug, request: id });
  });
  return {
    settlements: [
      ...all.filter(({ step }) => !live.some((each) => each.step === step)).map(({ step }) => dropped(step.order)),
      ...reading.settlements,
      ...settlements,
      // The subject's record changed while the receipt was made: look again.
      ...reading.done
        .filter(({ record }) => stale.some(({ id }) => id === record.id))
        .map(({ step }) => later(step.order, ports.now())),
    ],
    woken: results.flatMap(({ woken }) => woken),
  };
};

async function closingOf(
  ports: Ports,
  context: Context,
  token: string,
  step: Step,
  hash: Hash,
  record: RequestRecord,
  subjectHash: Hash,
): Promise<Closing> {
  const { tenant, keys } = context;
  const now = ports.now();
  const key = await keys.unwrap(`request ${record.id}`, hash.k ?? "");
  const subject = await openSubject(keys, record.subject ?? "", subjectHash);
  const tasks = tasksOf(hash);
  const ending = connectionsIn(await identitiesOf(key, record, hash)).map(({ value }) => value);
  await destroyTokens(
    ports,
    context,
    ending.map((connection) => ({ id: connection, outcome: "unresolved", request: record.id })),
  );
  const jws = await signed(ports, context, record, hash, key, now, tasks, false);
  const erases = record.type !== "revocation" && record.authority === "everywhere";
  const ended = new Set(
    tasks.flatMap((task) => (task.state === "ended" && task.outcome === "erased" ? [task.subprocessor] : [])),
  );
  return {
    n: tenant.n,
    now,
    token,
    attempt: step.order.attempt,
    id: record.id,
    keepMs: days(tenant.policy.receipt_days),
    leaf: base64url.encode(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(jws)))),
    compact: await compact(jws),
    subject: record.subject ?? `none-${record.id}`,
    subjectVersion: subject.version,
    ...(record.closing !== undefined && { closing: record.closing }),
    erasesSubject: erases,
    identities: await Promise.all(subject.known.map((identity) => keys.pseudonym("index", identity))),
    // What one holder alone erased is not there to be erased again.
    forgets: erases
      ? []
      : subject.known.flatMap(({ field, subprocessor, type, value }) =>
          (subprocessor !== undefined && ended.has(subprocessor)) || (type === CONNECTION && ending.includes(value))
            ? [field]
            : [],
        ),
    residues: await residuesOf(context, record, tasks, key),
    notices: listeners(ports, context).map((subprocessor) => ({
      subprocessor,
      id: noticeId("receipt.issued", record.id),
      payload: "",
    })),
  };
}

export const identitiesOf = async (
  key: SealingKey,
  { id }: Pick<RequestRecord, "id">,
  { s = "" }: Hash,
): Promise<readonly Identity[]> =>
  // Sealed by `record` or `start`, and by nobody else.
  JSON.parse(await key.open(`request ${id} identities`, s)) as Identity[];

/** The signed statement; an interim one says at the deadline how things stand. */
export async function signed(
  ports: Ports,
  { tenant, keys }: Context,
  record: RequestRecord,
  hash: Hash,
  key: SealingKey,
  now: number,
  tasks: readonly Task[],
  interim: boolean,
): Promise<string> {
  const identities = await identitiesOf(key, record, hash);
  const salt = await keys.derive("receipt", record.id);
  const subjects = await Promise.all(identities.map((identity) => subjectReference(salt, identity)));
  const receipt = receiptOf(record, tasks, {
    iss: ports.origin,
    tenant: tenant.slug,
    subjects,
    now,
    backupDays: tenant.policy.backup_days,
    interim,
    ...(record.continues !== undefined && { prev: record.continues }),
  });
  return ports.signing.sign(RECEIPT_TYP, JSON.stringify(receipt));
}

async function residuesOf(
  context: Context,
  record: RequestRecord,
  tasks: readonly Task[],
  key: SealingKey,
): Promise<Closing["residues"]> {
  const owed = tasks.flatMap((task) =>
    task.state === "ended" && task.residue !== undefined ? [{ task, residue: task.residue }] : [],
  );
  return Promise.all(
    owed.map(async ({ task, residue }) => {
      const id = `${record.id}/${task.id}`;
      const fresh = await context.keys.newKey(`residue ${id}`);
      const content: Residue = {
        subprocessor: task.subprocessor,
        identities: JSON.parse(await key.open(residuePlace(record.id, task.id), residue.sealed)) as Identity[],
        held: isHeldTask(task),
        ...(record.subject !== undefined && { subject: record.subject }),
      };
      return {
        id,
        due: Date.parse(residue.dueAt),
        wrapped: fresh.wrapped,
        sealed: await fresh.key.seal(`residue ${id}`, JSON.stringify(content)),
      };
    }),
  );
}

const isHeldTask = (task: EndedTask): boolean => task.retained?.some(({ ground }) => ground === "legal_hold") === true;

/** What a later day needs: the vendor ids for one call, under a key of their own. */
export type Residue = {
  readonly subprocessor: string;
  readonly identities: readonly Identity[];
  readonly held: boolean;
  readonly subject?: string;
};
