import { z } from "zod";
import { byStatus, noCall, type Reply, read, unforeseen } from "../src/contract/call.ts";
import type { Identity } from "../src/contract/identity.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import { type Answer, erased, found, notFound } from "../src/contract/outcome.ts";
import { type Settings, text } from "../src/contract/settings.ts";
import { awsSettings, operation, originsOf, refusalOf, SIGV4, stopping } from "./houses/aws.ts";

/**
 * A user pool of Amazon Cognito holds the accounts of the tenant's people. We find a person by e-mail address or telephone
 * number, sign them out everywhere and delete the user.
 */
const DELETE = "https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminDeleteUser.html";

const settings = {
  ...awsSettings,
  userPoolId: text("Id of the user pool", /^[\w-]+_[0-9a-zA-Z]+$/),
} satisfies Settings;
type PoolOrder = Order<typeof settings>;

const Users = z.object({
  Users: z.array(z.object({ Username: z.string().min(1).max(128) })),
  PaginationToken: z.string().min(1).nullish(),
});

/** What a filter of the pool calls an identity's type. */
const ATTRIBUTES: ReadonlyMap<string, string> = new Map([
  ["email", "email"],
  ["phone", "phone_number"],
]);

/** A page of users, and more than one person has of them. */
const PAGE = 60;

export const awsCognito = defineIntegration({
  id: "aws-cognito",
  name: "Amazon Cognito",
  about: "Keeps the accounts with which people sign in.",
  origins: originsOf("cognito-idp"),
  settings,
  identities: { "aws-cognito.username": "Username in the pool, or the `sub` of a user who has a password there" },

  hooks: absent("its triggers call functions of the account only", DELETE),
  oauth: absent("access keys only", SIGV4),

  actions: {
    revoke: absent("erasing a user ends all of their tokens that can be ended", DELETE),
    erase: {
      source: DELETE,
      by: ["email", "phone", "aws-cognito.username"],
      each: "identity",
      *run(order) {
        const attribute = ATTRIBUTES.get(order.identity.type);
        return attribute === undefined ? yield* eraseUser(order) : yield* usersWith(attribute, order);
      },
      look: {
        afterSeconds: 5,
        *run(order) {
          const reply = yield call("AdminGetUser", order, { Username: order.identity.value });
          if (isGone(reply)) return "absent";
          const stop = stopping(reply);
          if (stop !== undefined) return stop;
          return reply.status === 200 ? "present" : refused(reply);
        },
      },
    },
  },

  residuals: [],
  retainable: [],
  limits: { connections: 2, account: { settings: ["userPoolId"] } },
});

const JSON_1_1 = { type: "application/x-amz-json-1.1", target: "AWSCognitoIdentityProviderService" };

const call = (name: string, { settings }: PoolOrder, body: object) =>
  operation("cognito-idp", JSON_1_1, name, settings, { UserPoolId: settings.userPoolId, ...body });

/** Only this name says that there is no such user; one of the pool itself says that the setting is wrong. */
const isGone = (reply: Reply): boolean => refusalOf(reply) === "UserNotFoundException";

const refused = (reply: Reply) => {
  const name = refusalOf(reply);
  return name === "" ? unforeseen(reply) : unforeseen(reply, `Cognito answered ${name}`);
};

/**
 * Unconfirmed: whether the filter minds capital letters. If it does, an address that was typed with some is found only by the
 * username, which the product should register (the page of this vendor says so).
 */
function* usersWith(attribute: string, order: PoolOrder): Steps<Answer> {
  const { value } = order.identity;
  // A filter is text, in which a quotation mark would end the value.
  if (/["\\\p{Cc}]/u.test(value) || value.length > 200)
    return unforeseen(noCall, "this value cannot stand in a filter");
  const reply = yield call("ListUsers", order, {
    Filter: `${attribute} = "${value}"`,
    AttributesToGet: ["sub"],
    Limit: PAGE,
  });
  const stop = stopping(reply);
  if (stop !== undefined) return stop;
  const users = read(reply, Users);
  if (!users.ok) return reply.status === 400 ? refused(reply) : users.problem;
  if (users.value.PaginationToken != null) return unforeseen(reply, `more than ${PAGE} users have this value`);
  return found(users.value.Users.map(({ Username }): Identity => ({ type: "aws-cognito.username", value: Username })));
}

/** Signed out first, because refresh tokens of a deleted user cannot be ended any more. */
function* eraseUser(order: PoolOrder): Steps<Answer> {
  const user = { Username: order.identity.value };
  for (const name of ["AdminUserGlobalSignOut", "AdminDeleteUser"]) {
    const reply = yield call(name, order, user);
    if (isGone(reply)) return notFound;
    const stop = stopping(reply);
    if (stop !== undefined) return stop;
    if (name === "AdminDeleteUser") return reply.status === 400 ? refused(reply) : byStatus(reply, { 200: erased });
    // A user who cannot be signed out (one who never confirmed the address, say) can be deleted all the same.
    if (reply.status !== 200 && refusalOf(reply) === "") return unforeseen(reply);
  }
  return unforeseen(noCall);
}
