/**
 * Where the objects of one person lie in a bucket, among those of everybody: `users/{id}/`. One `{id}`, and a slash at the end,
 * so that `users/1/` holds nothing of 10.
 */
export const PREFIX_TEMPLATE = /^[^{}\p{Cc}]*\{id\}[^{}\p{Cc}]*\/$/u;

/**
 * The prefix of one person. Undefined where the template is not as above or the id could lead to somebody else's objects: a slash
 * would name what lies deeper, or nobody's folder; dots are steps for whoever takes the name for a path; nothing would name all.
 *
 * Two ids never have one prefix, nor one that begins with the other's: up to the first slash behind it, it is the id that differs.
 */
export function prefixFor(template: string, id: string): string | undefined {
  const isSafe = id !== "" && !/[/\\\p{Cc}]|\.\.|^\.$/u.test(id);
  return isSafe && PREFIX_TEMPLATE.test(template) ? template.replace("{id}", () => id) : undefined;
}
