import { base64, json, type Occasion, type SampleEvent, type Sender, setting } from "./sender.ts";

/** What a self-run Tap posts. https://github.com/bluesky-social/indigo/blob/main/cmd/tap/README.md */
const DID = "did:plc:ewvi7nxzyoun6zhxrhs64oiz";

const user = (status: string) =>
  of(DID, (did) => ({
    type: "user",
    user: { did, handle: "ada.example.com", isActive: status === "active", status },
  }));

export const bluesky: Sender = {
  tap: {
    "user deleted": user("deleted"),
    "user takendown": user("takendown"),
    "user suspended": user("suspended"),
    "user deactivated": user("deactivated"),
    "user active": user("active"),
    "record delete": of(`at://${DID}/app.bsky.feed.post/3kb3fge5lm32x`, (uri) => {
      const [did, collection, rkey] = uri.replace("at://", "").split("/");
      const record = { live: true, rev: "3kb3fge5lm32x", did, collection, rkey, action: "delete" };
      return { type: "record", record };
    }),
  },
};

function of(person: string, said: (person: string) => object): SampleEvent {
  return {
    person,
    make: async (occasion) =>
      json(
        { id: idOf(occasion), ...said(occasion.person) },
        {
          authorization: `Basic ${base64(new TextEncoder().encode(`admin:${setting(occasion, "tapPassword")}`))}`,
        },
      ),
  };
}

/** Tap counts its events. */
const idOf = ({ seed }: Occasion): number => {
  let id = 12_345;
  for (const letter of seed) id = (id * 31 + (letter.codePointAt(0) ?? 0)) % 1_000_000_007;
  return id;
};
