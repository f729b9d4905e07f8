import { describe, expect, it } from "vitest";
import { aws as sender } from "../../cli/senders/aws.ts";
import { newVendorKey } from "../../cli/senders/keys.ts";
import { aws } from "../../integrations/aws.ts";
import { isAbsent } from "../../src/contract/integration.ts";
import { originOf, settingsSchema } from "../../src/contract/settings.ts";
import { isAllowed } from "../../src/lanes/call.ts";
import { fail, ok } from "../../src/result.ts";
import { play } from "../support/play.ts";
import { checked, proven } from "../support/proven.ts";

const { hooks } = aws;
const hook = isAbsent(hooks) ? undefined : hooks.topics;
if (hook?.handshake === undefined) throw new Error("AWS has a hook that handshake");
const { handshake } = hook;

const NOW = Date.parse("2026-11-21T09:00:00Z");
const TOPIC = "arn:aws:sns:eu-central-1:123456789012:Erasures";
const settings = { region: "eu-central-1", topics: `${TOPIC}, arn:aws:sns:eu-central-1:123456789012:Mail` };

const message = (text: unknown, more: object = {}) => ({
  Type: "Notification",
  MessageId: "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
  TopicArn: TOPIC,
  Message: typeof text === "string" ? text : JSON.stringify(text),
  Timestamp: "2026-11-21T08:59:59.500Z",
  ...more,
});
const read = (text: unknown, more: object = {}) => {
  const reading = hook.read(proven(JSON.stringify(message(text, more)), {}, NOW));
  if (!reading.ok) throw new Error(reading.problem.at);
  return reading.value;
};
const signalsOf = (text: unknown) => read(text).flatMap(({ signals }) => signals);

/** The form of the user guide. https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
const record = (eventName: string, object: object = {}, more: object = {}) => ({
  eventVersion: "2.1",
  eventSource: "aws:s3",
  awsRegion: "eu-central-1",
  eventTime: "2026-11-21T08:59:00.000Z",
  eventName,
  s3: {
    s3SchemaVersion: "1.0",
    configurationId: "erasures",
    bucket: { name: "uploads", ownerIdentity: { principalId: "A3NL1KOZZKExample" }, arn: "arn:aws:s3:::uploads" },
    object: { key: "users/42/a+b%2B%C3%BC.jpg", sequencer: "0055AED6DCD90281E5", ...object },
  },
  ...more,
});
const records = (...Records: readonly unknown[]) => ({ Records });

describe("what S3 publishes", () => {
  it("tells of an object that was deleted for good, by the name that it had", () => {
    const identity = { type: "aws.s3_object", value: "s3://uploads/users/42/a b+ü.jpg" };
    const at = Date.parse("2026-11-21T08:59:00Z");
    for (const name of ["ObjectRemoved:Delete", "LifecycleExpiration:Delete"])
      expect(signalsOf(records(record(name)))).toEqual([{ type: "content_deleted", identity, at }]);
  });

  it("tells a version from the object, of which others may be there", () => {
    for (const versionId of ["3HL4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY", "null"])
      expect(signalsOf(records(record("ObjectRemoved:Delete", { versionId })))).toMatchObject([
        { identity: { type: "aws.s3_version", value: `s3://uploads/users/42/a b+ü.jpg?versionId=${versionId}` } },
      ]);
    expect(signalsOf(records(record("ObjectRemoved:Delete", { versionId: null })))).toMatchObject([
      { identity: { type: "aws.s3_object" } },
    ]);
  });

  it("does not take a delete marker for a deletion: the data is there still", () => {
    for (const name of ["ObjectRemoved:DeleteMarkerCreated", "LifecycleExpiration:DeleteMarkerCreated"]) {
      const [event, ...others] = read(records(record(name, { versionId: "v2" })));
      expect(event).toMatchObject({ name, signals: [] });
      expect(others).toEqual([]);
    }
  });

  it("[I3] knows the same event in another message, and each of several in one", () => {
    const [one, two, three] = [
      record("ObjectRemoved:Delete"),
      record("ObjectRemoved:Delete", { key: "b" }),
      record("ObjectRemoved:Delete", { sequencer: "0055AED6DCD90281E6" }),
    ];
    const first = read(records(one, two, three)).map(({ id }) => id);
    expect(new Set(first).size).toBe(3);
    const again = { MessageId: "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf399" };
    expect(read(records(two, one), again).map(({ id }) => id)).toEqual([first[1], first[0]]);
    const without = record("ObjectRemoved:Delete", { sequencer: undefined });
    const ids = read(records(without, without)).map(({ id }) => id);
    expect(new Set(ids).size).toBe(2);
    expect(read(records(without, without)).map(({ id }) => id)).toEqual(ids);
  });

  it("counts what it does not know, whatever stands beside it", () => {
    const odd = [
      { eventName: "ObjectCreated:Put" },
      record("ObjectRemoved:Delete", { key: "%zz" }),
      record("ObjectRemoved:Delete", { key: "" }),
      null,
    ];
    const events = read(records(...odd, record("ObjectCreated:Put"), record("ObjectRemoved:Delete")));
    expect(events.map(({ signals }) => signals.length)).toEqual([0, 0, 0, 0, 0, 1]);
    expect(new Set(events.map(({ id }) => id)).size).toBe(6);
    for (const text of ["Hello", records(), { Records: 1 }, { Message: "x" }, "[]", "null", '"x"', "1e999"])
      expect(read(text)).toMatchObject([{ name: "Notification", signals: [] }]);
    expect(read({ Service: "Amazon S3", Event: "s3:TestEvent", Bucket: "uploads" })).toMatchObject([
      { name: "s3:TestEvent", signals: [] },
    ]);
  });

  it("says that a key was too long to be told", () => {
    const [event] = read(records(record("ObjectRemoved:Delete", { key: "k".repeat(600) })));
    expect(event).toMatchObject({ name: "ObjectRemoved:Delete of a key that is too long", signals: [] });
  });

  it("does not believe a time to come", () => {
    const later = record("ObjectRemoved:Delete", {}, { eventTime: "2030-01-01T00:00:00.000Z" });
    const odd = record("ObjectRemoved:Delete", {}, { eventTime: "yesterday" });
    expect(signalsOf(records(later, odd)).map(({ at }) => at)).toEqual([NOW, NOW - 500]);
  });
});

/** The user guide's examples, with other people. https://docs.aws.amazon.com/ses/latest/dg/notification-examples.html */
const mail = { timestamp: "2026-11-21T08:58:59.000Z", messageId: "0000-mail", destination: ["ada@example.com"] };
const complaint = (more: object = {}, name: object = { notificationType: "Complaint" }) => ({
  ...name,
  complaint: {
    userAgent: "AnyCompany Feedback Loop (V0.01)",
    complainedRecipients: [{ emailAddress: "ada@example.com" }],
    complaintFeedbackType: "abuse",
    arrivalDate: "2026-11-21T08:59:00.000Z",
    timestamp: "2026-11-21T08:59:00.000Z",
    feedbackId: "000001378603177f-18c07c78-fa81-4a58-9dd1-fedc3cb8f49a-000000",
    ...more,
  },
  mail,
});
const withdrawn = (value: string, at = Date.parse("2026-11-21T08:59:00Z")) => ({
  type: "consent_withdrawn",
  identity: { type: "email", value },
  at,
});

describe("what SES publishes", () => {
  it("notes a complaint, from a notification and from a published event", () => {
    expect(signalsOf(complaint())).toEqual([withdrawn("ada@example.com")]);
    expect(signalsOf(complaint({}, { eventType: "Complaint" }))).toEqual([withdrawn("ada@example.com")]);
    expect(signalsOf(complaint({ complaintFeedbackType: undefined, complaintSubType: null }))).toHaveLength(1);
  });

  it("[I3] knows each recipient by the feedback's id, however they are cut into messages", () => {
    const both = complaint({
      complainedRecipients: [{ emailAddress: "ada@example.com" }, { emailAddress: "bob@example.com" }],
    });
    const [ada, bob] = read(both);
    expect([ada, bob].map((event) => event?.signals)).toEqual([
      [withdrawn("ada@example.com")],
      [withdrawn("bob@example.com")],
    ]);
    expect(read(complaint(), { MessageId: "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf399" })[0]?.id).toBe(ada?.id);
    expect(bob?.id).not.toBe(ada?.id);
  });

  it("counts what is nobody's wish: a bounce, a report that is taken back, an address that is listed already", () => {
    for (const text of [
      complaint({ complaintFeedbackType: "not-spam" }),
      complaint({ complaintFeedbackType: "virus" }),
      complaint({ complaintSubType: "OnAccountSuppressionList" }),
      complaint({ complainedRecipients: [] }),
      { notificationType: "Bounce", bounce: { bouncedRecipients: [{ emailAddress: "ada@example.com" }] }, mail },
      { eventType: "Delivery", mail },
      { notificationType: "Complaint", mail },
    ])
      expect(read(text)).toMatchObject([{ signals: [] }]);
  });

  it("notes who left a list, where the mail had one recipient, and not who joined one", () => {
    const subscription = (newTopicPreferences: object, more: object = {}) => ({
      eventType: "Subscription",
      mail,
      subscription: { contactList: "News", timestamp: "2026-11-21T08:59:00.000Z", newTopicPreferences },
      ...more,
    });
    const topic = (subscriptionStatus: string) => ({
      unsubscribeAll: false,
      topicSubscriptionStatus: [{ topicName: "Weekly", subscriptionStatus }],
    });
    for (const out of [{ unsubscribeAll: true, topicSubscriptionStatus: [] }, topic("OptOut"), topic("OPT_OUT")])
      expect(signalsOf(subscription(out))).toEqual([withdrawn("ada@example.com")]);
    expect(signalsOf(subscription(topic("OptIn")))).toEqual([]);
    const several = { mail: { ...mail, destination: ["ada@example.com", "bob@example.com"] } };
    expect(signalsOf(subscription({ unsubscribeAll: true }, several))).toEqual([]);
  });
});

const asked = (more: object = {}) =>
  proven(JSON.stringify(message("You have chosen", { Type: "SubscriptionConfirmation", Token: "2336f0", ...more })));

describe("the confirmation of a subscription", () => {
  it("is a call to SNS in the topic's own region, made of the topic and the token alone", () => {
    const value = handshake.find(asked({ SubscribeURL: "https://evil.example/?Action=Subscribe" }));
    expect(value).toBe(`${TOPIC} 2336f0`);
    const { calls, outcome } = play(handshake.run(value ?? "", settings), [{ status: 200 }]);
    expect(outcome).toEqual({ outcome: "informed" });
    const address = new URL(calls[0]?.at.url ?? "");
    expect(address.origin + address.pathname).toBe("https://sns.eu-central-1.amazonaws.com/");
    expect(Object.fromEntries(address.searchParams)).toEqual({
      Action: "ConfirmSubscription",
      TopicArn: TOPIC,
      Token: "2336f0",
    });
    expect(calls.every((call) => isAllowed(call, { integration: aws, settings }))).toBe(true);
  });

  it("[I13] is not allowed in a region that is not the setting's, and not made for a topic that is not ours any more", () => {
    const other = { topics: "arn:aws:sns:us-east-1:123456789012:Other", region: "eu-central-1" };
    const { calls } = play(handshake.run(`${other.topics} t`, other), [{ status: 200 }]);
    expect(calls.map((call) => isAllowed(call, { integration: aws, settings: other }))).toEqual([false]);
    expect(play(handshake.run(`${other.topics} t`, settings), []).outcome).toEqual({ outcome: "stopped" });
  });

  it("knows where China's regions have SNS", () => {
    const china = { region: "cn-north-1", topics: "arn:aws-cn:sns:cn-north-1:123456789012:T" };
    const { calls } = play(handshake.run(`${china.topics} t`, china), [{ status: 200 }]);
    expect(new URL(calls[0]?.at.url ?? "").host).toBe("sns.cn-north-1.amazonaws.com.cn");
    expect(calls.every((call) => isAllowed(call, { integration: aws, settings: china }))).toBe(true);
  });

  it("claims nothing that SNS did not say", () => {
    for (const status of [201, 204, 302, 400, 401, 403, 404])
      expect(play(handshake.run(`${TOPIC} t`, settings), [{ status }]).outcome).toMatchObject({
        outcome: "unforeseen",
      });
  });

  it("is asked for by nothing else: the end of a subscription has a token, too, and raises an alarm", () => {
    expect(handshake.find(asked({ Token: undefined }))).toBeUndefined();
    expect(handshake.find(asked({ Type: "Notification" }))).toBeUndefined();
    expect(handshake.find(asked({ Type: "UnsubscribeConfirmation" }))).toBeUndefined();
    expect(read("x", { Type: "UnsubscribeConfirmation", Token: "t" })).toEqual([
      { id: message("").MessageId, name: "UnsubscribeConfirmation", signals: [], alarm: true },
    ]);
    expect(read("x", { Type: "SubscriptionConfirmation", Token: "t" })).toEqual([
      { id: message("").MessageId, name: "SubscriptionConfirmation", signals: [] },
    ]);
  });
});

describe("what AWS is told of itself", () => {
  it("takes topics' ARNs, separated by commas, and a region that is one label", () => {
    const schema = settingsSchema(aws.settings);
    expect(schema.safeParse(settings).success).toBe(true);
    for (const topics of ["", ",", "MyTopic", `${TOPIC};${TOPIC}`, "arn:aws:sqs:eu-central-1:1:q"])
      expect(schema.safeParse({ ...settings, topics }).success, topics).toBe(false);
    expect(originOf("https://sns.{region}.amazonaws.com", aws.settings, { region: "x.y" })).toBeUndefined();
  });

  it("[I5] refuses a delivery of a topic of somebody else's, which SNS signs as well", async () => {
    const vendor = await newVendorKey();
    const make = sender.topics?.["ObjectRemoved:Delete"]?.make;
    if (make === undefined) throw new Error("no sender");
    const pem = await vendor.certificate("sns.amazonaws.com");
    const keySets = {
      keys: async () => undefined,
      text: async (at: string) => (at.includes("/Simple") ? ok(pem) : fail("absent" as const)),
    };
    const posted = async (topics: string) => {
      const made = {
        settings: { topics },
        at: NOW,
        seed: "1",
        person: "a",
        url: "",
        token: vendor.token,
        sign: vendor.sign,
      };
      const { body, headers } = await make(made);
      return (await checked(hook.verify, { body, headers }, settings, { now: NOW, keySets })).ok;
    };
    expect(await posted(TOPIC)).toBe(true);
    expect(await posted("arn:aws:sns:eu-central-1:999999999999:Erasures")).toBe(false);
  });
});
