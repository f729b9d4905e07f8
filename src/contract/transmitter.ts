/**
 * A sender that keeps a stream for us by the OpenID Shared Signals Framework 1.0: it can be set up, asked for a verification
 * and for its status, and be polled (RFC 8936) where it does not push. Each member but the first two names a setting.
 */
export type Transmitter = {
  readonly source: string;
  /** The events that a new stream asks for: those that mean something here, and no others. */
  readonly events: readonly string[];
  readonly issuer: string;
  readonly audience: string;
  /** An `endpoint`: an address at the origin of its management, where that is not the issuer's. */
  readonly management: string;
  /** An `endpoint`: where the stream is polled, if that was agreed by hand. */
  readonly poll: string;
  /** A bearer token; or the client credentials by which one is had (RFC 6749 section 4.4). */
  readonly token: string;
  readonly tokenEndpoint: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope: string;
  /** What it is told to send as `Authorization` with each push. */
  readonly authorization: string;
};

/** What an event says of the stream that carries it. */
export type StreamNews =
  /** The answer to a verification that was asked for, with its `state`; without one, the transmitter's own. */
  | { readonly kind: "verified"; readonly state?: string }
  | { readonly kind: "status"; readonly status: string; readonly reason?: string };
