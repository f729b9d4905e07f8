import { person, type Sample } from "./kit.ts";

const key = "s3://example-uploads/users/1000000000001/summer photo.jpg";
const object = { type: "aws.s3_object", value: key };
const version = { type: "aws.s3_version", value: `${key}?versionId=null` };

export const sample: Sample = {
  settings: { region: "us-east-1", topics: "arn:aws:sns:us-east-1:123456789012:Erasures" },
  hooks: {
    topics: {
      "ObjectRemoved:Delete": (at) => [{ type: "content_deleted", identity: object, at }],
      "LifecycleExpiration:Delete": (at) => [{ type: "content_deleted", identity: version, at }],
      "ObjectRemoved:DeleteMarkerCreated": () => [],
      "LifecycleExpiration:DeleteMarkerCreated": () => [],
      "s3:TestEvent": () => [],
      Complaint: (at) => [{ type: "consent_withdrawn", identity: person, at }],
      Subscription: (at) => [{ type: "consent_withdrawn", identity: person, at }],
      Bounce: () => [],
      SubscriptionConfirmation: () => [],
      UnsubscribeConfirmation: () => [],
    },
  },
  ways: [],
};
