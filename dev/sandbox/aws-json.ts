import { z } from "zod";
import { unsigned } from "./sigv4.ts";
import type { Json, Refusal, Vendor, World } from "./vendor.ts";

/** A service of AWS whose calls are named by a header, in JSON of its own version. */
export type Service = {
  readonly id: string;
  readonly about: string;
  /** The host's first label, and the name that signatures have. */
  readonly name: string;
  readonly type: string;
  readonly target: string;
  readonly operations: Readonly<Record<string, (body: unknown, region: string) => Json>>;
  readonly seed: (seed: unknown) => Json;
  readonly holdings: Vendor["holdings"];
  readonly reset: () => void;
};

/** What a service refuses, by its own name. */
export class ServiceRefusal extends Error {
  constructor(name: string) {
    super(name);
    this.name = name;
  }
}

/** `keys` of any seed of a service are secrets by access key id, which are then checked. */
export const Keys = z.record(z.string(), z.string()).default({});

/**
 * Refusals are 400 with the name in `__type`, also where the signature is wrong.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
 */
export function awsJson(world: World, secrets: Map<string, string>, service: Service): Vendor {
  const host = new RegExp(`^${service.name}\\.([a-z0-9-]+)\\.amazonaws\\.com(\\.cn)?$`);
  const refusal = (status: number, name: string) =>
    Response.json({ __type: `com.amazonaws.${service.name}#${name}`, message: "refused" }, { status });
  return {
    id: service.id,
    about: service.about,
    serves: (name) => host.test(name),
    async call(request) {
      const region = host.exec(new URL(request.url).hostname)?.[1] ?? "";
      const text = await request.text();
      const odd = unsigned(request, text, { service: service.name, region, now: world.now(), secrets });
      if (odd !== undefined) return refusal(400, SIGNATURE[odd] ?? "InvalidSignatureException");
      if (request.headers.get("content-type") !== service.type) return refusal(400, "SerializationException");
      const [target, name = ""] = (request.headers.get("x-amz-target") ?? "").split(".");
      const operation = target === service.target ? service.operations[name] : undefined;
      if (operation === undefined) return refusal(400, "UnknownOperationException");
      try {
        const answer = operation(JSON.parse(text), region);
        return answer === "" ? new Response("", { status: 200 }) : Response.json(answer);
      } catch (error) {
        if (error instanceof ServiceRefusal) return refusal(400, error.name);
        if (error instanceof z.ZodError || error instanceof SyntaxError) return refusal(400, "ValidationException");
        throw error;
      }
    },
    refuse: ({ reason, status }: Refusal) => refusal(reason === "unauthorized" ? 400 : status, WORDS[reason]),
    seed: service.seed,
    holdings: service.holdings,
    reset() {
      secrets.clear();
      service.reset();
    },
  };
}

const SIGNATURE: Readonly<Record<string, string>> = {
  AccessDenied: "MissingAuthenticationTokenException",
  AuthorizationHeaderMalformed: "InvalidSignatureException",
};
const WORDS = {
  rate_limited: "ThrottlingException",
  server_error: "InternalServerError",
  unauthorized: "UnrecognizedClientException",
};
