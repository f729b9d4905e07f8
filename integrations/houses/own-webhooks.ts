import { optional, text } from "../../src/contract/settings.ts";

/**
 * With what the address of a webhook begins that the product has made: a vendor's list has those of other apps, too. With the slash behind
 * its host, no other host begins so.
 */
export const webhookUrl = optional(
  text(
    "Address with which those of the product's webhooks begin that end with a person's grant, such as https://app.example.com/hooks/",
    /^https:\/\/[^\s/]+\/\S*$/,
  ),
);
