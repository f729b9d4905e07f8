import { callback, hubSigned } from "./facebook.ts";
import { type Sender, seconds } from "./sender.ts";

/** Signed like Facebook's, with the Threads app's secret. */
export const threads: Sender = {
  "data-deletion": { data_deletion: callback },
  deauthorize: { deauthorize: callback },
  webhooks: {
    // The envelope is that of https://developers.facebook.com/documentation/threads/webhooks; it prints no deletion.
    delete: {
      person: "18000000000000001",
      make: (occasion) =>
        hubSigned(occasion, {
          app_id: "123456",
          topic: "moderate",
          target_id: "78901",
          time: seconds(occasion),
          subscription_id: "234567",
          has_uid_field: false,
          values: { field: "delete", value: { id: occasion.person } },
        }),
    },
  },
};
