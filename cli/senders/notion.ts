import { hex, hmac, json, type SampleEvent, type Sender, setting } from "./sender.ts";

/** https://developers.notion.com/reference/webhooks */
const deleted = (type: string): SampleEvent => ({
  person: "153104cd-477e-809d-8dc4-ff2d96ae3090",
  async make(occasion) {
    const said = {
      id: `367cba44-b6f3-4c92-81e7-${occasion.seed.padStart(12, "0")}`,
      timestamp: new Date(occasion.at).toISOString(),
      workspace_id: "13950b26-c203-4f3b-b97d-93ec06319565",
      subscription_id: "29d75c0d-5546-4414-8459-7b7a92f1fc4b",
      integration_id: "0ef2e755-4912-8096-91c1-00376a88a5ca",
      type,
      authors: [{ id: "c7c11cca-1d73-471d-9b6e-bdef51470190", type: "person" }],
      attempt_number: 1,
      entity: { id: occasion.person, type: type.split(".")[0] },
      data: {},
    };
    const mac = await hmac("SHA-256", setting(occasion, "verificationToken"), JSON.stringify(said));
    return json(said, { "x-notion-signature": `sha256=${hex(mac)}` });
  },
});

export const notion: Sender = {
  events: {
    "page.deleted": deleted("page.deleted"),
    "database.deleted": deleted("database.deleted"),
    "data_source.deleted": deleted("data_source.deleted"),
    "comment.deleted": deleted("comment.deleted"),
  },
};
