import type { Sandbox } from "../../dev/sandbox/sandbox.ts";
import type { Identity } from "../../src/contract/identity.ts";
import type { Absent } from "../../src/contract/integration.ts";
import { type Action, isAbsent, isBulk, type Order, type Steps } from "../../src/contract/integration.ts";
import type { Answer, Sight } from "../../src/contract/outcome.ts";
import type { Settings, SettingValues } from "../../src/contract/settings.ts";
import { sender } from "../../src/platform/send.ts";
import type { Send } from "../../src/ports.ts";
import { orderFor } from "./play.ts";

/** `wait` moves the sandbox's clock, which calls are signed by where it is given as `now`. */
type Circumstances = {
  readonly keeps?: readonly string[];
  readonly wait?: (seconds: number) => void;
  readonly now?: () => number;
};

/** More rounds than any action needs; beyond them it is going in circles. */
const MOST_ROUNDS = 40;

/**
 * Carries an action out against the sandbox, as the driver would: what a search finds is acted on, accepted work is asked
 * about when its time has come, and what was erased is looked at.
 */
export async function carryOut<S extends Settings>(
  sandbox: Sandbox,
  action: Action<S> | Absent,
  settings: SettingValues<S>,
  identity: Identity,
  { keeps = [], wait = () => undefined, now = Date.now }: Circumstances = {},
): Promise<readonly { readonly identity: Identity; readonly answer: Answer; readonly sight?: Sight }[]> {
  if (isAbsent(action) || isBulk(action)) throw new Error("only a single action can be carried out");
  const order = (each: Identity): Order<S> =>
    orderFor(settings, each, { keeps: new Set(keeps), attemptedAt: new Date(now()).toISOString() });
  const send = sender((url, init) => sandbox.fetch(new Request(url, init)), now, []);
  let answer = await sent(send, action.run(order(identity)));
  for (let round = 0; answer.outcome === "accepted" || answer.outcome === "more"; round++) {
    if (round === MOST_ROUNDS) throw new Error("the action comes to no end");
    if (answer.outcome === "more") answer = await sent(send, action.run(order(identity)));
    else {
      wait(answer.askAfterSeconds);
      if (action.check === undefined) throw new Error("accepted work cannot be asked about");
      answer = await sent(send, action.check(answer.reference, order(identity)));
    }
  }
  if (answer.outcome === "found") {
    const ends = [];
    for (const each of answer.identities)
      ends.push(...(await carryOut(sandbox, action, settings, each, { keeps, wait, now })));
    return ends;
  }
  if (answer.outcome !== "erased" || action.look === undefined) return [{ identity, answer }];
  wait(action.look.afterSeconds);
  return [{ identity, answer, sight: await sent(send, action.look.run(order(identity))) }];
}

async function sent<A>(send: Send, steps: Steps<A>): Promise<A> {
  let step = steps.next();
  while (step.done !== true) {
    const reply = await send(step.value);
    if (!reply.ok) throw new Error(`no answer: ${reply.problem.reason}`);
    step = steps.next(reply.value);
  }
  return step.value;
}
