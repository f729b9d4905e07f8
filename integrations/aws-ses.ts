import { type Address, at, byStatus, del, get, type Reply, unauthorized, unforeseen } from "../src/contract/call.ts";
import { absent, defineIntegration, type Order, type Steps } from "../src/contract/integration.ts";
import { type Answer, erased, notFound, retained, type Sight } from "../src/contract/outcome.ts";
import { optional, type Settings, text } from "../src/contract/settings.ts";
import { atService, awsSettings, originsOf, SIGV4, signedFor } from "./houses/aws.ts";

/**
 * Amazon SES sends the tenant's mail in one region. It keeps a contact list, and the addresses that are to get no mail. We erase
 * the contact, and the suppressed address unless the policy keeps it. (What SES tells comes through `aws`.)
 */
const CONTACTS = "https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_DeleteContact.html";
const SUPPRESSED = "https://docs.aws.amazon.com/ses/latest/dg/sending-email-suppression-list.html";

const SUPPRESSIONS = "suppression_list";

const settings = {
  ...awsSettings,
  contactList: optional(text("Contact list, where there is one", /^[\w-]{1,64}$/)),
} satisfies Settings;
type SesOrder = Order<typeof settings>;

export const awsSes = defineIntegration({
  id: "aws-ses",
  name: "Amazon SES",
  about: "Sends mail to people.",
  origins: originsOf("email"),
  settings,
  identities: {},

  hooks: absent("what SES tells comes through topics of SNS, which the integration aws takes", SUPPRESSED),
  oauth: absent("access keys only", SIGV4),

  actions: {
    revoke: absent("nothing is granted by a person, so nothing can be revoked", SIGV4),
    erase: {
      source: CONTACTS,
      by: ["email"],
      each: "identity",
      *run(order) {
        const contact = yield* eraseContact(order);
        if (contact.outcome !== "erased" && contact.outcome !== "not_found") return contact;
        const suppression = yield* eraseSuppression(order);
        return suppression.outcome === "not_found" ? contact : suppression;
      },
      look: {
        afterSeconds: 5,
        *run(order) {
          if (order.settings.contactList !== "") {
            const contact = seen(yield ask(contactOf(order), order));
            if (contact !== "absent") return contact;
          }
          return seen(yield ask(suppressionOf(order), order));
        },
      },
    },
  },

  residuals: [],
  retainable: [SUPPRESSIONS],
  limits: { perSecond: 1, connections: 1, account: { settings: ["region", "accessKeyId"] } },
});

const contactOf = ({ settings, identity }: SesOrder) =>
  at`/v2/email/contact-lists/${{ list: settings.contactList }}/contacts/${{ email: identity.value }}`;
const suppressionOf = ({ identity }: SesOrder) => at`/v2/email/suppression/addresses/${{ email: identity.value }}`;

const ask = (address: Address, { settings }: SesOrder) =>
  get(atService("email", settings, address), {}, { sign: signedFor("ses", settings) });
const remove = (address: Address, { settings }: SesOrder) =>
  del(atService("email", settings, address), {}, { sign: signedFor("ses", settings) });

const refused = (reply: Reply): Answer & Sight =>
  reply.status === 403 ? unauthorized(reply, "SES refused the access key") : unforeseen(reply);

const meaning = (reply: Reply): Answer =>
  reply.status === 403 ? refused(reply) : byStatus(reply, { 200: erased, 404: notFound });

const seen = (reply: Reply): Sight => {
  if (reply.status === 404) return "absent";
  return reply.status === 200 ? "present" : refused(reply);
};

/** SES answers 404 for a list that is not there, too, which says nothing of the person. */
function* eraseContact(order: SesOrder): Steps<Answer> {
  if (order.settings.contactList === "") return notFound;
  const answer = meaning(yield remove(contactOf(order), order));
  if (answer.outcome !== "not_found") return answer;
  const list = yield ask(at`/v2/email/contact-lists/${{ list: order.settings.contactList }}`, order);
  if (list.status === 404) return unforeseen(list, "SES has no contact list of this name");
  return list.status === 200 ? notFound : refused(list);
}

/** Off this list an address may get mail again: where the policy keeps the list, it stays until its day. */
function* eraseSuppression(order: SesOrder): Steps<Answer> {
  if (!order.keeps.has(SUPPRESSIONS)) return meaning(yield remove(suppressionOf(order), order));
  const sight = seen(yield ask(suppressionOf(order), order));
  if (sight === "present") return retained(SUPPRESSIONS, [order.identity]);
  return sight === "absent" || sight === "no_view" ? notFound : sight;
}
