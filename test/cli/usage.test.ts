import { describe, expect, it } from "vitest";
import { folder, quittance } from "./support.ts";

const file = folder();

describe("help", () => {
  it("is there for everything, and says the exit codes", async () => {
    for (const args of [
      ["--help"],
      ["-h"],
      ["receipt", "--help"],
      ["receipt", "verify", "x", "-h"],
      ["keys", "--help"],
      ["send", "--help"],
      ["send", "facebook", "-h"],
    ]) {
      const { code, out, err } = await quittance(args);
      expect([code, err]).toEqual([0, ""]);
      expect(out).toContain("Usage:");
    }
    expect((await quittance(["receipt", "--help"])).out).toContain("Exit codes:");
  });

  it("tells the version", async () => {
    const { code, out } = await quittance(["--version"]);
    expect([code, out]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+/)]);
  });
});

describe("wrong usage", () => {
  it.each<[readonly string[], RegExp]>([
    [[], /expected a command; known here: quittance receipt, quittance keys, quittance send/],
    [["recipt"], /no command "recipt"; known here: quittance receipt, quittance keys/],
    [["constructor"], /no command "constructor"/],
    [["receipt"], /known here: quittance receipt verify/],
    [["receipt", "verfy"], /no command "receipt verfy"; known here: quittance receipt verify/],
    [["receipt", "verify"], /expected one receipt/],
    [["receipt", "verify", "a", "b"], /expected one receipt/],
    [["receipt", "verify", "a", "--colour"], /Unknown option '--colour'/],
    [["receipt", "verify", "a", "--jwks"], /--jwks/],
    [["receipt", "verify", "a", "--json=yes"], /--json/],
    [["receipt", "verify", "a"], /--issuer URL/],
    [["receipt", "verify", "-", "--jwks", "-"], /standard input/],
    [["receipt", "verify", "a", "--offline", "--issuer", "https://a.example"], /--offline needs/],
    [["receipt", "verify", "a", "--offline", "--jwks", "https://a.example/jwks"], /--offline reads files only/],
    [["receipt", "verify", "https://a.example/r", "--offline", "--jwks", "b"], /--offline reads files only/],
    [["receipt", "verify", "http://a.example/r", "--key", "k"], /expected https/],
    [["receipt", "verify", "http://127.0.0.1.a.example/r", "--key", "k"], /expected https/],
    [["receipt", "verify", "ftp://a.example/r", "--key", "k"], /expected https/],
    [["receipt", "verify", "https://me:pass@a.example/r", "--key", "k"], /user name or password/],
    [["receipt", "verify", "https://a.example:99999/r", "--key", "k"], /not an address/],
    [["receipt", "verify", "https://a.example/r", "--key", "two\nlines, a header"], /characters that no key has/],
    [["receipt", "verify", "a", "--jwks", "http://a.example/jwks"], /--jwks: .*expected https/],
    [["receipt", "verify", "a", "--issuer", "http://a.example"], /--issuer: expected an origin/],
    [["receipt", "verify", "a", "--issuer", "https://a.example/path"], /--issuer: expected an origin/],
    [["receipt", "verify", "a", "--issuer", "a.example"], /--issuer: expected an origin/],
    [["receipt", "verify", "/nowhere/at-all", "--jwks", "b"], /does not exist/],
    [["receipt", "verify", "/", "--jwks", "b"], /is a folder/],
    [["keys"], /known here: quittance keys generate/],
    [["keys", "generate", "--id", "a b"], /--id/],
    [["keys", "generate", "--id", "dev_1"], /--id/],
    [["keys", "generate", "more"], /Unexpected argument/],
  ])("%j is refused in plain words, with exit code 2", async (args, words) => {
    const { code, out, err } = await quittance(args);
    expect(err).toMatch(words);
    expect(out).toBe("");
    expect(err).not.toMatch(/\n\s+at |two|pass@/);
    expect(code).toBe(2);
  });

  it("says so of a file that is no text, or too long", async () => {
    const keys = ["--jwks", file({ keys: [] })];
    const binary = await quittance(["receipt", "verify", file(Buffer.from([0xff, 0xfe, 0x00])), ...keys]);
    expect([binary.code, binary.err]).toEqual([2, expect.stringContaining("is not UTF-8 text")]);
    const long = await quittance(["receipt", "verify", file("a".repeat(9_000_000)), ...keys]);
    expect([long.code, long.err]).toEqual([2, expect.stringContaining("is longer than")]);
  });
});
