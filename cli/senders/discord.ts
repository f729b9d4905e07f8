import { hex, json, type Occasion, type SampleEvent, type Sender, seconds } from "./sender.ts";

/**
 * Nobody but Discord has its private keys. This one is everybody's: RFC 8032 section 7.1, test 1. Its public key is
 * d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a; a subprocessor takes these deliveries only with that.
 *
 * https://docs.discord.com/developers/events/webhook-events
 */
const PRIVATE_KEY = {
  kty: "OKP",
  crv: "Ed25519",
  d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
  x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
};

const event = (type: string, person: string, data: (person: string) => object): SampleEvent => ({
  person,
  make: (occasion) =>
    signed(occasion, {
      version: 1,
      application_id: "1234560123453231555",
      type: 1,
      event: { type, timestamp: new Date(occasion.at).toISOString().replace("Z", "000"), data: data(occasion.person) },
    }),
});

const userOf = (id: string) => ({ id, username: "ada", discriminator: "0" });

export const discord: Sender = {
  events: {
    APPLICATION_DEAUTHORIZED: event("APPLICATION_DEAUTHORIZED", "936929561302675456", (id) => ({ user: userOf(id) })),
    APPLICATION_AUTHORIZED: event("APPLICATION_AUTHORIZED", "936929561302675456", (id) => ({
      integration_type: 1,
      scopes: ["applications.commands"],
      user: userOf(id),
    })),
    LOBBY_MESSAGE_DELETE: event("LOBBY_MESSAGE_DELETE", "1402406637632884857", (id) => ({
      id,
      lobby_id: "1402399883394285659",
    })),
    GAME_DIRECT_MESSAGE_DELETE: event("GAME_DIRECT_MESSAGE_DELETE", "1407771600643686503", (id) => ({
      id,
      type: 0,
      content: "can't make it",
      channel_id: "1405604229820715098",
      author: userOf("936929561302675456"),
    })),
  },
};

async function signed(occasion: Occasion, said: object) {
  const time = `${seconds(occasion)}`;
  const key = await crypto.subtle.importKey("jwk", PRIVATE_KEY, "Ed25519", false, ["sign"]);
  const signature = await crypto.subtle.sign("Ed25519", key, new TextEncoder().encode(time + JSON.stringify(said)));
  return json(said, { "x-signature-timestamp": time, "x-signature-ed25519": hex(new Uint8Array(signature)) });
}
