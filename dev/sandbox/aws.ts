import type { MakeVendor, Refusal } from "./vendor.ts";

/** Who may be subscribed to which topic is not asked here; a token is good once it looks like one. */
const TOKEN = /^[0-9a-f]{8,512}$/;

/**
 * Amazon SNS, as far as a subscriber calls it: confirming a subscription with the token that it was sent.
 *
 * @see https://docs.aws.amazon.com/sns/latest/api/API_ConfirmSubscription.html
 */
export const aws: MakeVendor = () => {
  const confirmed = new Set<string>();
  const call = (url: URL): Response => {
    const { Action, TopicArn = "", Token = "" } = Object.fromEntries(url.searchParams);
    if (Action !== "ConfirmSubscription") return snsError(400, "InvalidAction");
    const [, , service, region] = TopicArn.split(":");
    if (service !== "sns" || !url.hostname.startsWith(`sns.${region}.`) || !TOKEN.test(Token))
      return snsError(400, "InvalidParameter");
    confirmed.add(TopicArn);
    const arn = `${TopicArn}:2bcfbf39-05c3-41de-beaa-fcfcc21c8f55`;
    return xml(
      200,
      `<ConfirmSubscriptionResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><ConfirmSubscriptionResult><SubscriptionArn>${arn}</SubscriptionArn></ConfirmSubscriptionResult></ConfirmSubscriptionResponse>`,
    );
  };
  return {
    id: "aws",
    about: "sns.<region>.amazonaws.com: confirming subscriptions",
    serves: (host) => /^sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$/.test(host),
    call: async (request) => (request.method === "GET" ? call(new URL(request.url)) : snsError(400, "InvalidAction")),
    refuse: ({ reason, status }: Refusal) => snsError(status, WORDS[reason]),
    seed: () => {
      throw new Error("there is nothing to seed: subscriptions are confirmed");
    },
    holdings: () => ({ confirmed_subscriptions: [...confirmed] }),
    reset: () => confirmed.clear(),
  };
};

const WORDS = { rate_limited: "Throttled", server_error: "InternalError", unauthorized: "AuthorizationError" };

const snsError = (status: number, code: string): Response =>
  xml(
    status,
    `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>${code}</Code></Error></ErrorResponse>`,
  );

const xml = (status: number, body: string): Response =>
  new Response(body, { status, headers: { "content-type": "text/xml" } });
