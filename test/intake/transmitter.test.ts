import { describe, expect, it } from "vitest";
import { configurationAt, isOfTransmitter } from "../../src/intake/transmitter.ts";

describe("where a transmitter says how it is set up", () => {
  // https://openid.net/specs/openid-sharedsignals-framework-1_0.html section 7.2
  it.each([
    ["https://tr.example.com", "https://tr.example.com/.well-known/ssf-configuration"],
    ["https://tr.example.com/", "https://tr.example.com/.well-known/ssf-configuration"],
    ["https://tr.example.com/issuer1", "https://tr.example.com/.well-known/ssf-configuration/issuer1"],
    ["https://tr.example.com/a/b/", "https://tr.example.com/.well-known/ssf-configuration/a/b"],
  ])("is between host and path of %s", (issuer, address) => {
    expect(configurationAt(issuer)).toBe(address);
  });
});

describe("[I13] where its credentials may go", () => {
  const names = { issuer: "issuer", management: "management" };
  const settings = { issuer: "https://tr.example.com/issuer1", management: "https://api.tr.example.com/v1" };

  it.each([
    "https://tr.example.com/streams",
    "https://tr.example.com/poll?stream=1",
    "https://api.tr.example.com/anything",
  ])("is %s", (address) => {
    expect(isOfTransmitter(address, names, settings)).toBe(true);
  });

  it.each([
    "http://tr.example.com/streams",
    "https://tr.example.com:8443/streams",
    "https://tr.example.com.evil.example.org/streams",
    "https://other.example.com/streams",
    "https://user@tr.example.com/streams",
    "https://tr.example.com/streams#x",
    "https://127.0.0.1/streams",
    "streams",
    "",
  ])("is not %s", (address) => {
    expect(isOfTransmitter(address, names, settings)).toBe(false);
  });

  it("is nowhere where the issuer is not public", () => {
    for (const issuer of ["https://localhost/", "https://tr.internal", "https://tr.example.com/?x"])
      expect(isOfTransmitter(`${issuer}/streams`, names, { issuer })).toBe(false);
  });
});
