import { z } from "zod";
import { awsJson, Keys, ServiceRefusal } from "./aws-json.ts";
import { derivedId } from "./shelf.ts";
import type { MakeVendor } from "./vendor.ts";

const User = z.strictObject({
  username: z.string().min(1),
  sub: z.string().optional(),
  attributes: z.record(z.string(), z.string()).default({}),
  signed_in: z.boolean().default(true),
});

/** `{vendor, pool, users, keys?}`; attributes by name, such as `email` and `phone_number`. */
const Seed = z.strictObject({ vendor: z.string(), pool: z.string(), users: z.array(User).default([]), keys: Keys });

const One = z.strictObject({ UserPoolId: z.string(), Username: z.string().min(1).max(128) });
const List = z.strictObject({
  UserPoolId: z.string(),
  Filter: z.string().max(256),
  AttributesToGet: z.array(z.string()).min(1).optional(),
  Limit: z.int().min(0).max(60).default(60),
});

type Held = { pool: string; username: string; sub: string; attributes: Record<string, string>; signed_in: boolean };

/**
 * User pools of Amazon Cognito. A user is known by username, and by `sub` too; a pool that is not there is another refusal than
 * a user who is not.
 *
 * @see https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminDeleteUser.html and its neighbours
 */
export const awsCognito: MakeVendor = (world) => {
  const pools = new Map<string, Held[]>();
  const secrets = new Map<string, string>();
  const usersOf = (pool: string, region: string): Held[] => {
    const users = pool.startsWith(`${region}_`) ? pools.get(pool) : undefined;
    if (users === undefined) throw new ServiceRefusal("ResourceNotFoundException");
    return users;
  };
  const find = (body: unknown, region: string): Held => {
    const { UserPoolId, Username } = One.parse(body);
    const user = usersOf(UserPoolId, region).find(({ username, sub }) => username === Username || sub === Username);
    if (user === undefined) throw new ServiceRefusal("UserNotFoundException");
    return user;
  };
  const attributesOf = ({ sub, attributes }: Held) =>
    Object.entries({ sub, ...attributes }).map(([Name, Value]) => ({ Name, Value }));

  return awsJson(world, secrets, {
    id: "aws-cognito",
    about: "cognito-idp.{region}.amazonaws.com",
    name: "cognito-idp",
    type: "application/x-amz-json-1.1",
    target: "AWSCognitoIdentityProviderService",
    operations: {
      ListUsers(body, region) {
        const { UserPoolId, Filter, AttributesToGet, Limit } = List.parse(body);
        const [, name = "", value = ""] = /^(\w+) = "([^"\\]*)"$/.exec(Filter) ?? [];
        if (name === "") throw new ServiceRefusal("InvalidParameterException");
        const all = usersOf(UserPoolId, region).filter(({ sub, attributes }) =>
          name === "sub" ? sub === value : attributes[name] === value,
        );
        const Users = all.slice(0, Limit).map((user) => ({
          Username: user.username,
          Enabled: true,
          UserStatus: "CONFIRMED",
          Attributes: attributesOf(user).filter(({ Name }) => AttributesToGet?.includes(Name) ?? true),
        }));
        return { Users, ...(all.length > Limit && { PaginationToken: "next" }) };
      },
      AdminUserGlobalSignOut(body, region) {
        find(body, region).signed_in = false;
        return {};
      },
      // Empty, not even an object.
      AdminDeleteUser(body, region) {
        const user = find(body, region);
        pools.set(
          user.pool,
          usersOf(user.pool, region).filter((each) => each !== user),
        );
        return "";
      },
      AdminGetUser(body, region) {
        const user = find(body, region);
        return { Username: user.username, UserAttributes: attributesOf(user), Enabled: true };
      },
    },
    seed(body) {
      const { pool, users, keys } = Seed.parse(body);
      for (const [id, secret] of Object.entries(keys)) secrets.set(id, secret);
      const held = users.map(({ sub, ...user }) => ({
        ...user,
        pool,
        sub: sub ?? derivedId("sub-", pool, user.username),
      }));
      pools.set(pool, [...(pools.get(pool) ?? []), ...held]);
      return { users: held.map(({ username, sub }) => ({ username, sub })) };
    },
    holdings: () => ({ users: [...pools.values()].flat().map((user) => ({ ...user })) }),
    reset: () => pools.clear(),
  });
};
