export const HELP = `quittance: the erasure and revocation gateway's command line

Usage:
  quittance receipt verify FILE|URL [options]   check an erasure receipt
  quittance keys generate [options]             make the keys of a new deployment
  quittance send INTEGRATION EVENT [options]    send a gateway what a vendor would send
  quittance send --list                         show what can be sent
  quittance import FILE [options]               hand over a vendor's list of deleted ids
  quittance doctor [options]                    check the credentials of every subprocessor
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

export const SEND_HELP = `Makes a sample delivery as a vendor would, signs it as the vendor does, and sends it to a gateway.

Usage:
  quittance send INTEGRATION EVENT [options]
  quittance send --list [INTEGRATION] [--json]

EVENT is the vendor's own name of it; where that is an address, its last part will do.

Options:
  --list               shows every event that can be sent, the hook's endpoint, and which signals it gives
  --id PERSON          whom it concerns, by the vendor's own id; somebody invented without it
  --at TIME            when it happened, such as 2026-11-21T09:00:00Z; now without it
  --seed TEXT          what its ids are made of; the same TEXT makes the very same delivery, to try a repeat:
                       for an hour, or half the time for which the vendor's signature is good. With --at, always
  --count N            makes N of them (1 to 1000), one after the other: deliveries that differ, all about one person
  --tenant SLUG        whose; the first that has such a subprocessor without it
  --subprocessor ID    which of the tenant's subprocessors; the first with that integration without it
  --endpoint NAME      which hook, where several take an event of that name
  --dev FILE           what npm start has written about its gateway; .quittance/dev.json without it
  --url URL            any other gateway, by its public address. Needs --tenant, and the settings that the vendor
                       signs with; QUITTANCE_API_KEY in the environment lets it see what came of it
  --setting NAME=VALUE a setting of the subprocessor, in place of the one that it has
  --setting-env NAME=VARIABLE
                       the same from the environment: the only way for secrets
  --dry-run            sends nothing, and prints method, address, headers, body and a curl command: with signatures,
                       and with the secret itself where a vendor sends that along
  --json               prints one JSON object: {integration, event, endpoint, tenant, subprocessor, person,
                       deliveries, requests}; with --list {events}

Some vendors sign with a key that nobody else has (Google and Apple, for instance). For a gateway of npm start a key of
.quittance stands for it, whose public half the sandbox publishes; for a real gateway such deliveries cannot be made.

Exit codes:
  0  the gateway took every delivery (or nothing was to be sent)
  1  it refused one
  2  wrong usage, something could not be read, or the gateway could not be reached

Examples:
  quittance send facebook data_deletion --id 1000000000001
  quittance send stripe customer.deleted --tenant cloutmetrics --dry-run
  META_SECRET=… quittance send facebook deauthorize --url https://erasure.example.com --tenant acme \\
    --setting-env appSecret=META_SECRET`;

export const IMPORT_HELP = `Hands a vendor's list of ids to the gateway: each becomes what the vendor's own hook would have caused.

Usage:
  quittance import --subprocessor ID --type TYPE [options] FILE
  quittance import --subprocessor ID --list LIST [options] FILE

FILE is a text with one id a line; JSON lines as X's batch compliance jobs give them
({id, action, redacted_at, reason}); or CSV with a header that has id, and may have at or
redacted_at, reason and action. - reads standard input. Nothing is sent unless all of it can be read.

Options:
  --subprocessor ID  the registry entry that the list is of
  --type TYPE        what it means: account_deleted, account_disabled, account_restored,
                     deauthorized, token_revoked, erasure_requested, content_deleted, ...
  --list LIST        the vendor's own file as it was downloaded, whose lines say what they mean:
                     GET /v1/integrations/{id} names its lists, such as users and tweets of x.
                     In place of --type, --id-type, --reference, --at and --reason
  --id-type TYPE     what the ids are, such as facebook.user_id; needed where the
                     integration knows more than one kind
  --reference TEXT   your name of the list, 1 to 200 characters: the same id under the same
                     name is the same delivery, and causes nothing twice. Without it, the
                     list's digest: a list that has grown is then a new one
  --at TIME          when it happened, RFC 3339, for ids that have no time of their own;
                     without it, now. A connection that began after it is left alone
  --reason REASON    which entries to take, where they have a reason; may be given several
                     times. Without it: deleted; for account_disabled, deactivated and suspended
  --gateway URL      the gateway's origin; QUITTANCE_URL in the environment does the same.
                     Without it and --key, the gateway of npm start
  --key API_KEY      a key of the role request; QUITTANCE_API_KEY in the environment does
                     the same and stays out of the process list
  --dev FILE         what npm start has written about its gateway; .quittance/dev.json without it
  --tenant SLUG      whose, at the gateway of npm start; the first that has the subprocessor without it
  --dry-run          reads and counts, and sends nothing
  --json             prints one JSON object: {subprocessor, type, reference, ids, calls,
                     passed_over, opened, held, duplicate, noted, told, sent}

What a list may cause is for your policy to say, under "<subprocessor>/import"; without that, it
may do what the strictest of the vendor's hooks may. With --list it is "<subprocessor>/LIST", and without that, what is
stated with the list. A signal that none of the hooks knows (account_deleted of facebook) is only noted, and the
last line says so. Ids are sent a thousand a call. If it stops on the way, run the same again: what was taken is recognised.

Exit codes:
  0  all of it was handed over
  1  the gateway refused some of it, could not be reached, or there was nothing in the list
  2  wrong usage, or the list could not be read

Examples:
  quittance import --subprocessor facebook --type erasure_requested --dry-run deleted.txt
  quittance import --subprocessor x --list users results.json`;

export const DOCTOR_HELP = `Checks the credentials of every subprocessor, each with a few harmless reads at its vendor. Nothing is changed anywhere.
Vendors that have no such read are listed as no_check.

Usage:
  quittance doctor [options]

Options:
  --subprocessor ID  only this one; may be given several times
  --gateway URL      the gateway's origin; QUITTANCE_URL in the environment does the same.
                     Without it and --key, the gateway of npm start
  --key API_KEY      a key of the role operate; QUITTANCE_API_KEY in the environment does
                     the same and stays out of the process list
  --dev FILE         what npm start has written about its gateway; .quittance/dev.json without it
  --tenant SLUG      whose, at the gateway of npm start; the first that has the subprocessors without it
  --json             prints one JSON object: {healthy, checked: [{subprocessor, integration,
                     result, what, status?, source?, at}]}

Results:
  fine          the vendor took the credential; what that shows, and what not, stands beside it
  unauthorized  the vendor refused it: enter another with PUT /v1/subprocessors/{id}
  lacks_scope   it is good, and has not the rights that an erasure or revocation needs
  unforeseen    the vendor answered something that it does not document here
  no_answer     the vendor could not be reached, has trouble, or asked us to slow down
  no_check      there is nothing to check, or no way to; the reason stands beside it

The gateway makes the calls, from where it runs and with the settings that it has; no secret comes here. Retired
subprocessors are checked too, because what is kept there is erased with their credentials.

Exit codes:
  0  nothing was found to be wrong
  1  something was (any result but fine and no_check)
  2  wrong usage, or the gateway could not be asked

Examples:
  quittance doctor
  quittance doctor --gateway https://erasure.example.com
  quittance doctor --subprocessor stripe --subprocessor openai --json`;
