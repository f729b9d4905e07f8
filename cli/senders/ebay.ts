import { base64, der, json, type Made, type SampleEvent, type Sender } from "./sender.ts";

/**
 * Stands for eBay's key in development and tests only: nobody but eBay has the private half of a key that its API shows. The
 * sandbox shows this one to whoever has a token of it.
 */
export const EBAY_KEY = {
  id: "14103121-6eeb-4fd5-a80b-53b51ca6067e",
  publicKey:
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAElV1RE26FVWUE9tm1LmoWJ858IEva0ZS5iN/6/5ZX00y1M8tH21mMPcuh4K+5vp4nEwtW7DkUBfaAXKfUrWg8+w==",
};
const DEVELOPMENT_KEY =
  "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgMmRd/wn5SPpDa67Z3Xf+Yj2yshn7lA/m4UH+thBMNs+hRANCAASVXVETboVVZQT22bUuahYnznwgS9rRlLmI3/r/llfTTLUzy0fbWYw9y6Hgr7m+nicTC1bsORQF9oBcp9StaDz7";

/** https://developer.ebay.com/marketplace-account-deletion */
export const ebay: Sender = {
  notifications: {
    MARKETPLACE_ACCOUNT_DELETION: one("MARKETPLACE_ACCOUNT_DELETION", () => ({})),
    AUTHORIZATION_REVOCATION: one("AUTHORIZATION_REVOCATION", (at) => ({
      revokeReason: "REVOKED_BY_USER",
      revocationDate: at,
    })),
  },
};

function one(topic: string, more: (at: string) => object): SampleEvent {
  return {
    person: "ma8vp1jySJC",
    make: (occasion) => {
      const at = new Date(occasion.at).toISOString();
      return signed({
        metadata: { topic, schemaVersion: "1.0", deprecated: false },
        notification: {
          notificationId: `49feeaeb-4982-42d9-a377-9645b8479411_${occasion.seed}`,
          eventDate: at,
          publishDate: at,
          publishAttemptCount: 1,
          data: {
            username: "test_user",
            userId: occasion.person,
            eiasToken: "nY+sHZ2PrBmdj6wVnY+sEZ2PrA2dj6wJnY+gAZGEpwmdj6x9nY+seQ==",
            ...more(at),
          },
        },
      });
    },
  };
}

async function signed(said: object): Promise<Made> {
  const pkcs8 = Uint8Array.from(atob(DEVELOPMENT_KEY), (letter) => letter.charCodeAt(0));
  const key = await crypto.subtle.importKey("pkcs8", pkcs8, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
  const text = new TextEncoder().encode(JSON.stringify(said));
  const raw = new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-1" }, key, text));
  const header = { alg: "ecdsa", kid: EBAY_KEY.id, signature: base64(der(raw)), digest: "SHA1" };
  return json(said, { "x-ebay-signature": btoa(JSON.stringify(header)) });
}
