// The one closed set of error codes and the error that carries them. GraphQL, metrics, the README and the
// database all read this table; a code that is not here does not exist.

interface CodeRow {
  /** What happened, in words for the person who has to act on it. */
  readonly meaning: string;
  /** May the same call succeed later without being changed? What is usual; an outcome may know better. */
  readonly retryable: boolean;
  /** Status of an HTTP answer whose whole operation was refused with this code. */
  readonly httpStatus: number;
  /** Where it appears: on a refused operation, as the outcome of an accepted request, or both. */
  readonly scope: 'operation' | 'outcome' | 'both';
}

export const ERROR_CODES = {
  UNAUTHENTICATED: {
    meaning: 'No valid credential came with the operation. Log in, or send a valid token or API key.',
    retryable: false,
    httpStatus: 401,
    scope: 'operation',
  },
  FORBIDDEN: {
    meaning: 'The caller is known, but its role or the scopes of its API key do not allow this.',
    retryable: false,
    httpStatus: 403,
    scope: 'operation',
  },
  PASSWORD_CHANGE_REQUIRED: {
    meaning:
      'An administrator has set the password. Until it is changed by `changePassword`, only that, `logout` and `viewer` are allowed.',
    retryable: false,
    httpStatus: 403,
    scope: 'operation',
  },
  BAD_USER_INPUT: {
    meaning: 'An argument is wrong. The message names it and says what is accepted.',
    retryable: false,
    httpStatus: 400,
    scope: 'operation',
  },
  NOT_FOUND: {
    meaning: 'Nothing with that id exists, or it belongs to somebody else.',
    retryable: false,
    httpStatus: 404,
    scope: 'operation',
  },
  CONFLICT: {
    meaning: 'The change contradicts the present state, for example a name that is taken.',
    retryable: false,
    httpStatus: 409,
    scope: 'operation',
  },
  IDEMPOTENCY_CONFLICT: {
    meaning: 'The idempotency key was used before with another input. Use a new key.',
    retryable: false,
    httpStatus: 409,
    scope: 'operation',
  },
  RATE_LIMITED: {
    meaning: 'Too many calls. Wait retryAfterMs.',
    retryable: true,
    httpStatus: 429,
    scope: 'operation',
  },
  BUDGET_EXCEEDED: {
    meaning: 'The money budget of the caller does not cover this request.',
    retryable: false,
    httpStatus: 402,
    scope: 'both',
  },
  NO_ROUTE: {
    meaning: 'No deployment can serve the request now. The routing decision lists why each one was rejected.',
    retryable: true,
    httpStatus: 503,
    scope: 'both',
  },
  QUERY_TOO_COMPLEX: {
    meaning: 'The document is over one of the query limits. extensions.limit names it.',
    retryable: false,
    httpStatus: 400,
    scope: 'operation',
  },
  OVERLOADED: {
    meaning: 'The server has no room for more work, or cannot use its database. Wait retryAfterMs.',
    retryable: true,
    httpStatus: 503,
    scope: 'operation',
  },
  SHUTTING_DOWN: {
    meaning: 'This instance is stopping. Try again; another instance, or the restarted one, answers.',
    retryable: true,
    httpStatus: 503,
    scope: 'operation',
  },
  INTERNAL: {
    meaning: 'A fault of the server. The log has the details under the request id.',
    retryable: true,
    httpStatus: 500,
    scope: 'both',
  },
  PROVIDER_FAILED: {
    meaning: 'Every provider that was tried refused or failed.',
    retryable: true,
    httpStatus: 502,
    scope: 'outcome',
  },
  STREAM_TRUNCATED: {
    meaning: "The answer ended without the provider's end marker. What came is kept, and is not complete.",
    retryable: true,
    httpStatus: 502,
    scope: 'outcome',
  },
  STREAM_STALLED: {
    meaning: 'The answer stopped in the middle for longer than the idle deadline, or came too slowly.',
    retryable: true,
    httpStatus: 504,
    scope: 'outcome',
  },
  TIMEOUT: {
    meaning: 'The connect, first-token or total deadline passed.',
    retryable: true,
    httpStatus: 504,
    scope: 'outcome',
  },
  CONTENT_REFUSED: {
    meaning: 'The model or its provider refused the content.',
    retryable: false,
    httpStatus: 422,
    scope: 'outcome',
  },
  CONTEXT_TOO_LONG: {
    meaning: "The prompt does not fit the model's context window.",
    retryable: false,
    httpStatus: 422,
    scope: 'outcome',
  },
  BAD_RESPONSE: {
    meaning:
      'The provider answered something that is not an answer: another format, an empty body, too large, or no JSON of the schema that was asked for.',
    retryable: true,
    httpStatus: 502,
    scope: 'outcome',
  },
  CANCELLED: {
    meaning: 'The request was cancelled by its owner or an administrator.',
    retryable: false,
    httpStatus: 499,
    scope: 'outcome',
  },
} as const satisfies Record<string, CodeRow>;

export type ErrorCode = keyof typeof ERROR_CODES;

interface DomainErrorOptions {
  cause?: unknown;
  /** Milliseconds after which a retry makes sense. */
  retryAfterMs?: number | undefined;
  /** Further facts for `extensions`; never secrets, never what the caller sent. */
  details?: Record<string, unknown>;
}

/** A refusal or failure that the caller may see as it is. Anything else that is thrown becomes INTERNAL. */
export class DomainError extends Error {
  override readonly name = 'DomainError';
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;
  readonly details: Record<string, unknown>;

  constructor(code: ErrorCode, message: string, options: DomainErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
    this.details = options.details ?? {};
  }

  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }
}

/** Shorthand for the commonest refusal: `badInput('priority', 'must be 0 to 100')`. */
export function badInput(argument: string, problem: string): DomainError {
  return new DomainError('BAD_USER_INPUT', `${argument} ${problem}`, { details: { argument } });
}
