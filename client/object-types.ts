// Made from the code by `npm run vendors`.

/** What can be registered, by integration. */
export type ObjectType =
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
  /** App-scoped user id */
  | "facebook.user_id"
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
  /** `<account id>/<contact id>` */
  | "hubspot.contact"
  /** Contact id, of a user or a lead */
  | "intercom.contact"
  /** Profile id */
  | "klaviyo.profile"
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
  /** Customer of the vault */
  | "paypal.customer"
  /** Payment method that was saved in the vault */
  | "paypal.payment_token"
  /** Distinct id, as the product's tracking sends it */
  | "posthog.distinct_id"
  /** Person's UUID */
  | "posthog.person"
  /** Marketing contact id */
  | "sendgrid.contact"
  /** E-mail address to which mail was sent */
  | "sendgrid.recipient"
  /** E-mail address on the lists of those who are not written to */
  | "sendgrid.suppressions"
  /** Connected account id */
  | "stripe.account"
  /** Customer id */
  | "stripe.customer"
  /** Ids of payments and invoices, separated by commas, that one redaction job takes */
  | "stripe.records"
  /** Ticket ids, separated by commas */
  | "zendesk.tickets"
  /** User id */
  | "zendesk.user";
