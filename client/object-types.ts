// Made from the code by `npm run vendors`.

/** What can be registered, by integration. */
export type ObjectType =
  /** PSP reference of a payment's authorisation */
  | "adyen.psp_reference"
  /** The tenant's reference of a shopper (`shopperReference`) */
  | "adyen.shopper_reference"
  /** A saved payment method and whose it is (`id/shopperReference`) */
  | "adyen.stored_method"
  /** Amplitude's own id of a user, a number */
  | "amplitude.amplitude_id"
  /** User id, as the product's tracking sends it */
  | "amplitude.user_id"
  /** File id */
  | "anthropic.file"
  /** Memory with its versions: memory store id/memory id */
  | "anthropic.memory"
  /** Memory store id, with all its memories and their versions */
  | "anthropic.memory_store"
  /** Message batch id */
  | "anthropic.message_batch"
  /** Managed Agents session id */
  | "anthropic.session"
  /** Id of a custom skill, with all its versions */
  | "anthropic.skill"
  /** Vault id, with all its credentials */
  | "anthropic.vault"
  /** Credential of a vault: vault id/credential id */
  | "anthropic.vault_credential"
  /** Username in the pool, or the `sub` of a user who has a password there */
  | "aws-cognito.username"
  /** The id in the table's partition keys, where it is not the user_id */
  | "aws-dynamodb.id"
  /** The id under which the bucket's prefixes have a person, where it is not the user_id */
  | "aws-s3.id"
  /** The key of one object, with all its versions */
  | "aws-s3.object"
  /** Id of an assistant that was made for a person */
  | "azure-openai.assistant"
  /** Conversation id */
  | "azure-openai.conversation"
  /** File id */
  | "azure-openai.file"
  /** Stored response id */
  | "azure-openai.response"
  /** Thread id */
  | "azure-openai.thread"
  /** Vector store id */
  | "azure-openai.vector_store"
  /** A post's address, at://{did}/app.bsky.feed.post/{key} */
  | "bluesky.post"
  /** Braze's own id of a profile */
  | "braze.braze_id"
  /** The id under which the tenant keeps a person there */
  | "braze.external_id"
  /** The id that the database has for a person, where it is not the user_id */
  | "cloudflare-d1.id"
  /** The id under which the namespace's prefixes have a person, where it is not the user_id */
  | "cloudflare-kv.id"
  /** One key */
  | "cloudflare-kv.key"
  /** The id under which the bucket's prefixes have a person, where it is not the user_id */
  | "cloudflare-r2.id"
  /** The key of one object */
  | "cloudflare-r2.object"
  /** Customer.io's own id of a person */
  | "customer-io.cio_id"
  /** The id under which the tenant keeps a person there */
  | "customer-io.id"
  /** The tenant's id of a person, as it stands in logs */
  | "datadog.user_id"
  /** `<type>:<format>:<value>` as the partner's dsrdelete.json has them: `email:sha256:28f6dc…` */
  | "ddrf.identifier"
  /** Conversation id, of an agent's call */
  | "elevenlabs.conversation"
  /** Dubbing project id */
  | "elevenlabs.dubbing"
  /** History item id, of what was generated */
  | "elevenlabs.history_item"
  /** Knowledge base document id */
  | "elevenlabs.knowledge_document"
  /** Studio project id */
  | "elevenlabs.studio_project"
  /** Speech-to-text transcription id */
  | "elevenlabs.transcript"
  /** The user id that the product gives an agent's calls */
  | "elevenlabs.user"
  /** Voice id, with its samples */
  | "elevenlabs.voice"
  /** A post of a Page that the person manages: page id_post id */
  | "facebook.post"
  /** App-scoped user id */
  | "facebook.user_id"
  /** Batch, with what it was sent and has answered: batches/… */
  | "gemini.batch"
  /** Cached content: cachedContents/… */
  | "gemini.cached_content"
  /** Document of a file search store: fileSearchStores/…/documents/… */
  | "gemini.document"
  /** File: files/… */
  | "gemini.file"
  /** File search store, with all documents in it: fileSearchStores/… */
  | "gemini.file_search_store"
  /** Stored interaction id */
  | "gemini.interaction"
  /** Model that was tuned on the person's data: tunedModels/… */
  | "gemini.tuned_model"
  /** Batch prediction job: projects/…/locations/…/batchPredictionJobs/… */
  | "google-ai.batch"
  /** Cached content: projects/…/locations/…/cachedContents/… */
  | "google-ai.cached_content"
  /** Managed data set: projects/…/locations/…/datasets/… */
  | "google-ai.dataset"
  /** Memory of an agent: projects/…/locations/…/reasoningEngines/…/memories/… */
  | "google-ai.memory"
  /** Model that was tuned on the person's data: projects/…/locations/…/models/… */
  | "google-ai.model"
  /** Retrieval corpus, with all its files: projects/…/locations/…/ragCorpora/… */
  | "google-ai.rag_corpus"
  /** File of a retrieval corpus: projects/…/locations/…/ragCorpora/…/ragFiles/… */
  | "google-ai.rag_file"
  /** Session of an agent: projects/…/locations/…/reasoningEngines/…/sessions/… */
  | "google-ai.session"
  /** Firebase app instance id */
  | "google-analytics.app_instance_id"
  /** Client id of the _ga cookie */
  | "google-analytics.client_id"
  /** User-ID that the tenant's tags send */
  | "google-analytics.user_id"
  /** E-mail address or telephone number that the tenant's tags send, not hashed */
  | "google-analytics.user_provided_data"
  /** What stands in the column instead of the user id */
  | "google-bigquery.key"
  /** One object of the bucket: gs://bucket/name, or its name alone */
  | "google-cloud-storage.object"
  /** User id (uid, localId) */
  | "google-identity-platform.user"
  /** `<account id>/<contact id>` */
  | "hubspot.contact"
  /** Contact id, of a user or a lead */
  | "intercom.contact"
  /** Profile id */
  | "klaviyo.profile"
  /** URN of a post: urn:li:share:… or urn:li:ugcPost:… */
  | "linkedin.post"
  /** An address's id across all audiences: unique_email_id, data[id] of a webhook */
  | "mailchimp.address_id"
  /** Member of one audience: audience id, a slash, member id */
  | "mailchimp.member"
  /** Agent id, of one that was made for a person */
  | "mistral.agent"
  /** Batch job id */
  | "mistral.batch_job"
  /** Conversation id */
  | "mistral.conversation"
  /** Document of a library: library id/document id */
  | "mistral.document"
  /** File id */
  | "mistral.file"
  /** Library id, with all its documents */
  | "mistral.library"
  /** Id of a custom voice */
  | "mistral.voice"
  /** Distinct id, of a device or of the person, as tracking sends it */
  | "mixpanel.distinct_id"
  /** The id under which the tenant keeps a person there */
  | "onesignal.external_id"
  /** OneSignal's own id of a user */
  | "onesignal.onesignal_id"
  /** Id of a subscription: a device, an address or a number */
  | "onesignal.subscription"
  /** Stored chat completion id */
  | "openai.chat_completion"
  /** Conversation id */
  | "openai.conversation"
  /** File id */
  | "openai.file"
  /** A metadata pair, key=value, that the product puts on stored chat completions */
  | "openai.metadata"
  /** Stored response id */
  | "openai.response"
  /** Vector store id */
  | "openai.vector_store"
  /** Android advertising id */
  | "opendsr.android_advertising_id"
  /** Android id */
  | "opendsr.android_id"
  /** Fire advertising id */
  | "opendsr.fire_advertising_id"
  /** iOS advertising id */
  | "opendsr.ios_advertising_id"
  /** iOS vendor id */
  | "opendsr.ios_vendor_id"
  /** Microsoft advertising id */
  | "opendsr.microsoft_advertising_id"
  /** Microsoft publisher id */
  | "opendsr.microsoft_publisher_id"
  /** Roku advertising id */
  | "opendsr.roku_advertising_id"
  /** Roku publisher id */
  | "opendsr.roku_publisher_id"
  /** Customer of the vault */
  | "paypal.customer"
  /** Payment method that was saved in the vault */
  | "paypal.payment_token"
  /** Pin id */
  | "pinterest.pin"
  /** Distinct id, as the product's tracking sends it */
  | "posthog.distinct_id"
  /** Person's UUID */
  | "posthog.person"
  /** Full name of a post or comment (t3_…, t1_…) */
  | "reddit.item"
  /** Record id of a person account */
  | "salesforce.account"
  /** Record id of a case */
  | "salesforce.case"
  /** Record id of a contact */
  | "salesforce.contact"
  /** Record id of a lead */
  | "salesforce.lead"
  /** User id (`userId`), as the product's tracking sends it */
  | "segment.user_id"
  /** Marketing contact id */
  | "sendgrid.contact"
  /** E-mail address to which mail was sent */
  | "sendgrid.recipient"
  /** E-mail address on the lists of those who are not written to */
  | "sendgrid.suppressions"
  /** A shop's customer: `<shop id>/<customer id>` */
  | "shopify.customer"
  /** Connected account id */
  | "stripe.account"
  /** Customer id */
  | "stripe.customer"
  /** Ids of payments and invoices, separated by commas, that one redaction job takes */
  | "stripe.records"
  /** Id of a post or reply */
  | "threads.post"
  /** `<form id>/<response id>`, of one form that was filled in */
  | "typeform.response"
  /** Post id */
  | "x.post"
  /** Video id */
  | "youtube.video"
  /** Ticket ids, separated by commas */
  | "zendesk.tickets"
  /** User id */
  | "zendesk.user";
