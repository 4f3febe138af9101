// Every limit that an operator may move. Defaults come from measurements of where a 2-core server stays responsive.

import { CALLER_LIMIT_SETTINGS } from './caller-limit-settings.ts';
import { CONNECTION_SETTINGS } from './connection-settings.ts';
import { limit } from './limit.ts';
import { WORKFLOW_SETTINGS } from './workflow-settings.ts';

const MEGABYTE = 1_000_000;
const HOUR_MS = 3_600_000;

export const LIMIT_SETTINGS = {
  MCPLANE_MAX_BODY_BYTES: limit('maxBodyBytes', [1_000, 100 * MEGABYTE], MEGABYTE, 'Bytes of an HTTP body.'),
  MCPLANE_MAX_JSON_DEPTH: limit(
    'maxJsonDepth',
    [1, 1_000],
    64,
    'Nesting of lists and objects in `variables` and `extensions`.',
  ),
  MCPLANE_MAX_ERROR_BYTES: limit(
    'maxErrorBytes',
    [1_000, MEGABYTE],
    16_000,
    'Bytes of the errors in an answer; what does not fit is left out.',
  ),
  MCPLANE_MAX_ANONYMOUS_BODY_BYTES: limit(
    'maxAnonymousBodyBytes',
    [1_000, 100 * MEGABYTE],
    16_384,
    'Bytes of an HTTP body that comes without a valid token or API key.',
  ),
  MCPLANE_MAX_JSON_VALUES: limit(
    'maxJsonValues',
    [1_000, 10 * MEGABYTE],
    20_000,
    'Values in the JSON of an HTTP body or WebSocket message.',
  ),
  MCPLANE_MAX_UNREAD_BYTES: limit(
    'maxUnreadBytes',
    [MEGABYTE, 1_000 * MEGABYTE],
    32 * MEGABYTE,
    'Bytes of answers over 64 kB that a caller has not read yet; further ones are refused.',
  ),
  MCPLANE_MAX_PROMPT_BYTES: limit(
    'maxPromptBytes',
    [1, 100 * MEGABYTE],
    512_000,
    'Bytes of prompt, messages and system text together.',
  ),
  MCPLANE_MAX_METADATA_BYTES: limit(
    'maxMetadataBytes',
    [0, MEGABYTE],
    16_384,
    "Bytes of a request's metadata as JSON.",
  ),
  MCPLANE_MAX_SCHEMA_BYTES: limit(
    'maxSchemaBytes',
    [0, MEGABYTE],
    16_384,
    "Bytes of a request's output schema as JSON; 0: nobody may ask for an answer in JSON of a schema.",
  ),
  MCPLANE_MAX_SCHEMA_CHECK_MS: limit(
    'maxSchemaCheckMs',
    [1, 60_000],
    250,
    'For comparing one answer with its schema, during which an instance does nothing else; an answer that takes longer is refused.',
  ),
  MCPLANE_LOG_MAX_CHARACTERS: limit(
    'logMaxCharacters',
    [1, MEGABYTE],
    10_000,
    'Characters of each message and of the answer that are logged with `MCPLANE_LOG_CONTENT=full`.',
  ),
  MCPLANE_MAX_DEADLINE_MS: limit(
    'maxDeadlineMs',
    [1_000, 24 * HOUR_MS],
    HOUR_MS,
    'Longest deadline that a caller may ask for.',
  ),
  MCPLANE_MAX_ANSWER_BYTES: limit(
    'maxAnswerBytes',
    [1_000, 100 * MEGABYTE],
    8 * MEGABYTE,
    'Bytes of one answer; a provider that sends more is cut off.',
  ),
  MCPLANE_MAX_ATTEMPTS: limit(
    'maxAttempts',
    [1, 100],
    6,
    'Calls of providers for one request, over all candidates.',
  ),
  MCPLANE_MAX_RETRY_AFTER_MS: limit(
    'maxRetryAfterMs',
    [0, HOUR_MS],
    30_000,
    "Longest that a provider's Retry-After is waited for when there is nobody else to ask.",
  ),
  MCPLANE_RETRY_BUDGET_PERCENT: limit(
    'retryBudgetPercent',
    [0, 1_000],
    20,
    'Retries per hundred requests of the last 10 s; the first failover to another deployment is always free.',
  ),
  MCPLANE_RETRY_BUDGET_MIN_PER_SECOND: limit(
    'retryBudgetMinPerSecond',
    [0, MEGABYTE],
    3,
    'Retries per second that are made besides, whatever the traffic.',
  ),
  MCPLANE_QUERY_MAX_TOKENS: limit('queryMaxTokens', [10, 100_000], 1_000, 'Lexical tokens of a document.'),
  MCPLANE_QUERY_MAX_DEPTH: limit(
    'queryMaxDepth',
    [2, 100],
    10,
    'Nesting of a document, fragments counted; a connection costs 3.',
  ),
  MCPLANE_QUERY_MAX_ALIASES: limit('queryMaxAliases', [0, 10_000], 30, 'Aliases in a document.'),
  MCPLANE_QUERY_MAX_ROOT_FIELDS: limit('queryMaxRootFields', [1, 1_000], 20, 'Root fields of an operation.'),
  MCPLANE_QUERY_MAX_DIRECTIVES: limit('queryMaxDirectives', [0, 1_000], 20, 'Directives in a document.'),
  MCPLANE_QUERY_MAX_COST: limit(
    'queryMaxCost',
    [10, 10 * MEGABYTE],
    5_000,
    'Cost of an operation: fields, multiplied by `first` or `last`. An introspection of the schema costs 2,000.',
  ),
  MCPLANE_QUERY_MAX_TEXT_BYTES: limit(
    'queryMaxTextBytes',
    [1_000, 100 * MEGABYTE],
    4 * MEGABYTE,
    'Bytes of prompts, messages and answers that an operation may read; one row always.',
  ),
  MCPLANE_QUERY_MAX_VALUE_DEPTH: limit('queryMaxValueDepth', [1, 1_000], 20, 'Nesting of argument values.'),
  MCPLANE_QUERY_MAX_OPERATIONS: limit('queryMaxOperations', [1, 100], 5, 'Operations in a document.'),
  MCPLANE_QUERY_MAX_REPEATS: limit(
    'queryMaxRepeats',
    [1, 10_000],
    50,
    'How often one field may be written in one selection set, fragments counted.',
  ),
  MCPLANE_QUERY_MAX_CHARACTERS: limit(
    'queryMaxCharacters',
    [1_000, 100 * MEGABYTE],
    20_000,
    'Characters of a document besides the texts in it.',
  ),
  MCPLANE_QUERY_MAX_ERRORS: limit('queryMaxErrors', [1, 100], 5, 'Errors in an answer.'),
  MCPLANE_BATCH_MAX: limit('batchMax', [1, 100], 5, 'Operations in a batched HTTP request.'),
  MCPLANE_RATE_LIMIT_PER_SECOND: limit(
    'rateLimitPerSecond',
    [1, MEGABYTE],
    100,
    'Operations per second and caller (address, when anonymous), sustained. One counts once more for each 64 kB that it sends or gets, for each 250 of its cost, and for each 250 characters of a document that is new and over 500.',
  ),
  MCPLANE_RATE_LIMIT_BURST: limit('rateLimitBurst', [1, MEGABYTE], 300, 'Operations at once per caller.'),
  ...CALLER_LIMIT_SETTINGS,
  ...CONNECTION_SETTINGS,
  MCPLANE_MAX_RUNNING_REQUESTS: limit(
    'maxRunningRequests',
    [1, 100_000],
    256,
    'Model requests that run at once on an instance; further ones wait.',
  ),
  MCPLANE_MAX_QUEUED_REQUESTS: limit(
    'maxQueuedRequests',
    [0, MEGABYTE],
    10_000,
    'Model requests that wait, over all instances; further ones are OVERLOADED.',
  ),
  MCPLANE_MAX_DEATHS: limit(
    'maxDeaths',
    [1, 100],
    3,
    'Instances that may die with one model request in hand; then it fails.',
  ),
  MCPLANE_MAX_STORED_PROVIDERS: limit(
    'maxStoredProviders',
    [0, 1_000],
    100,
    'Providers made through the API.',
  ),
  ...WORKFLOW_SETTINGS,
  MCPLANE_SHUTDOWN_GRACE_MS: limit(
    'shutdownGraceMs',
    [0, HOUR_MS],
    8_000,
    'For running requests to finish when the server stops.',
  ),
} as const;

/** The limits by their short names, as `config.limits` has them. */
export type Limits = {
  readonly [Row in (typeof LIMIT_SETTINGS)[keyof typeof LIMIT_SETTINGS] as Row['limit']]: number;
};
