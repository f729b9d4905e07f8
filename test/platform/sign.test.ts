import { describe, expect, it } from "vitest";
import { type AwsSigV4, type Call, del, get, postForm } from "../../src/contract/call.ts";
import { signed } from "../../src/platform/sign.ts";

const to = (url: string) => ({ url, template: url });

// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, "Examples: Signature calculations"
const s3: AwsSigV4 = {
  scheme: "aws-sigv4",
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  region: "us-east-1",
  service: "s3",
};
const MAY_24 = Date.parse("2013-05-24T00:00:00Z");
const BUCKET = "https://examplebucket.s3.amazonaws.com";

// https://docs.aws.amazon.com/general/latest/gr/signature-v4-test-suite.html
const suite: AwsSigV4 = {
  scheme: "aws-sigv4",
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  region: "us-east-1",
  service: "service",
};
const AUGUST_30 = Date.parse("2015-08-30T12:36:00Z");
const SUITE = "https://example.amazonaws.com";

const authorization = async (call: Call, now: number) => (await signed(call, now)).headers.authorization ?? "";

describe("signing a call for AWS", () => {
  it.each([
    [
      "GET Object",
      get(to(`${BUCKET}/test.txt`), { range: "bytes=0-9" }, { sign: s3 }),
      "host;range;x-amz-content-sha256;x-amz-date",
      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    ],
    [
      "PUT Object",
      {
        method: "PUT" as const,
        at: to(`${BUCKET}/test$file.text`),
        headers: { date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" },
        body: "Welcome to Amazon S3.",
        sign: s3,
      },
      "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
      "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    ],
    [
      "GET Bucket Lifecycle",
      get(to(`${BUCKET}/?lifecycle`), {}, { sign: s3 }),
      "host;x-amz-content-sha256;x-amz-date",
      "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    ],
    [
      "Get Bucket (List Objects)",
      get(to(`${BUCKET}/?prefix=J&max-keys=2`), {}, { sign: s3 }),
      "host;x-amz-content-sha256;x-amz-date",
      "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    ],
  ])("gives the known answer of S3's guide for %s", async (_, call, headers, signature) => {
    expect(await authorization(call, MAY_24)).toBe(
      `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=${headers}, Signature=${signature}`,
    );
  });

  it.each([
    [
      "get-vanilla",
      get(to(`${SUITE}/`), {}, { sign: suite }),
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ],
    [
      "get-vanilla-query-order-key-case",
      get(to(`${SUITE}/?Param2=value2&Param1=value1`), {}, { sign: suite }),
      "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ],
    [
      "post-x-www-form-urlencoded",
      postForm(to(`${SUITE}/`), {}, [["Param1", "value1"]], { sign: suite }),
      "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    ],
  ])("gives the known answer of the signature's test suite for %s", async (_, call, signature) => {
    expect(await authorization(call, AUGUST_30)).toMatch(new RegExp(`, Signature=${signature}$`));
  });

  it("signs each attempt anew, and says when", async () => {
    const call = get(to(`${BUCKET}/`), {}, { sign: s3 });
    const [one, other] = [await signed(call, MAY_24), await signed(call, MAY_24 + 1000)];
    expect([one.headers["x-amz-date"], other.headers["x-amz-date"]]).toEqual(["20130524T000000Z", "20130524T000001Z"]);
    expect(one.headers.authorization).not.toBe(other.headers.authorization);
  });

  it("signs the body's digests that a call has to carry", async () => {
    const call: Call = {
      method: "POST",
      at: to(`${BUCKET}/?delete`),
      headers: { "content-type": "application/xml" },
      body: "<Delete/>",
      sign: { ...s3, contentMd5: true },
    };
    const { headers, body } = await signed(call, MAY_24);
    expect(body).toBe("<Delete/>");
    // printf '<Delete/>' | openssl dgst -md5 -binary | base64, and the same with -sha256 in hexadecimal digits
    expect(headers["content-md5"]).toBe("ePbrFwvNFIRnzBrIv+T8Ag==");
    expect(headers["x-amz-content-sha256"]).toBe("e2000f6b1fc1db795626ddaf9c13324157e9f56cb7820b40d7c3253a08ee5b91");
    expect(headers.authorization).toContain(
      "SignedHeaders=content-md5;content-type;host;x-amz-content-sha256;x-amz-date,",
    );
  });

  it("keeps a key of an object as one path, whatever is in it", async () => {
    const key = (name: string) => authorization(del(to(`${BUCKET}/${name}`), {}, { sign: s3 }), MAY_24);
    expect(await key("users%2F1%2F..%2Fa%20b")).not.toBe(await key("users/a%20b"));
    expect(await key("users/1/a%20b")).toBe(await key("users%2F1%2Fa%20b"));
  });

  it("leaves a call alone that is not to be signed", async () => {
    expect(await signed(get(to(`${BUCKET}/`), { accept: "*/*" }), MAY_24)).toEqual({ headers: { accept: "*/*" } });
  });
});
