import { z } from "zod";
import { at, byStatus, get, unforeseen } from "../src/contract/call.ts";
import type { Handshake } from "../src/contract/challenge.ts";
import { absent, defineIntegration } from "../src/contract/integration.ts";
import { informed, stopped } from "../src/contract/outcome.ts";
import { dnsLabel, type Settings, text } from "../src/contract/settings.ts";
import { json, parse, Rfc3339, type Signal, type VendorEvent } from "../src/contract/signal.ts";

/**
 * Amazon Web Services stores files and accounts for the tenant and sends its mail.
 * It tells us, through topics of Amazon SNS, which objects of S3 are deleted for good, and who does not want mail of SES. We
 * confirm the subscription to such a topic. What its services hold is erased by integrations of their own (`aws-s3` and its like).
 */
const MESSAGES = "https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html";
const CONFIRM = "https://docs.aws.amazon.com/sns/latest/api/API_ConfirmSubscription.html";
const SIGV4 = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html";

const TOPICS =
  /^\s*arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w.-]+(\s*,\s*arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w.-]+)*\s*$/;

const settings = {
  // S3 notifies topics of its bucket's own region only, so that each region is an entry of its own.
  region: dnsLabel("Region, such as eu-central-1"),
  topics: text("ARNs of the SNS topics, separated by commas", TOPICS),
} satisfies Settings;

/** What is signed of a message, as the scheme hands it on. */
const Message = z.object({
  Type: z.string().min(1),
  MessageId: z.string().min(1),
  TopicArn: z.string().min(1),
  Message: z.string(),
  Timestamp: Rfc3339,
  Token: z.string().optional(),
});
type Message = z.infer<typeof Message>;

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
const Change = z.object({
  eventName: z.string().min(1),
  eventTime: Rfc3339.optional().catch(undefined),
  s3: z.object({
    bucket: z.object({ name: z.string().min(1) }),
    object: z.object({
      key: z.string().min(1),
      versionId: z.string().min(1).nullish(),
      sequencer: z.string().min(1).nullish(),
    }),
  }),
});
type Change = z.infer<typeof Change>;
const Changes = z.object({ Records: z.array(z.unknown()) });
const Test = z.object({ Service: z.literal("Amazon S3"), Event: z.string().min(1) });

/**
 * Gone for good: an object, or one version of it. A delete marker only hides the object.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html
 */
const DELETED: ReadonlySet<string> = new Set(["ObjectRemoved:Delete", "LifecycleExpiration:Delete"]);

const Recipients = z.array(z.object({ emailAddress: z.string().min(1) })).default([]);
const Preferences = z.object({
  unsubscribeAll: z.boolean().nullish(),
  topicSubscriptionStatus: z.array(z.object({ subscriptionStatus: z.string() })).nullish(),
});
/**
 * `notificationType` in a feedback notification, `eventType` in a published event.
 * https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
 * https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
 */
const Mail = z.object({
  notificationType: z.string().min(1).optional(),
  eventType: z.string().min(1).optional(),
  mail: z.object({ messageId: z.string().min(1), destination: z.array(z.string()).default([]) }),
  complaint: z
    .object({
      feedbackId: z.string().min(1).nullish(),
      complainedRecipients: Recipients,
      complaintSubType: z.string().nullish(),
      complaintFeedbackType: z.string().nullish(),
      timestamp: Rfc3339.optional().catch(undefined),
    })
    .optional(),
  subscription: z
    .object({ timestamp: Rfc3339.optional().catch(undefined), newTopicPreferences: Preferences })
    .optional(),
});
type Mail = z.infer<typeof Mail>;

/** Not "I do not want this": the provider takes back a report, or reports the mail's form. */
const NO_WISH: ReadonlySet<string> = new Set(["not-spam", "auth-failure", "virus"]);

/** A key may have 1,024 bytes, and an identity has room for half of that. */
const LONGEST = 512;

/**
 * The call is made of the topic and the token that were signed, and of nothing else of the message: `SubscribeURL` is never
 * followed. Without `AuthenticateOnUnsubscribe` it needs no signature. Tokens are good for two days, say the API's reference, and three, say older SDKs.
 */
const handshake: Handshake = {
  source: CONFIRM,
  find: ({ text: signed }) => {
    const message = parse(Message, signed);
    if (!message.ok) return undefined;
    const { Type, TopicArn, Token } = message.value;
    // The confirmation of an end has a token, too, which would begin the subscription anew.
    return Type === "SubscriptionConfirmation" && Token !== undefined ? `${TopicArn} ${Token}` : undefined;
  },
  *run(value, { topics = "" }) {
    const [topic = "", token = ""] = value.split(" ");
    // Somebody may have taken it out since it was asked.
    if (!topics.split(",").some((each) => each.trim() === topic)) return stopped;
    const [, partition, , region = ""] = topic.split(":");
    const query = at`/?Action=ConfirmSubscription&TopicArn=${{ topic }}&Token=${{ token }}`;
    const host = `https://sns.${region}.amazonaws.com${partition === "aws-cn" ? ".cn" : ""}`;
    const reply = yield get(
      { url: host + query.url, template: host + query.template },
      { accept: "application/xml" },
      { expects: [401, 403] },
    );
    if (reply.status === 200) return informed;
    return byStatus(reply, {
      400: unforeseen(reply, "SNS does not take the token"),
      403: unforeseen(reply, "SNS does not allow the subscription"),
      404: unforeseen(reply, "SNS does not know the topic"),
    });
  },
  withinHours: 48,
};

export const aws = defineIntegration({
  id: "aws",
  name: "Amazon Web Services",
  about: "Stores files and accounts for the tenant, and sends its mail.",
  origins: ["https://sns.{region}.amazonaws.com", "https://sns.{region}.amazonaws.com.cn"],
  settings,
  identities: {
    "aws.s3_object": "An object in a bucket of S3 that has no versions: s3://bucket/key",
    "aws.s3_version": "One version of an object in S3, of which there may be others: s3://bucket/key?versionId=version",
  },

  hooks: {
    topics: {
      source: MESSAGES,
      verify: { scheme: "sns", topics: { setting: "topics" } },
      contentTypes: ["text/plain", "application/json"],
      read: json(Message, (message, { receivedAt }) => {
        if (message.Type === "Notification") return notified(message, receivedAt);
        const isEnd = message.Type === "UnsubscribeConfirmation";
        return [{ id: message.MessageId, name: message.Type, signals: [], ...(isEnd && { alarm: true as const }) }];
      }),
      authority: { content_deleted: "record", consent_withdrawn: "record" },
      handshake,
      answer: 200,
      // A policy may make it less, and no policy more than this.
      retriesForHours: 1,
      events: [
        "ObjectRemoved:Delete",
        "LifecycleExpiration:Delete",
        "ObjectRemoved:DeleteMarkerCreated",
        "LifecycleExpiration:DeleteMarkerCreated",
        "s3:TestEvent",
        "Complaint",
        "Subscription",
        "Bounce",
        "SubscriptionConfirmation",
        "UnsubscribeConfirmation",
      ],
    },
  },

  oauth: absent("access keys only", SIGV4),

  actions: {
    erase: absent("each service of AWS that holds data is a subprocessor of its own", SIGV4),
    revoke: absent("nothing is granted by a person, so nothing can be revoked", SIGV4),
  },

  residuals: [],
  retainable: [],
  limits: { connections: 2 },
});

/** Whoever may publish to the topic chooses the text, so that anything else than S3 and SES write is counted only. */
function notified(message: Message, receivedAt: number): readonly VendorEvent[] {
  const unknown = [{ id: message.MessageId, name: "Notification", signals: [] }];
  const changes = parse(Changes, message.Message);
  if (changes.ok) {
    const events = changes.value.Records.map((record, index) => changed(message, record, index, receivedAt));
    return events.length === 0 ? unknown : events;
  }
  const mail = parse(Mail, message.Message);
  if (mail.ok) return mailed(message, mail.value, receivedAt);
  const test = parse(Test, message.Message);
  return test.ok ? [{ id: message.MessageId, name: test.value.Event, signals: [] }] : unknown;
}

function changed(message: Message, record: unknown, index: number, receivedAt: number): VendorEvent {
  const own = `${message.MessageId}#${index}`;
  const parsed = Change.safeParse(record);
  const key = parsed.success ? keyOf(parsed.data) : undefined;
  if (!parsed.success || key === undefined) return { id: own, name: "Notification", signals: [] };
  const { eventName: name, eventTime, s3 } = parsed.data;
  const { versionId, sequencer } = s3.object;
  // S3 may publish an event twice, or to one topic under two rules: then all but the message's id is the same.
  const id =
    sequencer == null ? own : JSON.stringify([name, s3.bucket.name, s3.object.key, versionId ?? "", sequencer]);
  if (!DELETED.has(name)) return { id, name, signals: [] };
  const object = `s3://${s3.bucket.name}/${key}`;
  const identity =
    versionId == null
      ? { type: "aws.s3_object", value: object }
      : { type: "aws.s3_version", value: `${object}?versionId=${versionId}` };
  if (identity.value.length > LONGEST) return { id, name: `${name} of a key that is too long`, signals: [] };
  const at = Math.min(eventTime ?? message.Timestamp, receivedAt);
  return { id, name, signals: [{ type: "content_deleted", identity, at }] };
}

/** Keys are written as in a form: a space is a plus. What is no such text is nobody's key. */
function keyOf({ s3 }: Change): string | undefined {
  try {
    return decodeURIComponent(s3.object.key.replaceAll("+", " "));
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/** One event for each recipient: SES may tell of several in one message, or of each in its own. */
function mailed(message: Message, mail: Mail, receivedAt: number): readonly VendorEvent[] {
  const name = mail.eventType ?? mail.notificationType ?? "Notification";
  const { complaint, subscription } = mail;
  const withdrawn = (by: string, email: string, at: number | undefined): VendorEvent => {
    const signal: Signal = {
      type: "consent_withdrawn",
      identity: { type: "email", value: email },
      at: Math.min(at ?? message.Timestamp, receivedAt),
    };
    return { id: JSON.stringify([name, by, email.toLowerCase()]), name, signals: [signal] };
  };
  const none = [{ id: message.MessageId, name, signals: [] }];
  if (name === "Complaint" && complaint !== undefined) {
    const { feedbackId, complainedRecipients, complaintSubType, complaintFeedbackType, timestamp } = complaint;
    // With a subtype nobody complained now: the mail was not sent because the address is on the list already.
    const isWish = complaintSubType == null && !NO_WISH.has(complaintFeedbackType ?? "");
    const by = feedbackId ?? message.MessageId;
    const all = complainedRecipients.map(({ emailAddress }) => withdrawn(by, emailAddress, timestamp));
    return isWish && all.length > 0 ? all : none;
  }
  // Preferences are one person's: mail to several does not say whose.
  const [recipient, ...others] = mail.mail.destination;
  if (name === "Subscription" && subscription !== undefined && recipient !== undefined && others.length === 0) {
    const { newTopicPreferences, timestamp } = subscription;
    const { unsubscribeAll, topicSubscriptionStatus } = newTopicPreferences;
    const isOut =
      unsubscribeAll === true ||
      (topicSubscriptionStatus ?? []).some(({ subscriptionStatus }) => /^opt_?out$/i.test(subscriptionStatus));
    if (isOut) return [withdrawn(message.MessageId, recipient, timestamp)];
  }
  return none;
}
