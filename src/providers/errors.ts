// Turns whatever a provider call threw, or said in an error event, into a ProviderError. The message is ours and
// neutral; what the other side wrote goes into `cause`, shortened, without our key, and where nobody prints it.

import { ProviderError, type ProviderFault, ProviderWords } from './provider-error.ts';

export interface ErrorContext {
  /** Names the provider in messages. */
  readonly provider: string;
  /** Removed wherever the other side repeats it. */
  readonly apiKey: string;
}

const MAX_CAUSE_LENGTH = 2_000;

/** What OpenSSL and Node call certificates that they do not accept. */
const CERTIFICATE_CODE =
  /^(ERR_TLS_CERT|CERT_|DEPTH_ZERO_SELF|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|HOSTNAME_MISMATCH|INVALID_CA|ERR_TLS_INVALID)/;
const EARLY_END_CODE = 'HPE_INVALID_EOF_STATE';

/** An error of the connection, before or after the head of the response had come. */
export function transportError(provider: string, error: unknown, answered: boolean): ProviderError {
  const code = codeOf(error);
  if (CERTIFICATE_CODE.test(code))
    return new ProviderError('certificate', `${provider}: the certificate was refused (${code})`, {
      cause: error,
    });
  if (isNotHttp(error, code))
    return new ProviderError('bad-response', `${provider} did not answer in HTTP`, {
      // undici's error carries the bytes that it could not read, perhaps those of an answer: not for the log.
      cause: new Error((error as Error).message),
    });
  if (answered)
    return new ProviderError('truncated', `${provider} broke off its answer (${code})`, { cause: error });
  return new ProviderError('connection', `no connection to ${provider} (${code})`, { cause: error });
}

/**
 * The bytes were not HTTP, or its head was too large. A body that ends too early is another matter. By name, for
 * undici 8.12 gives its parser's errors no code.
 */
function isNotHttp(error: unknown, code: string): boolean {
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return true;
  return (error as { name?: unknown } | null)?.name === 'HTTPParserError' && code !== EARLY_END_CODE;
}

function codeOf(error: unknown): string {
  const { code, errors } = (error ?? {}) as { code?: unknown; errors?: unknown };
  if (typeof code === 'string') return code;
  // What is tried on several addresses fails with the errors of all of them.
  if (Array.isArray(errors) && errors.length > 0) return codeOf(errors[0]);
  return 'unknown';
}

/** Whatever making a call threw: errors of our transport, wrapped by an SDK or not, and the SDKs' own. */
export function toProviderError(error: unknown, context: ErrorContext): ProviderError {
  for (let current = error; current instanceof Error; current = current.cause)
    if (current instanceof ProviderError) return current;
  const { status, headers } = (error ?? {}) as { status?: unknown; headers?: unknown };
  if (typeof status !== 'number')
    return new ProviderError('bad-response', `the answer of ${context.provider} could not be read`, {
      // What is no JSON is quoted by the error of its parser.
      cause: error instanceof SyntaxError ? undefined : error,
    });
  return refusedWith(status, headers instanceof Headers ? headers : new Headers(), wordsOf(error), context);
}

/** An answer whose status is an error. */
export function statusError(
  answer: { readonly status: number; readonly headers: Headers; text(): string },
  context: ErrorContext,
): ProviderError {
  const message = answer.text();
  return refusedWith(answer.status, answer.headers, wordsOf({ error: errorIn(message), message }), context);
}

/** What the JSON of a refusal says of the error; undefined when it is no JSON. */
function errorIn(body: string): unknown {
  try {
    const json: unknown = JSON.parse(body);
    return (json as { error?: unknown } | null)?.error ?? json;
  } catch {
    return undefined;
  }
}

function refusedWith(status: number, hints: Headers, said: Words, context: ErrorContext): ProviderError {
  const shouldRetry = retryAdvice(hints);
  const fault = faultOfStatus(status, said);
  // A status that says little is what the provider takes it for.
  const isPassing = fault === 'bad-request' && shouldRetry === true && !CALLERS_FAULT.has(status);
  return new ProviderError(isPassing ? 'server' : fault, `${context.provider} answered ${status}`, {
    cause: causeOf(said, context),
    status,
    retryAfterMs: retryAfterMs(hints, Date.now()),
    shouldRetry,
  });
}

/** An error that came as an event of a stream that had begun with 200. */
export function streamError(said: unknown, context: ErrorContext): ProviderError {
  const words = wordsOf({ error: said });
  return new ProviderError(faultOfWords(words) ?? 'server', `${context.provider} broke off with an error`, {
    cause: causeOf(words, context),
  });
}

interface Words {
  /** `type` and `code`, joined: machine-readable words of a small vocabulary. */
  readonly codes: string;
  /** Everything that was said. */
  readonly text: string;
}

/** OpenAI's error holds `{ code, type, message }`, Anthropic's `{ error: { type, message } }`, others a bare string. */
function wordsOf(thrown: unknown): Words {
  const { error, message } = (thrown ?? {}) as { error?: unknown; message?: unknown };
  const codes: string[] = [];
  for (let part = error; part !== null && typeof part === 'object'; ) {
    const { type, code, error: inner } = part as { type?: unknown; code?: unknown; error?: unknown };
    codes.push(String(type ?? ''), String(code ?? ''));
    part = inner;
  }
  return {
    codes: codes.join(' '),
    text: error == null ? String(message ?? '') : typeof error === 'string' ? error : JSON.stringify(error),
  };
}

function causeOf({ text, codes }: Words, { apiKey }: ErrorContext): ProviderWords {
  const withoutKey = text.replaceAll(apiKey || '\0', '[redacted]');
  return new ProviderWords(withoutKey.slice(0, MAX_CAUSE_LENGTH), codes);
}

/** Codes that mean the same whatever the status; the first that matches decides. */
const FAULT_OF_CODE: readonly (readonly [RegExp, ProviderFault])[] = [
  [/context_length_exceeded|exceed_context_size/, 'context-length'],
  [/content_filter|content_policy|policy_violation|bio_policy|invalid_prompt/, 'content-policy'],
  [/insufficient_quota|billing/, 'credentials'],
  [/model_not_found/, 'unknown-model'],
];
/** Words for people, where there is no code: Anthropic, llama.cpp, LM Studio, Ollama, vLLM. */
const CONTEXT_WORDS =
  /prompt is too long|prompt too long|context (length|window|size)|exceeds? (the )?(maximum )?context|context the overflows/i;
const POLICY_WORDS = /content filter|content management policy|usage polic(y|ies)/i;
const BILLING_WORDS = /credit balance is too low/i;

/** What these say of the call stays true however often it is made. */
const CALLERS_FAULT: ReadonlySet<number> = new Set([400, 413, 422]);

function faultOfStatus(status: number, { codes, text }: Words): ProviderFault {
  const known = FAULT_OF_CODE.find(([code]) => code.test(codes))?.[1];
  if (status >= 500 || status === 408 || status === 409) return known === 'context-length' ? known : 'server';
  if (known) return known;
  if (status === 401 || status === 402 || status === 403) return 'credentials';
  if (status === 429) return 'rate-limit';
  if (status === 404) return 'unknown-model';
  return faultOfText(text) ?? 'bad-request';
}

/** Types of error events: Anthropic's `overloaded_error`, OpenAI's `server_error`, `rate_limit_exceeded`, and kin. */
const FAULT_OF_TYPE: readonly (readonly [RegExp, ProviderFault])[] = [
  ...FAULT_OF_CODE,
  [/overloaded|server_error|api_error|timeout|unavailable/, 'server'],
  [/rate_limit|too_many_requests|tokens_exceeded/, 'rate-limit'],
  [/authentication|permission|invalid_api_key/, 'credentials'],
  [/not_found/, 'unknown-model'],
];

function faultOfWords({ codes, text }: Words): ProviderFault | undefined {
  const known = FAULT_OF_TYPE.find(([type]) => type.test(codes))?.[1];
  if (known && known !== 'server') return known;
  // Aggregators put the HTTP status of the server behind them into the event.
  const [status] = codes.match(/\b[45]\d\d\b/) ?? [];
  if (status) return faultOfStatus(Number(status), { codes, text });
  return faultOfText(text) ?? known ?? (/invalid|bad_request/.test(codes) ? 'bad-request' : undefined);
}

function faultOfText(text: string): ProviderFault | undefined {
  if (CONTEXT_WORDS.test(text)) return 'context-length';
  if (POLICY_WORDS.test(text)) return 'content-policy';
  return BILLING_WORDS.test(text) ? 'credentials' : undefined;
}

/** The hint in milliseconds: `retry-after-ms`, or `retry-after` as seconds or as a date; junk is no hint. */
export function retryAfterMs(headers: Headers, nowMs: number): number | undefined {
  const exact = headers.get('retry-after-ms');
  if (exact !== null && isAmount(exact)) return Number(exact);
  const hint = headers.get('retry-after');
  if (hint === null) return undefined;
  if (isAmount(hint)) return Number(hint) * 1_000;
  // Only a date has letters in it; Date.parse would take "-5" for a month.
  const dateMs = /[a-z]/i.test(hint) ? Date.parse(hint) : Number.NaN;
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs);
}

/** `x-should-retry`, by which OpenAI and Anthropic overrule what their SDKs think of a status. */
function retryAdvice(headers: Headers): boolean | undefined {
  const advice = headers.get('x-should-retry')?.trim().toLowerCase();
  return advice === 'true' ? true : advice === 'false' ? false : undefined;
}

function isAmount(value: string): boolean {
  return /^\s*\d+(\.\d+)?\s*$/.test(value);
}
