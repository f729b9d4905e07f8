import { type Made, type Occasion, type SampleEvent, type Sender, setting } from "./sender.ts";

/** https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html */
export const aws: Sender = {
  topics: {
    "ObjectRemoved:Delete": object("ObjectRemoved:Delete"),
    "LifecycleExpiration:Delete": object("LifecycleExpiration:Delete", { versionId: "null" }),
    "ObjectRemoved:DeleteMarkerCreated": object("ObjectRemoved:DeleteMarkerCreated", { versionId: "v2" }),
    "LifecycleExpiration:DeleteMarkerCreated": object("LifecycleExpiration:DeleteMarkerCreated", { versionId: "v2" }),
    "s3:TestEvent": notification("uploads", ({ at }) => ({
      Service: "Amazon S3",
      Event: "s3:TestEvent",
      Time: time(at),
      Bucket: "example-uploads",
    })),
    Complaint: mail("notificationType", "Complaint", ({ at, seed, person }) => ({
      complaint: {
        feedbackId: `feedback-${seed}`,
        complaintSubType: null,
        complainedRecipients: [{ emailAddress: person }],
        timestamp: time(at),
        complaintFeedbackType: "abuse",
      },
    })),
    Subscription: mail("eventType", "Subscription", ({ at }) => ({
      subscription: {
        contactList: "News",
        timestamp: time(at),
        source: "UnsubscribeHeader",
        newTopicPreferences: {
          unsubscribeAll: true,
          topicSubscriptionStatus: [{ topicName: "Weekly", subscriptionStatus: "OptOut" }],
        },
        oldTopicPreferences: {
          unsubscribeAll: false,
          topicSubscriptionStatus: [{ topicName: "Weekly", subscriptionStatus: "OptIn" }],
        },
      },
    })),
    Bounce: mail("notificationType", "Bounce", ({ at, seed, person }) => ({
      bounce: {
        feedbackId: `feedback-${seed}`,
        bounceType: "Permanent",
        bounceSubType: "General",
        bouncedRecipients: [{ emailAddress: person, action: "failed", status: "5.1.1" }],
        timestamp: time(at),
      },
    })),
    SubscriptionConfirmation: confirmation("SubscriptionConfirmation"),
    UnsubscribeConfirmation: confirmation("UnsubscribeConfirmation"),
  },
};

const time = (at: number): string => new Date(at).toISOString();

/** S3 writes keys as a form does: a space is a plus. */
function object(eventName: string, more: object = {}): SampleEvent {
  return notification("users/1000000000001/summer photo.jpg", ({ at, seed, person }) => ({
    Records: [
      {
        eventVersion: "2.1",
        eventSource: "aws:s3",
        awsRegion: "us-east-1",
        eventTime: time(at),
        eventName,
        s3: {
          s3SchemaVersion: "1.0",
          bucket: { name: "example-uploads", arn: "arn:aws:s3:::example-uploads" },
          object: {
            key: encodeURIComponent(person).replaceAll("%20", "+").replaceAll("%2F", "/"),
            ...more,
            sequencer: seed,
          },
        },
      },
    ],
  }));
}

function mail(member: string, name: string, more: (occasion: Occasion) => object): SampleEvent {
  return notification("ada@example.com", (occasion) => ({
    [member]: name,
    mail: { timestamp: time(occasion.at), messageId: `mail-${occasion.seed}`, destination: [occasion.person] },
    ...more(occasion),
  }));
}

function notification(person: string, message: (occasion: Occasion) => object): SampleEvent {
  return {
    person,
    make: (occasion) =>
      signed(occasion, "Notification", {
        Subject: "Amazon S3 Notification",
        Message: JSON.stringify(message(occasion)),
      }),
  };
}

function confirmation(type: string): SampleEvent {
  return {
    person: "nobody",
    make: async (occasion) => {
      const { topic, host } = topicOf(occasion);
      const Token = `2336412f37fb687f5d51e6e241d59b68${await idOf(occasion)}`.replaceAll("-", "");
      return signed(occasion, type, {
        Token,
        Message: `You have chosen to subscribe to the topic ${topic}.\nTo confirm, visit the SubscribeURL included in this message.`,
        SubscribeURL: `${host}/?Action=ConfirmSubscription&TopicArn=${topic}&Token=${Token}`,
      });
    },
  };
}

/** Each signed field's name and value, each followed by a line break, in the order of the developer guide. */
const ORDER = ["Message", "MessageId", "SubscribeURL", "Subject", "Timestamp", "Token", "TopicArn", "Type"];

async function signed(occasion: Occasion, Type: string, more: Readonly<Record<string, string>>): Promise<Made> {
  const { topic, host } = topicOf(occasion);
  const MessageId = await idOf(occasion);
  const message: Readonly<Record<string, string>> = {
    Type,
    MessageId,
    TopicArn: topic,
    Timestamp: time(occasion.at),
    ...more,
  };
  const text = ORDER.filter((name) => message[name] !== undefined)
    .map((name) => `${name}\n${message[name]}\n`)
    .join("");
  const body = {
    ...message,
    SignatureVersion: "2",
    Signature: await occasion.sign(text, "SHA-256"),
    SigningCertURL: `${host}/SimpleNotificationService-0123456789abcdef.pem`,
    ...(Type === "Notification" && {
      UnsubscribeURL: `${host}/?Action=Unsubscribe&SubscriptionArn=${topic}:${MessageId}`,
    }),
  };
  return {
    body: JSON.stringify(body),
    headers: {
      "content-type": "text/plain; charset=UTF-8",
      "x-amz-sns-message-type": Type,
      "x-amz-sns-message-id": MessageId,
      "x-amz-sns-topic-arn": topic,
    },
  };
}

/** The first topic of the setting, and where SNS stands in its region. */
function topicOf(occasion: Pick<Occasion, "settings">): { readonly topic: string; readonly host: string } {
  const topic = setting(occasion, "topics").split(",")[0]?.trim() ?? "";
  const [, partition, , region] = topic.split(":");
  return { topic, host: `https://sns.${region}.amazonaws.com${partition === "aws-cn" ? ".cn" : ""}` };
}

/** A UUID that the seed gives. */
async function idOf({ seed }: Pick<Occasion, "seed">): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(seed)));
  const digits = Array.from(digest.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-8${digits.slice(17, 20)}-${digits.slice(20)}`;
}
