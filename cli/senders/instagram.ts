import { callback, hubSigned } from "./facebook.ts";
import { type Sender, seconds } from "./sender.ts";

/** Signed like Facebook's, with the Instagram app's secret. */
export const instagram: Sender = {
  "data-deletion": { data_deletion: callback },
  deauthorize: { deauthorize: callback },
  webhooks: {
    // https://developers.facebook.com/docs/instagram-platform/webhooks/examples
    "messages.is_deleted": {
      person: "mid_meadow_1",
      make: (occasion) => {
        const id = "17841400000000001";
        const message = { mid: occasion.person, is_deleted: true };
        const said = { sender: { id: "9001" }, recipient: { id }, timestamp: occasion.at, message };
        return hubSigned(occasion, {
          object: "instagram",
          entry: [{ id, time: seconds(occasion), messaging: [said] }],
        });
      },
    },
  },
};
