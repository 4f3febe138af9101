// The one error that the SDK throws.

/** Codes of failures that never reached the server, or never came back from it. */
export type TransportCode = 'NETWORK' | 'BAD_RESPONSE' | 'SLOW_CONSUMER' | 'STREAM_RESTARTED' | 'ABORTED';

export interface McplaneErrorFacts {
  /** A code of the server's closed set (`ErrorCode` of the schema), or a TransportCode. */
  readonly code: string;
  /** May the same call succeed later without being changed? */
  readonly retryable?: boolean | undefined;
  readonly retryAfterMs?: number | undefined;
  /** For the server's log. */
  readonly requestId?: string | undefined;
  readonly cause?: unknown;
}

const BRAND = Symbol.for('mcplane.error');

export class McplaneError extends Error {
  override readonly name = 'McplaneError';
  readonly code: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly requestId: string | undefined;

  constructor(message: string, facts: McplaneErrorFacts) {
    super(message, { cause: facts.cause });
    this.code = facts.code;
    this.retryable = facts.retryable ?? false;
    this.retryAfterMs = facts.retryAfterMs;
    this.requestId = facts.requestId;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** Holds across copies of the package, where `instanceof` does not. */
export function isMcplaneError(error: unknown): error is McplaneError {
  return typeof error === 'object' && error !== null && BRAND in error;
}

interface GraphQLErrorLike {
  readonly message?: string;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** The first error of a GraphQL answer. */
export function fromGraphQLErrors(errors: readonly GraphQLErrorLike[]): McplaneError {
  const { message = 'The server refused the operation.', extensions = {} } = errors[0] ?? {};
  const { code, retryable, retryAfterMs, requestId } = extensions;
  return new McplaneError(message, {
    code: typeof code === 'string' ? code : 'BAD_USER_INPUT',
    retryable: retryable === true,
    retryAfterMs: typeof retryAfterMs === 'number' ? retryAfterMs : undefined,
    requestId: typeof requestId === 'string' ? requestId : undefined,
    cause: errors,
  });
}

/** Close codes after which another try of the same would be refused again. */
const FATAL_CLOSE_CODES = new Set([1002, 1007, 1009, 1011, 4004, 4005, 4400, 4401, 4406, 4409, 4500]);
const CREDENTIALS_REFUSED = 4403;
const TOO_MANY = 4429;

/** What the end of a socket means: its close event, or the error that kept it from opening. */
export function fromSocketEnd(end: unknown): McplaneError {
  const { code, reason } = (typeof end === 'object' && end !== null ? end : {}) as {
    code?: unknown;
    reason?: unknown;
  };
  const why = typeof reason === 'string' && reason !== '' ? `: ${reason}` : '';
  if (code === CREDENTIALS_REFUSED)
    return new McplaneError(`The server refused the credential${why}`, {
      code: 'UNAUTHENTICATED',
      cause: end,
    });
  if (code === TOO_MANY)
    return new McplaneError(`Too many messages or sockets${why}`, {
      code: 'RATE_LIMITED',
      retryable: true,
      cause: end,
    });
  const fatal = typeof code === 'number' && FATAL_CLOSE_CODES.has(code);
  return new McplaneError(`The connection ended${typeof code === 'number' ? ` (${code})` : ''}${why}`, {
    code: fatal ? 'BAD_RESPONSE' : 'NETWORK',
    retryable: !fatal,
    cause: end,
  });
}
