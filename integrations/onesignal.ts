import { z } from "zod";
import { type Address, at, del, get, type Reply, read, unforeseen } from "../src/contract/call.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import { type Answer, erased, found, notFound, type Sight } from "../src/contract/outcome.ts";
import { type Settings, secret, text } from "../src/contract/settings.ts";

/**
 * OneSignal sends messages to the tenant's people, on their devices and by address. A user is deleted by OneSignal's own id,
 * with all its subscriptions, which it does in its own time. It tells us nothing that is signed.
 */
const DELETION = "https://documentation.onesignal.com/reference/delete-user";
const KEYS = "https://documentation.onesignal.com/docs/en/keys-and-ids";

const USER = "onesignal.onesignal_id";

const Identified = z.object({ identity: z.object({ onesignal_id: z.string().min(1) }) });

const settings = {
  appId: text("App id", /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i),
  apiKey: secret("App API key"),
} satisfies Settings;

export const onesignal = defineIntegration({
  id: "onesignal",
  name: "OneSignal",
  about: "Messages to people's devices and addresses.",
  origins: ["https://api.onesignal.com"],
  settings,
  identities: {
    "onesignal.external_id": "The id under which the tenant keeps a person there",
    "onesignal.subscription": "Id of a subscription: a device, an address or a number",
    [USER]: "OneSignal's own id of a user",
  },

  hooks: absent("what it sends is not signed, and tells of no erasure", DELETION),
  oauth: absent("API keys only", KEYS),

  actions: {
    revoke: absent("people grant OneSignal nothing", KEYS),
    erase: {
      source: DELETION,
      by: ["onesignal.external_id", "onesignal.subscription", USER],
      each: "identity",
      learns: [USER],
      *run(order) {
        if (order.identity.type === USER) return deletion(yield del(addressOf(order), auth(order)));
        const reply = yield get(addressOf(order), auth(order));
        if (reply.status === 404) return notFound;
        const user = read(reply, Identified);
        return user.ok ? found([{ type: USER, value: user.value.identity.onesignal_id }]) : user.problem;
      },
      look: { afterSeconds: 300, run: sight },
    },
  },

  residuals: [
    {
      category: "message_audiences",
      days: 30,
      ground: "to whom a message was sent is purged 30 days after it was sent",
      source: "https://documentation.onesignal.com/docs/en/handling-personal-data",
    },
  ],
  retainable: [],
  // A thousand a second for an app, one a second for a user, who is read once and deleted once.
  limits: { perSecond: 10, connections: 1, account: { settings: ["appId"] } },
});

type OnesignalOrder = Order<typeof settings>;

const auth = ({ settings }: OnesignalOrder) => ({ authorization: `Key ${settings.apiKey}` });

/** Where a user, or whose a subscription is, stands. */
function addressOf({ settings: { appId }, identity: { type, value } }: OnesignalOrder): Address {
  const app = at`https://api.onesignal.com/apps/${{ app: appId }}`;
  const path =
    type === "onesignal.subscription"
      ? at`/subscriptions/${{ subscription: value }}/user/identity`
      : type === USER
        ? at`/users/by/onesignal_id/${{ user: value }}`
        : at`/users/by/external_id/${{ external_id: value }}`;
  return { url: app.url + path.url, template: app.template + path.template };
}

/** Accepted, which an older description calls 200; a look tells when it is done. */
function deletion(reply: Reply): Answer {
  switch (reply.status) {
    case 200:
    case 202:
      return erased;
    case 404:
      return notFound;
    // Something else is being done with this user.
    case 409:
      return { outcome: "slow_down", seconds: 60 };
    default:
      return unforeseen(reply);
  }
}

function* sight(order: OnesignalOrder): Steps<Sight> {
  const reply = yield get(addressOf(order), auth(order));
  if (reply.status === 404) return "absent";
  const user = read(reply, Identified);
  return user.ok ? "present" : user.problem;
}
