import { hex, hmac, json, type Made, type Occasion, type SampleEvent, type Sender, setting } from "./sender.ts";

/** https://learn.microsoft.com/en-us/linkedin/shared/api-guide/webhook-validation */
export const linkedin: Sender = {
  webhooks: {
    COMMENT_DELETE: of("urn:li:comment:(urn:li:activity:7000000000000000001,7000000000000000002)", (occasion) => ({
      type: "ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS",
      notifications: [
        {
          notificationId: 1000 + occasion.seed.length,
          organizationalEntity: "urn:li:organization:2000",
          action: "COMMENT_DELETE",
          sourcePost: "urn:li:activity:7000000000000000001",
          generatedActivity: occasion.person,
          lastModifiedAt: occasion.at,
          subscriber: "urn:li:person:meadow",
        },
      ],
    })),
    "LEAD_ACTION.DELETED": of("urn:li:leadGenFormResponse:meadow-1", (occasion) => ({
      type: "LEAD_ACTION",
      leadGenFormResponse: occasion.person,
      owner: { sponsoredAccount: "urn:li:sponsoredAccount:3000" },
      leadType: "SPONSORED",
      leadAction: "DELETED",
      occurredAt: occasion.at,
    })),
  },
};

function of(person: string, said: (occasion: Occasion) => object): SampleEvent {
  return {
    person,
    make: async (occasion): Promise<Made> => {
      const made = json(said(occasion), {});
      const mac = await hmac("SHA-256", setting(occasion, "clientSecret"), `hmacsha256=${made.body}`);
      return { ...made, headers: { ...made.headers, "x-li-signature": hex(mac) } };
    },
  };
}
