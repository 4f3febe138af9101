// Why an attempt did not succeed, as a closed set: what the provider did, or which of our deadlines it missed.

export const PROVIDER_FAULTS = [
  /** No connection: refused, reset, DNS, TLS. */
  'connection',
  /** The certificate was refused; nothing helps but a person. */
  'certificate',
  /** The provider's own fault: 5xx, 529, an error event in the stream. */
  'server',
  /** Too many calls, or a quota used up for now: 429. */
  'rate-limit',
  /** Our credential or our account was refused: 401, 402, 403. */
  'credentials',
  /** The model does not exist there: 404. */
  'unknown-model',
  /** The call itself is wrong: 400, 422 and other 4xx. */
  'bad-request',
  /** The prompt does not fit. */
  'context-length',
  /** The provider's policy refused the content. */
  'content-policy',
  /** The stream broke off, or ended without its terminal marker. */
  'truncated',
  /** What came is not the format: HTML, other JSON, an empty answer, an oversized or malformed event, a redirect. */
  'bad-response',
  /** The answer came whole, and is not JSON of the schema that was asked for. */
  'schema-mismatch',
] as const;
export type ProviderFault = (typeof PROVIDER_FAULTS)[number];

export const DEADLINE_FAULTS = [
  'connect-deadline',
  'first-token-deadline',
  'idle-deadline',
  'rate-deadline',
  'total-deadline',
] as const;
export type DeadlineFault = (typeof DEADLINE_FAULTS)[number];

/** `unexpected`: none of the others, a fault of ours. */
export const ATTEMPT_FAULTS = [...PROVIDER_FAULTS, ...DEADLINE_FAULTS, 'unexpected'] as const;
export type AttemptFault = (typeof ATTEMPT_FAULTS)[number];
