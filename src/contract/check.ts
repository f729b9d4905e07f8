import type { z } from "zod";
import { type Call, type Reply, read } from "./call.ts";
import type { Unforeseen } from "./outcome.ts";
import type { Settings, SettingValues } from "./settings.ts";

/** What a harmless read shows of a subprocessor's credentials. `what` is in words of ours: a vendor's may name anything. */
export type Finding =
  | { readonly finding: "fine" }
  | {
      readonly finding: "unauthorized" | "lacks_scope" | "unforeseen";
      readonly status: number;
      readonly what: string;
    };

export type Looks = Generator<Call, Finding, Reply>;

/** A read that changes nothing at the vendor, and is nobody's data as far as the vendor has such a read. */
export type Check<S extends Settings> = {
  readonly source: string;
  /** What "fine" then means, and what stays open, in plain words. */
  readonly shows: string;
  /** Why a call that is not a GET changes nothing. Without it nothing but GET is sent. */
  readonly posts?: string;
  /** `at` is the time of the check, RFC 3339 in UTC. */
  run(settings: SettingValues<S>, at: string): Looks;
};

/** An address that nobody can have (RFC 2606), for reads that want one. */
export const NOBODY = "nobody@quittance.invalid";

export const fine: Finding = { finding: "fine" };

const not =
  (finding: "unauthorized" | "lacks_scope" | "unforeseen") =>
  ({ status }: Pick<Reply, "status">, what: string): Finding => ({ finding, status, what });

export const refusedCredential = not("unauthorized");
export const lacksScope = not("lacks_scope");
export const unclear = ({ status, what }: Unforeseen): Finding => not("unforeseen")({ status }, what);

/** Fine where the answer is a documented success of this shape; 403 means that `lacks` is missing. */
export function readable(reply: Reply, schema: z.ZodType, lacks: string): Finding {
  if (reply.status === 403) return lacksScope(reply, lacks);
  const body = read(reply, schema);
  return body.ok ? fine : unclear(body.problem);
}
