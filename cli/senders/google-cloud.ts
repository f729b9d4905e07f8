import { base64, json, type Sender, seconds, setting } from "./sender.ts";

const encoder = new TextEncoder();

/**
 * Pub/Sub signs who sends, not what. https://docs.cloud.google.com/pubsub/docs/authenticate-push-subscriptions;
 * the message is Cloud Storage's. https://docs.cloud.google.com/storage/docs/pubsub-notifications
 */
export const googleCloud: Sender = {
  "pub-sub": {
    OBJECT_DELETE: {
      person: "users/1000000000001/photo.jpg",
      make: async (occasion) => {
        const issued = seconds(occasion);
        const token = await occasion.token(
          {
            iss: "https://accounts.google.com",
            aud: occasion.url,
            azp: "100000000000000000002",
            sub: "100000000000000000002",
            email: setting(occasion, "serviceAccount"),
            email_verified: true,
            iat: issued,
            exp: issued + 3600,
          },
          { typ: "JWT" },
        );
        const at = new Date(occasion.at).toISOString();
        const object = { kind: "storage#object", name: occasion.person, bucket: "example-uploads" };
        const message = {
          attributes: {
            notificationConfig: "projects/_/buckets/example-uploads/notificationConfigs/1",
            eventType: "OBJECT_DELETE",
            payloadFormat: "JSON_API_V1",
            bucketId: object.bucket,
            objectId: object.name,
            objectGeneration: "1792574400000000",
            eventTime: at,
          },
          data: base64(encoder.encode(JSON.stringify(object))),
          messageId: `1168${occasion.seed}`,
          message_id: `1168${occasion.seed}`,
          publishTime: at,
          publish_time: at,
        };
        return json(
          { message, subscription: "projects/example/subscriptions/quittance" },
          { authorization: `Bearer ${token}` },
        );
      },
    },
  },
};
