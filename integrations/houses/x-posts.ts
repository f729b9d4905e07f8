import { z } from "zod";
import { at, bearer, del, get, read, unforeseen } from "../../src/contract/call.ts";
import type { Order, Steps } from "../../src/contract/integration.ts";
import { byOneOf, type Grant, type NotByThis, notByThis, seenByAny } from "../../src/contract/oauth.ts";
import { type Answer, erased, notFound, type Sight } from "../../src/contract/outcome.ts";

/** Posts that were published for people: who published them deletes them, and looks whether they are gone. */

type Published = Pick<Order, "identity" | "grants" | "grantsMissing">;

/** "Partial errors": what is not there stands beside an answer with 200. https://docs.x.com/x-api/fundamentals/response-codes-and-errors */
const Problems = z.array(z.object({ type: z.string() })).default([]);
const MISSING = "https://api.x.com/2/problems/resource-not-found";
const isMissing = (problems: z.infer<typeof Problems>): boolean => problems.some(({ type }) => type === MISSING);

const Deletion = z.object({ data: z.object({ deleted: z.boolean() }).optional(), errors: Problems });
const Post = z.object({ data: z.object({ id: z.string() }).optional(), errors: Problems });

/** https://docs.x.com/x-api/posts/delete-post: by its author alone, with `tweet.write`. */
function* deletion({ accessToken }: Grant, post: string): Steps<Answer | NotByThis> {
  const reply = yield del(at`https://api.x.com/2/tweets/${{ post }}`, bearer(accessToken), { expects: [401] });
  if (reply.status === 401) return notByThis("X does not take its token any more");
  if (reply.status === 403) return notByThis("X forbids it: not its author's, or without tweet.write");
  const told = read(reply, Deletion);
  if (!told.ok) return told.problem;
  const { data, errors } = told.value;
  if (data?.deleted === true) return erased;
  return isMissing(errors) ? notFound : unforeseen(reply, "X has not deleted the post");
}

/** https://docs.x.com/x-api/posts/get-post-by-id */
function* sight({ accessToken }: Grant, post: string): Steps<Sight> {
  const reply = yield get(at`https://api.x.com/2/tweets/${{ post }}`, bearer(accessToken), { expects: [401] });
  if (reply.status === 401) return "no_view";
  const told = read(reply, Post);
  if (!told.ok) return told.problem;
  const { data, errors } = told.value;
  if (data !== undefined) return "present";
  return isMissing(errors) ? "absent" : unforeseen({ status: 200 }, "X shows no post and does not say that it is gone");
}

export const unpublishPost = (order: Published): Steps<Answer> =>
  byOneOf(order, (grant) => deletion(grant, order.identity.value));

export const sightOfPost = (order: Published): Steps<Sight> =>
  seenByAny(order, (grant) => sight(grant, order.identity.value));
