// How a provider call can fail, in the one vocabulary the gateway decides by. Adapters translate into it;
// the text of the other side stays in `cause`, for the log, and never reaches a caller.

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
] as const;
export type ProviderFault = (typeof PROVIDER_FAULTS)[number];

interface ProviderErrorOptions {
  cause?: unknown;
  status?: number | undefined;
  /** The provider's hint, already in milliseconds; may be absurd, the gateway clamps it. */
  retryAfterMs?: number | undefined;
}

export class ProviderError extends Error {
  override readonly name = 'ProviderError';
  readonly fault: ProviderFault;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;

  /** `message` is ours: short, neutral, without a word of the other side's body. */
  constructor(fault: ProviderFault, message: string, options: ProviderErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.fault = fault;
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
  }
}
