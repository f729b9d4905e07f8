import { X509Certificate } from "node:crypto";
import type { Instant } from "../../ids.ts";

/** What a certificate vouches for. Who issued it is vouched for by the address that it was fetched from, over TLS. */
export type Certificate = {
  /** For RSASSA-PKCS1-v1_5 with the hash that was asked for. */
  readonly key: CryptoKey;
  readonly from: Instant;
  readonly until: Instant;
  readonly commonName: string | undefined;
};

export type CertificateHash = "SHA-1" | "SHA-256";

/** Reads an X.509 certificate in PEM (RFC 5280, RFC 7468); undefined if it is none, or not of an RSA key of today's size. */
export async function importCertificate(pem: string, hash: CertificateHash): Promise<Certificate | undefined> {
  try {
    const { publicKey, subject, validFrom, validTo } = new X509Certificate(pem);
    if ((publicKey.asymmetricKeyDetails?.modulusLength ?? 0) < 2048) return undefined;
    const spki = new Uint8Array(publicKey.export({ type: "spki", format: "der" }));
    const key = await crypto.subtle.importKey("spki", spki, { name: "RSASSA-PKCS1-v1_5", hash }, false, ["verify"]);
    const commonName = /^CN=(.*)$/m.exec(subject)?.[1];
    return { key, from: Date.parse(validFrom), until: Date.parse(validTo), commonName };
  } catch (error) {
    // Neither the platform nor its certificates say more of what is none.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

export const isInForce = ({ from, until }: Certificate, now: Instant): boolean => from <= now && now <= until;
