export const HELP = `quittance: the erasure and revocation gateway's command line

Usage:
  quittance receipt verify FILE|URL [options]   check an erasure receipt
  quittance keys generate [options]             make the keys of a new deployment
  quittance --version
  quittance COMMAND --help`;

export const RECEIPT_HELP = `Checks an erasure receipt: who signed it, what it claims, whom it is about, whether it was logged.

Usage:
  quittance receipt verify FILE|URL [options]

FILE is a compact JWS, or the JSON document of GET /v1/receipts/{request}; - reads standard input.
URL is the address of such a document, and needs an API key.

Options:
  --jwks FILE|URL        the issuer's published keys; without it they are fetched from
                         the issuer's /.well-known/jwks.json
  --issuer URL           whom the receipt must be from, such as https://erasure.example.com;
                         needed for a FILE without --jwks
  --identity TYPE=VALUE  checks that the receipt is about this identity, such as
                         email=ada@example.com; may be given several times
  --salt SALT            the receipt's salt, where FILE is a bare JWS
  --proof FILE|URL       the document of GET /v1/log/proofs/{request}: checks that the
                         receipt stands in the issuer's log
  --key API_KEY          sent to the origin of URL and nowhere else; QUITTANCE_API_KEY in
                         the environment does the same and stays out of the process list
  --offline              refuses everything that needs the network
  --json                 prints one JSON object: {holds, checks, not_checked, receipt}

Exit codes:
  0  everything that was checked holds (which is not to say that the request is complete)
  1  a check failed
  2  wrong usage, or something could not be read

Examples:
  quittance receipt verify receipt.json --jwks jwks.json --offline --identity email=ada@example.com
  quittance receipt verify receipt.jws --issuer https://erasure.example.com --json`;

export const KEYS_HELP = `Makes the keys of a new deployment. They are printed once and kept nowhere.

Usage:
  quittance keys generate [--id ID] [--json]

Options:
  --id ID  the master key's id, 1 to 32 letters, digits, - or _; today's date without it.
           Ids in MASTER_KEY must differ: the newest key stands first, with a comma after it
  --json   prints {MASTER_KEY, SIGNING_KEY, ADMIN_KEY}, which wrangler secret bulk reads from
           standard input`;
