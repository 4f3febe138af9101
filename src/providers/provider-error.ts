// How a provider call can fail, in the one vocabulary the gateway decides by. Adapters translate into it;
// the text of the other side stays in `cause`, for decisions alone: it reaches neither a caller nor the log.

import type { ProviderFault } from '../domain/fault.ts';

export { PROVIDER_FAULTS, type ProviderFault } from '../domain/fault.ts';

interface ProviderErrorOptions {
  cause?: unknown;
  status?: number | undefined;
  /** The provider's hint, already in milliseconds; may be absurd, the gateway clamps it. */
  retryAfterMs?: number | undefined;
  /** What the provider itself says of asking it again; undefined: nothing. */
  shouldRetry?: boolean | undefined;
}

export class ProviderError extends Error {
  override readonly name = 'ProviderError';
  readonly fault: ProviderFault;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  readonly shouldRetry: boolean | undefined;

  /** `message` is ours: short, neutral, without a word of the other side's body. */
  constructor(fault: ProviderFault, message: string, options: ProviderErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.fault = fault;
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
    this.shouldRetry = options.shouldRetry;
  }
}

/** The call was refused before anything was done, for something that the other side named in these words. */
export function refuses(error: unknown, words: RegExp): boolean {
  return (
    error instanceof ProviderError &&
    (error.status === 400 || error.status === 422) &&
    error.cause instanceof ProviderWords &&
    error.cause.mentions(words)
  );
}

/** Codes of a small vocabulary, unlike words for people, which may quote the prompt. */
const CODE = /^[a-z]+(_[a-z]+)+$/;
const MAX_CODE_LENGTH = 40;

/** What the other side wrote of an error. Whoever prints this prints its codes, and nothing that may quote a prompt. */
export class ProviderWords extends Error {
  override readonly name = 'ProviderWords';
  readonly #text: string;

  /** `codes`: what it says for machines, separated by blanks. */
  constructor(text: string, codes: string) {
    const shown = codes.split(' ').filter(code => code.length <= MAX_CODE_LENGTH && CODE.test(code));
    super(shown.length > 0 ? shown.join(' ') : 'without a code');
    this.#text = text;
  }

  mentions(pattern: RegExp): boolean {
    return pattern.test(this.#text);
  }
}
