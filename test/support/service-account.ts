/** A key file as Google gives it out; whatever signs with it must have a key of its own. */
export const keyFile = (privateKey = NO_KEY, email = "quittance@example-project.iam.gserviceaccount.com"): string =>
  JSON.stringify({
    type: "service_account",
    project_id: "example-project",
    private_key_id: "0123456789abcdef0123456789abcdef01234567",
    private_key: privateKey,
    client_email: email,
    client_id: "100000000000000000003",
    token_uri: "https://elsewhere.example/token",
  });

/** Where nothing is signed. */
const NO_KEY = "-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5\n-----END PRIVATE KEY-----\n";
