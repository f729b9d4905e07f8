import { Ground } from "../request/policy.ts";

const words: Readonly<Record<Ground, string>> = {
  legal_obligation: "A law requires these records to be kept",
  legal_claims: "It is needed to bring a legal claim, or to defend against one",
  contract_open: "A contract or a payment is not finished yet",
  security: "It is needed to keep the service secure",
  backup_cycle: "It is in backup copies, which are overwritten in turn",
  suppression: "It is the least that is needed so that your data is not collected again",
  not_identifiable: "It no longer shows whom it is about",
  legal_hold: "There is a legal hold on it: while the hold stands, it must not be erased",
};

export type Explained = { readonly why: string; readonly law?: string };

/** A ground is `<code>`, `<code>: <law>`, or a holder's own sentence, which is shown as it is. */
export function explained(ground: string): Explained {
  const [, code, law] = /^([a-z_]+)(?::\s*(.+))?$/s.exec(ground.trim()) ?? [];
  const known = Ground.safeParse(code);
  if (!known.success) return { why: ground.trim().replace(/\.$/, "") };
  return { why: words[known.data], ...(law !== undefined && { law }) };
}
