import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SnsSignature } from "../../../src/contract/verification.ts";
import { isSigningCertificate } from "../../../src/intake/schemes/sns.ts";
import type { KeySets } from "../../../src/ports.ts";
import { fail, ok } from "../../../src/result.ts";
import { newCertificate } from "../../support/certificate.ts";
import { checked } from "../../support/proven.ts";
import { refuses } from "../../support/schemes.ts";

const NOW = Date.parse("2026-11-21T09:00:00Z");
const TOPIC = "arn:aws:sns:us-west-2:123456789012:MyTopic";
const CERTIFICATE = "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-0a1b2c3d.pem";
const scheme: SnsSignature = { scheme: "sns", topics: { setting: "topics" } };
const settings = { topics: ` arn:aws:sns:eu-west-1:123456789012:Other, ${TOPIC},` };
const aws = await newCertificate();
const other = await newCertificate();

type Message = Readonly<Record<string, string | null>>;
const published = (pem: string): KeySets => ({
  keys: async () => undefined,
  text: async (address) => (address === CERTIFICATE ? ok(pem) : fail("absent")),
});

/** The form of the developer guide: each signed field's name and value, each followed by a line break. */
const GUIDE: Readonly<Record<string, readonly string[]>> = {
  Notification: ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
  SubscriptionConfirmation: ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
  UnsubscribeConfirmation: ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
};
const textOf = (message: Message) =>
  (GUIDE[message.Type ?? ""] ?? [])
    .flatMap((name) => (typeof message[name] === "string" ? [`${name}\n${message[name]}\n`] : []))
    .join("");

const NOTIFICATION: Message = {
  Type: "Notification",
  MessageId: "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
  TopicArn: TOPIC,
  Subject: "My First Message",
  Message: "Hello world!\nGrüße 😀",
  Timestamp: "2026-11-21T08:59:00.000Z",
  SignatureVersion: "1",
  SigningCertURL: CERTIFICATE,
  UnsubscribeURL: "https://sns.us-west-2.amazonaws.com/?Action=Unsubscribe",
};
const CONFIRMATION: Message = {
  ...NOTIFICATION,
  Type: "SubscriptionConfirmation",
  Subject: null,
  Message: "You have chosen to subscribe to the topic.\nTo confirm the subscription, visit the SubscribeURL.",
  SubscribeURL: "https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f",
  Token: "2336412f37fb687f5d51e6e241d09c80",
};

const signed = async (message: Message, by = aws): Promise<Message> => ({
  ...message,
  Signature: await by.sign(textOf(message), message.SignatureVersion === "1" ? "SHA-1" : "SHA-256"),
});
const verified = (message: Message | string, keySets = published(aws.pem), topics: object = settings) =>
  checked(
    scheme,
    { body: typeof message === "string" ? message : JSON.stringify(message) },
    // What a test passes are settings of text.
    topics as Readonly<Record<string, string>>,
    { now: NOW, keySets },
  );

describe("Amazon SNS", () => {
  it.each([
    ["a notification, version 1", NOTIFICATION],
    ["a notification, version 2", { ...NOTIFICATION, SignatureVersion: "2" }],
    ["a notification without a subject", { ...NOTIFICATION, Subject: null }],
    ["a confirmation, version 1", CONFIRMATION],
    ["a confirmation, version 2", { ...CONFIRMATION, SignatureVersion: "2" }],
    ["an end of a subscription", { ...CONFIRMATION, Type: "UnsubscribeConfirmation" }],
  ])("proves %s, and hands on nothing that is not signed", async (_, message) => {
    const result = await verified(await signed(message));
    if (!result.ok) throw new Error(JSON.stringify(result.problem));
    const said = JSON.parse(result.value.text);
    const names = (GUIDE[message.Type ?? ""] ?? []).filter(
      (name) => typeof message[name as keyof Message] === "string",
    );
    expect(Object.keys(said)).toEqual(names);
    for (const name of names) expect(said[name]).toBe(message[name as keyof Message]);
  });

  it("[I5] refuses any signed field changed, left out, or added", async () => {
    for (const message of [await signed(NOTIFICATION), await signed(CONFIRMATION)])
      for (const name of [...(GUIDE[message.Type ?? ""] ?? []), "Signature", "SignatureVersion", "SigningCertURL"]) {
        const value = message[name];
        if (typeof value !== "string") continue;
        const { [name]: _, ...without } = message;
        expect((await verified(without)).ok, name).toBe(false);
        await fc.assert(
          fc.asyncProperty(fc.nat(value.length - 1), fc.integer({ min: 0, max: 0xffff }), async (at, code) => {
            const changed = value.slice(0, at) + String.fromCharCode(code) + value.slice(at + 1);
            fc.pre(changed !== value);
            expect((await verified({ ...message, [name]: changed })).ok, `${name}: ${changed}`).toBe(false);
          }),
          { numRuns: 60 },
        );
      }
    expect((await verified({ ...(await signed({ ...NOTIFICATION, Subject: null })), Subject: "x" })).ok).toBe(false);
  });

  it("[I5] refuses the same signed text cut into other fields", async () => {
    const shifted = await signed({ ...NOTIFICATION, Message: "a\nMessageId\n22b80b92-fdea-4c2c-8f9d-bdfb0c7bf325" });
    expect((await verified(shifted)).ok).toBe(true);
    for (const [Message, rest] of [
      ["a", { MessageId: "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf325\nMessageId\n22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324" }],
      ["a", { MessageId: "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf325", Subject: "My First Message" }],
    ] as const)
      expect((await verified({ ...shifted, Message, ...rest })).ok).toBe(false);
  });

  it("[I5] refuses half a surrogate pair for the character that stands for it", async () => {
    const genuine = await signed({ ...NOTIFICATION, Message: "\ufffd" });
    expect((await verified(genuine)).ok).toBe(true);
    expect(await verified({ ...genuine, Message: "\ud800" })).toEqual(refuses("malformed"));
  });

  it("[I5] refuses a topic that is not ours, whoever signed it, and all where none is", async () => {
    const foreign = await signed({ ...NOTIFICATION, TopicArn: "arn:aws:sns:us-west-2:999999999999:MyTopic" });
    expect(await verified(foreign)).toEqual(refuses("not_for_us"));
    for (const topics of ["", ",", " , "])
      expect(await verified(await signed(NOTIFICATION), undefined, { topics })).toEqual(refuses("not_for_us"));
    expect(await verified(await signed(NOTIFICATION), undefined, {})).toEqual(refuses("not_for_us"));
  });

  it("[I5] refuses another's signature, and a certificate that is not in force or too weak", async () => {
    expect(await verified(await signed(NOTIFICATION, other))).toEqual(refuses("bad_signature"));
    const past = await newCertificate({ until: "2026-11-21T08:59:59Z" });
    const future = await newCertificate({ from: "2026-11-21T09:00:01Z" });
    for (const each of [past, future])
      expect(await verified(await signed(NOTIFICATION, each), published(each.pem))).toEqual(refuses("malformed"));
    const weak = await newCertificate({ bits: 1024 });
    expect(await verified(await signed(NOTIFICATION, weak), published(weak.pem))).toEqual(refuses("keys_unavailable"));
  });

  it("tells keys that cannot be had from an address where there are none", async () => {
    const message = await signed(NOTIFICATION);
    const none: KeySets = { keys: async () => undefined, text: async () => fail("unavailable") };
    expect(await verified(message, none)).toEqual(refuses("keys_unavailable"));
    expect(await verified(message, published("-----BEGIN CERTIFICATE-----\nrubbish"))).toEqual(
      refuses("keys_unavailable"),
    );
    const elsewhere = CERTIFICATE.replace("0a1b", "ffff");
    expect(await verified({ ...message, SigningCertURL: elsewhere })).toEqual(refuses("malformed"));
  });

  it.each([
    CERTIFICATE.replace("https", "http"),
    CERTIFICATE.replace("us-west-2", "us-east-1"),
    CERTIFICATE.replace("us-west-2", "s3-us-west-2"),
    CERTIFICATE.replace("amazonaws.com", "amazonaws.com.cn"),
    CERTIFICATE.replace("amazonaws.com", "amazonaws.com.example"),
    CERTIFICATE.replace("amazonaws.com", "amazonaws.com:443"),
    CERTIFICATE.replace("amazonaws.com", "amazonaws.com."),
    CERTIFICATE.replace("sns.", "SNS."),
    CERTIFICATE.replace("https://", "https://user@"),
    CERTIFICATE.replace("https://", "https://evil.example/https://"),
    CERTIFICATE.replace("https://", "https:\\\\"),
    `${CERTIFICATE}?x=.pem`,
    `${CERTIFICATE}#.pem`,
    `${CERTIFICATE}\n`,
    CERTIFICATE.replace("/Simple", "/x/../Simple"),
    CERTIFICATE.replace("0a1b", "../x"),
    CERTIFICATE.replace("0a1b", "%2e"),
    "",
    "sns",
  ])("[I13] does not look for a certificate at %s", async (address) => {
    expect(isSigningCertificate(address, TOPIC)).toBe(false);
    expect((await verified({ ...(await signed(NOTIFICATION)), SigningCertURL: address })).ok).toBe(false);
  });

  it("knows where China's regions have theirs", () => {
    const address = "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-0a1b.pem";
    expect(isSigningCertificate(address, "arn:aws-cn:sns:cn-north-1:123456789012:T")).toBe(true);
    expect(isSigningCertificate(address, "arn:aws:sns:cn-north-1:123456789012:T")).toBe(false);
  });

  it("[I5] answers anything with a result, never with an exception", async () => {
    const genuine = await signed(NOTIFICATION);
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc
            .tuple(fc.constantFrom(...Object.keys(genuine), "__proto__"), fc.jsonValue())
            .map(([name, value]) => JSON.stringify({ ...genuine, [name]: value, Message: "another" })),
        ),
        async (body) => {
          expect((await verified(body)).ok).toBe(false);
        },
      ),
      { numRuns: 300 },
    );
  });
});
