/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** What an API key is for. It never allows more than its owner's role does; whatever it does not cover is FORBIDDEN. */
export type ApiKeyScope =
  /** Everything that the owner's role allows: of ADMIN also others' requests, users, breakers, the audit log. */
  | 'ADMIN'
  /** One's own account: its API keys and logins. */
  | 'MANAGE'
  /** Figures: `/metrics`, and of ADMIN also `metrics` and `metricsUpdates`. */
  | 'METRICS'
  /** Reading one's own requests, their answers and streams, and the state of the providers. */
  | 'READ'
  /** Submitting requests, cancelling one's own, and asking what they would cost and where they would run. */
  | 'SUBMIT';

/** How a call of a deployment ended. */
export type AttemptOutcome =
  /** The request was cancelled during the call, or its instance stopped. */
  | 'CANCELLED'
  /** Without a complete answer. */
  | 'FAILED'
  /** Its instance died during the call. What it brought and cost is unknown, and in no sum; of a budget it takes what was reserved for it. */
  | 'LOST'
  /** With a complete answer. */
  | 'SUCCEEDED';

/** Every condition given must hold. */
export type AuditFilter = {
  /** Exactly this act, for example `breaker.reset`. */
  action?: string | null | undefined;
  /** Id of the user who did it. */
  actor?: string | null | undefined;
  /** When it was done. */
  at?: TimeRangeInput | null | undefined;
  /** Id of what it was done to: of a user, a key, a request, a provider, a deployment, … */
  subject?: string | null | undefined;
};

/** State of a circuit breaker, in the sense of electricians. */
export type BreakerState =
  /** Calls pass. */
  | 'CLOSED'
  /** Single calls pass as probes; they decide between CLOSED and OPEN. */
  | 'HALF_OPEN'
  /** No call passes, until `retryAt`. */
  | 'OPEN';

/** When a budget begins anew, in UTC. */
export type BudgetPeriod =
  /** Each day at midnight. */
  | 'DAY'
  /** On the first day of each month at midnight. */
  | 'MONTH'
  /** Never: it is for all that is spent from when it was set. */
  | 'TOTAL'
  /** Each Monday at midnight. */
  | 'WEEK';

/** What to cancel. */
export type CancelRequestInput = {
  /** The id of the request. */
  requestId: string;
};

/** The old and the new password. */
export type ChangePasswordInput = {
  /** The password as it is. */
  currentPassword: string;
  /** The password to be: 8 to 256 characters unless the server is set otherwise, and not the current one. */
  newPassword: string;
};

/** An API key to be. */
export type CreateApiKeyInput = {
  /** When it ends; left out: never by itself. */
  expiresAt?: string | null | undefined;
  /** What to call it. */
  name: string;
  /** What it is for, at least one; left out: everything that its owner's role allows. Made with an API key: no scope that this one lacks, and left out the same. */
  scopes?: Array<ApiKeyScope> | null | undefined;
  /** For whom; left out: for oneself. Others only by ADMIN. */
  userId?: string | null | undefined;
};

/** A provider to be. */
export type CreateProviderInput = {
  /** Whether its address may lead to own hardware or an own network. The server must admit that by MCPLANE_ALLOW_PRIVATE_PROVIDERS. */
  allowPrivate?: boolean | null | undefined;
  /** What it speaks, of kind `openai` only: `chat` or `responses`. Left out: `responses` at OpenAI itself, else `chat`. */
  api?: string | null | undefined;
  /** Its key, 1 to 1,000 visible ASCII characters. Stored encrypted, sent to this provider alone, and never shown again. */
  apiKey?: string | null | undefined;
  /** Where it is: an address without credentials, query and fragment; HTTPS in production. One that leads to own hardware or an own network needs `allowPrivate`; one that leads to credentials of a machine is refused always. It is looked up now, and judged again at every connection. Left out: the official endpoint of the kind. */
  baseUrl?: string | null | undefined;
  /** Of all its models, unless they have their own. */
  deadlines?: DeadlinesInput | null | undefined;
  /** What it is called, for ever: 1 to 50 letters, digits, dots, dashes and underscores. Its deployments are called `id/model`. */
  id: string;
  /** What it speaks: `openai`, `anthropic`, `ollama` or `lmstudio`. */
  kind: string;
  /** Whether it runs on own hardware; left out: true for `ollama` and `lmstudio`. */
  local?: boolean | null | undefined;
  /** Models that are offered even where its own list lacks them, or with other figures: at most 500. */
  models?: Array<ProviderModelInput> | null | undefined;
  /** Whether only `models` are offered, whatever its list has. */
  onlyModels?: boolean | null | undefined;
};

/** A user to be. */
export type CreateUserInput = {
  /** Whether the user has to change the password before anything else. */
  mustChangePassword?: boolean | null | undefined;
  /** 8 to 256 characters unless the server is set otherwise. Required for ADMIN and USER; a SERVICE has none. */
  password?: string | null | undefined;
  /** What the user may do. */
  role: Role;
  /** Unique; letter case and outer spaces do not count. */
  username: string;
};

/** A workflow to be kept. */
export type CreateWorkflowInput = {
  /** What it is for; at most 2,000 characters. */
  description?: string | null | undefined;
  /** 1 to 100 letters, digits, spaces, dots, - and _. A name of yours gets its next version. */
  name: string;
  /** Everybody may read this version, and run it. For ADMIN, with a key of the scope ADMIN; else FORBIDDEN. */
  shared?: boolean | null | undefined;
  /** Its steps, at least one. */
  workflow: WorkflowInput;
};

/** How long to wait at most; what is left out is decided by the deployment. Milliseconds from 1 up to a limit of the server. */
export type DeadlinesInput = {
  /** Until the connection to the provider stands. */
  connectMs?: number | null | undefined;
  /** From the start of an attempt to the first piece of the answer. */
  firstTokenMs?: number | null | undefined;
  /** Between two pieces of the answer. */
  idleMs?: number | null | undefined;
  /** Slowest bearable speed over 10 s once the answer flows; 0 for any. */
  minTokensPerSecond?: number | null | undefined;
  /** For the whole request, over all attempts. */
  totalMs?: number | null | undefined;
};

/** A decision on a step that waits for one. */
export type DecideStepInput = {
  /** Yes or no. A no ends the workflow as CANCELLED. */
  approved: boolean;
  /** Kept with the step; it is also the result of a step that was approved. At most 2,000 characters. */
  comment?: string | null | undefined;
  /** The id of the request whose workflow it is. */
  requestId: string;
  /** The id of the step, for example `approve-plan`. */
  step: string;
};

/** Which provider to delete. */
export type DeleteProviderInput = {
  /** The provider. */
  providerId: string;
};

/** Which definition to delete. */
export type DeleteWorkflowInput = {
  /** Its name; all versions go. */
  name: string;
};

/** What to drain: by `deploymentId` or by `providerId`, exactly one of them. */
export type DrainDeploymentInput = {
  /** The deployment, for example `openai/gpt-6-sol`. */
  deploymentId?: string | null | undefined;
  /** The provider; all deployments that it has at the moment are drained. */
  providerId?: string | null | undefined;
  /** Why, for the audit log: 1 to 500 characters. */
  reason: string;
};

/** What to take back into service: by `deploymentId` or by `providerId`, exactly one of them. */
export type EnableDeploymentInput = {
  /** The deployment, for example `openai/gpt-6-sol`. */
  deploymentId?: string | null | undefined;
  /** The provider; all deployments that it has at the moment are enabled. */
  providerId?: string | null | undefined;
  /** Why, for the audit log: 1 to 500 characters. */
  reason: string;
};

/** The closed set of codes: `extensions.code` of an error where nothing was done, or the reason why an accepted request did not succeed. */
export type ErrorCode =
  /** The provider answered something that is not an answer: another format, an empty body, too large, or no JSON of the schema that was asked for. */
  | 'BAD_RESPONSE'
  /** An argument is wrong. The message names it and says what is accepted. */
  | 'BAD_USER_INPUT'
  /** The money budget of the caller does not cover this request. */
  | 'BUDGET_EXCEEDED'
  /** The request was cancelled by its owner or an administrator. */
  | 'CANCELLED'
  /** The change contradicts the present state, for example a name that is taken. */
  | 'CONFLICT'
  /** The model or its provider refused the content. */
  | 'CONTENT_REFUSED'
  /** The prompt does not fit the model's context window. */
  | 'CONTEXT_TOO_LONG'
  /** The caller is known, but its role or the scopes of its API key do not allow this. */
  | 'FORBIDDEN'
  /** The idempotency key was used before with another input. Use a new key. */
  | 'IDEMPOTENCY_CONFLICT'
  /** A fault of the server. The log has the details under the request id. */
  | 'INTERNAL'
  /** Nothing with that id exists, or it belongs to somebody else. */
  | 'NOT_FOUND'
  /** No deployment can serve the request now. The routing decision lists why each one was rejected. */
  | 'NO_ROUTE'
  /** The server has no room for more work, or cannot use its database. Wait retryAfterMs. */
  | 'OVERLOADED'
  /** An administrator has set the password. Until it is changed by `changePassword`, only that, `logout` and `viewer` are allowed. */
  | 'PASSWORD_CHANGE_REQUIRED'
  /** Every provider that was tried refused or failed. */
  | 'PROVIDER_FAILED'
  /** The document is over one of the query limits. extensions.limit names it. */
  | 'QUERY_TOO_COMPLEX'
  /** Too many calls. Wait retryAfterMs. */
  | 'RATE_LIMITED'
  /** This instance is stopping. Try again; another instance, or the restarted one, answers. */
  | 'SHUTTING_DOWN'
  /** The answer stopped in the middle for longer than the idle deadline, or came too slowly. */
  | 'STREAM_STALLED'
  /** The answer ended without the provider's end marker. What came is kept, and is not complete. */
  | 'STREAM_TRUNCATED'
  /** The connect, first-token or total deadline passed. */
  | 'TIMEOUT'
  /** No valid credential came with the operation. Log in, or send a valid token or API key. */
  | 'UNAUTHENTICATED';

/** What a failure does to the whole. */
export type FailurePolicy =
  /** The whole goes on without the result. */
  | 'CONTINUE'
  /** The whole fails: what runs is finished and kept, nothing new is begun. */
  | 'FAIL';

/** Who one is. */
export type LoginInput = {
  /** As it is; every character counts. */
  password: string;
  /** Letter case does not count. */
  username: string;
};

/** One message of a conversation. */
export type MessageInput = {
  /** What is said. */
  content: string;
  /** Who says it. */
  role: MessageRole;
};

/** Who says a message of a conversation. */
export type MessageRole =
  /** The model, in an earlier turn. */
  | 'ASSISTANT'
  /** Instructions that stand above the conversation. */
  | 'SYSTEM'
  /** The one who asks. */
  | 'USER';

/** By what figures are grouped. */
export type MetricsDimension =
  /** By day of submission, in UTC. */
  | 'DAY'
  /** By hour of submission, in UTC. */
  | 'HOUR'
  /** By the model that served last. */
  | 'MODEL'
  /** By the provider that served last. */
  | 'PROVIDER'
  /** By status. */
  | 'STATUS'
  /** By task type. */
  | 'TASK_TYPE'
  /** By the user who submitted. */
  | 'USER';

/** Which breakers to open: by `deploymentId` or by `providerId`, exactly one of them. */
export type OpenBreakerInput = {
  /** The deployment, for example `openai/gpt-6-sol`. */
  deploymentId?: string | null | undefined;
  /** The provider; all of its breakers are opened. */
  providerId?: string | null | undefined;
  /** Why, for the audit log: 1 to 500 characters. */
  reason: string;
};

/** Which workflow to pause. */
export type PauseWorkflowInput = {
  /** The id of its request. */
  requestId: string;
};

/** What a model costs, in USD per million tokens. */
export type PriceInput = {
  /** Tokens written to the provider's cache; left out: as `input`. */
  cacheWrite?: number | null | undefined;
  /** Tokens read from the provider's cache; left out: as `input`. */
  cachedInput?: number | null | undefined;
  /** Tokens of the prompt. */
  input: number;
  /** Tokens of the answer. */
  output: number;
};

/** One model of a provider. What is left out comes from its list, then from our data. */
export type ProviderModelInput = {
  /** Further names under which requests may ask for it. */
  aliases?: Array<string> | null | undefined;
  /** Tokens of prompt and answer together. */
  contextWindow?: number | null | undefined;
  /** Otherwise than its provider's. */
  deadlines?: DeadlinesInput | null | undefined;
  /** Calls that it may have under way at once. */
  maxConcurrency?: number | null | undefined;
  /** The longest answer in tokens. */
  maxOutputTokens?: number | null | undefined;
  /** Its name at the provider. */
  model: string;
  /** What it costs. */
  price?: PriceInput | null | undefined;
  /** 0 (weakest) to 1 (most capable). */
  quality?: number | null | undefined;
  /** Marks of your own; a request asks for all that bear one by `tag:`. */
  tags?: Array<string> | null | undefined;
  /** How often it is drawn among its equals: 0 to 1,000; 0: only when it is named. */
  weight?: number | null | undefined;
};

/** Who says that there is a provider. */
export type ProviderSource =
  /** The server: the simulated one, and local servers that it looks for at their usual place. */
  | 'BUILT_IN'
  /** Environment variables. They win over the file. */
  | 'ENVIRONMENT'
  /** The configuration file. */
  | 'FILE'
  /** An administrator, by `createProvider`: the only ones that the API can change. */
  | 'STORED';

/** Whether a provider can be used. Learnt from its free calls and from traffic. */
export type ProviderStatus =
  /** It answers. */
  | 'AVAILABLE'
  /** It answers, but not for everything or not always. */
  | 'DEGRADED'
  /** It refuses our credential or address; an operator has to act. */
  | 'MISCONFIGURED'
  /** It does not answer. */
  | 'UNAVAILABLE'
  /** It has not been asked yet. */
  | 'UNKNOWN';

/** What a limit on submissions counts. */
export type RateLimitKind =
  /** Requests that run or wait at once. */
  | 'CONCURRENT_REQUESTS'
  /** Requests accepted within any minute. */
  | 'REQUESTS_PER_MINUTE'
  /** Tokens of prompts and answers within any minute: taken at the submission as they may be needed, and settled at the end. */
  | 'TOKENS_PER_MINUTE';

/** Why a deployment cannot serve a request. */
export type RejectionReason =
  /** Its circuit breaker is open: after failures, or by hand. */
  | 'BREAKER_OPEN'
  /** It was a candidate, and was not asked when its turn came: what is left of a budget did not cover the call. */
  | 'BUDGET'
  /** It had as many calls under way as its configuration allows. In older decisions only: now it is held back as FULL. */
  | 'CAPACITY'
  /** The prompt does not fit its context window. */
  | 'CONTEXT_TOO_LONG'
  /** Its provider asked for a pause (rate limit). */
  | 'COOLDOWN'
  /** An administrator lets no new request through, also when it is named. */
  | 'DRAINED'
  /** The request names another model. */
  | 'NOT_REQUESTED'
  /** It cannot do what is asked for: answer in JSON of a schema. */
  | 'NOT_SUPPORTED'
  /** More output is asked for than it can give. */
  | 'OUTPUT_TOO_LONG'
  /** The configuration keeps it out unless it is named. */
  | 'POLICY'
  /** Its provider cannot be used at the moment. */
  | 'PROVIDER_UNAVAILABLE'
  /** It makes answers up, and real deployments exist. */
  | 'SIMULATED'
  /** Its price is unknown, and a budget applies to the request. */
  | 'UNPRICED';

/** Which budget to remove. */
export type RemoveBudgetInput = {
  /** The id of the budget. */
  budgetId: string;
};

/** Every condition given must hold; of a list, any of its members. An empty list is no condition. Lists have at most 50 members. */
export type RequestFilter = {
  /** When they were submitted. */
  createdAt?: TimeRangeInput | null | undefined;
  /** Whether the steps of workflows are listed beside all others. */
  includeSteps?: boolean | null | undefined;
  /** Names of models asked for or served, or ids of deployments. */
  model?: Array<string> | null | undefined;
  /** Ids of providers that served them. */
  provider?: Array<string> | null | undefined;
  /** Where they are. */
  status?: Array<RequestStatus> | null | undefined;
  /** What they are for. */
  taskType?: Array<TaskType> | null | undefined;
  /** Text contained in the prompt or the answer, letter case ignored. 1 to 200 characters. Looked for in the first 4,000 characters of each, of the 1,000 newest requests that meet the other conditions. */
  text?: string | null | undefined;
  /** Id of the user who submitted them. For ADMIN; everybody else sees their own anyway. */
  user?: string | null | undefined;
  /** Id of a request: the steps of its workflow, which are left out otherwise. */
  workflow?: string | null | undefined;
};

/** Where a request is. SUCCEEDED, FAILED and CANCELLED are final and never change. */
export type RequestStatus =
  /** Ended by its owner or an administrator. */
  | 'CANCELLED'
  /** No complete answer. `error` says why; what came is kept. */
  | 'FAILED'
  /** Accepted and durable; waits for a free slot. */
  | 'QUEUED'
  /** A provider works on it, or is about to. */
  | 'RUNNING'
  /** The answer is complete: the provider's end marker was seen. */
  | 'SUCCEEDED';

/** Which workflow to run again, and from where. */
export type RerunWorkflowInput = {
  /** This step and all that depend on it are made anew. Left out: those that did not succeed. */
  fromStep?: string | null | undefined;
  /** As in `SubmitRequestInput`. */
  idempotencyKey?: string | null | undefined;
  /** The id of a request that has ended. */
  requestId: string;
};

/** Which breakers to close: by `deploymentId` or by `providerId`, exactly one of them. */
export type ResetBreakerInput = {
  /** The deployment, for example `openai/gpt-6-sol`. */
  deploymentId?: string | null | undefined;
  /** The provider; all of its breakers are closed. */
  providerId?: string | null | undefined;
  /** Why, for the audit log: 1 to 500 characters. */
  reason: string;
};

/** Which workflow to let go on. */
export type ResumeWorkflowInput = {
  /** The id of its request. */
  requestId: string;
};

/** Which key to end. */
export type RevokeApiKeyInput = {
  /** The id of the key. */
  apiKeyId: string;
};

/** Which login to end. */
export type RevokeSessionInput = {
  /** The id of the session. */
  sessionId: string;
};

/** What a user is. Decides which fields may be used at all; ownership decides about rows. */
export type Role =
  /** Operates the control plane: sees and does everything. */
  | 'ADMIN'
  /** A program: like USER, but without a password, with API keys only. */
  | 'SERVICE'
  /** A person: submits requests and sees their own. */
  | 'USER';

/** Which key to replace, and how long both are good. */
export type RotateApiKeyInput = {
  /** The id of the key. */
  apiKeyId: string;
  /** How long the old key is still accepted, in seconds: 0 to 2,592,000 (30 days). */
  graceSeconds?: number | null | undefined;
};

/** What routing weighs most when several deployments can serve a request. */
export type RoutingStrategy =
  /** Time, price and quality together. */
  | 'BALANCED'
  /** The cheapest that is not much worse. */
  | 'COST'
  /** The fastest. */
  | 'PERFORMANCE'
  /** What has been succeeding lately. */
  | 'RELIABILITY';

/** Which definition to run, and with what. */
export type RunWorkflowInput = {
  /** The id of one version. Excludes `name`. */
  definitionId?: string | null | undefined;
  /** The name of a definition of yours or, where you have none of that name, of a shared one. Excludes `definitionId`. */
  name?: string | null | undefined;
  /** An object of values in place of its defaults. */
  parameters?: unknown;
  /** The input, as `prompt`, and all other wishes; without `workflow`. */
  request?: SubmitRequestInput | null | undefined;
  /** Which version of the name. Left out: the latest. */
  version?: number | null | undefined;
};

/** Whose budget, for which period, and how much. Send exactly one of `userId` and `apiKeyId`. */
export type SetBudgetInput = {
  /** For what comes with this key, or with one that replaces it. */
  apiKeyId?: string | null | undefined;
  /** USD that may be spent in a period, 0 to 1000000000. 0: only what costs nothing. */
  limit: string;
  /** When it begins anew. There is one budget for each owner and period. */
  period: BudgetPeriod;
  /** For all that this user does, with whatever credential. */
  userId?: string | null | undefined;
};

/** The limits of a user or an API key, by `userId` or by `apiKeyId`, exactly one of them. All are replaced: what is left out or null follows the settings, and 0 is no limit. */
export type SetRateLimitsInput = {
  /** The API key, within what its user may. */
  apiKeyId?: string | null | undefined;
  /** Requests that run or wait at once. */
  concurrentRequests?: number | null | undefined;
  /** Requests accepted in a minute. */
  requestsPerMinute?: number | null | undefined;
  /** Tokens of their prompts and answers in a minute. */
  tokensPerMinute?: number | null | undefined;
  /** The user, whatever credential they come with. */
  userId?: string | null | undefined;
};

/** Which of the steps that a step depends on have to succeed. It waits for the end of all in either case. */
export type StepJoin =
  /** Every one; otherwise it is skipped. */
  | 'ALL'
  /** One is enough. What the others would have given is empty text. */
  | 'ANY';

/** What carries a step of a workflow out. */
export type StepKind =
  /** A person, who says yes or no with `decideStep`. */
  | 'APPROVAL'
  /** A model, by a request that is routed like any other. */
  | 'MODEL'
  /** Nothing but its template: results are put together or picked from, and no model is called. */
  | 'TRANSFORM';

/** Where a step is. SUCCEEDED, FAILED, SKIPPED and CANCELLED are final and never change. */
export type StepStatus =
  /** Not run, or not to its end: the workflow failed or was cancelled. */
  | 'CANCELLED'
  /** It has no result. `error` says why. */
  | 'FAILED'
  /** Waits for other steps, for room, or for its retry. */
  | 'PENDING'
  /** Its request, or one of the requests for its list, is under way. */
  | 'RUNNING'
  /** Not run: its condition does not hold, or what it depends on did not succeed. */
  | 'SKIPPED'
  /** Its result is there, and is not made again. */
  | 'SUCCEEDED'
  /** Waits for a person to decide. */
  | 'WAITING';

/** A request to be. Send `prompt` or `messages`; everything else has a default. */
export type SubmitRequestInput = {
  /** Show nothing before the whole answer is there: what broke off and was begun again is then never seen. */
  buffered?: boolean | null | undefined;
  /** How long to wait at most. */
  deadlines?: DeadlinesInput | null | undefined;
  /** Makes it safe to send this again: the same key with the same input gives the request it made before, with another input IDEMPOTENCY_CONFLICT. 1 to 200 characters. */
  idempotencyKey?: string | null | undefined;
  /** The longest answer in tokens. Left out: what the model allows, or a setting of the server when a budget applies. */
  maxOutputTokens?: number | null | undefined;
  /** A conversation of 1 to 1,000 messages, one of them by USER. Excludes `prompt`. */
  messages?: Array<MessageInput> | null | undefined;
  /** Anything of yours, kept with the request. */
  metadata?: unknown;
  /** A deployment's id, a model's name, an alias, or `provider/*`. Left out: routing chooses. 1 to 200 characters. */
  model?: string | null | undefined;
  /** A JSON Schema (2020-12, or draft-07 where `$schema` says so) that the answer must be JSON of: an object of a bounded size and at most 32 levels, with references into itself only. An answer that is not, or that ends at its greatest length, counts as failed: the next deployment is asked, and with none left the request fails with BAD_RESPONSE. `format` is told to the model and not checked. Left out: any text will do. */
  outputSchema?: unknown;
  /** Prefer deployments on own hardware while one of them can serve it. */
  preferLocal?: boolean | null | undefined;
  /** 0 to 100; higher goes first when requests wait. */
  priority?: number | null | undefined;
  /** One question, not empty. Excludes `messages`. */
  prompt?: string | null | undefined;
  /** Up to 4 texts of 1 to 100 characters at which the answer ends. */
  stop?: Array<string> | null | undefined;
  /** What routing weighs most. Left out: the server's default. */
  strategy?: RoutingStrategy | null | undefined;
  /** Instructions that stand above the conversation. */
  system?: string | null | undefined;
  /** What it is for. */
  taskType?: TaskType | null | undefined;
  /** 0 to 2. Left out: the model's default. */
  temperature?: number | null | undefined;
  /** The steps to carry out; `prompt` is their input and may be left out. `taskType` is WORKFLOW then; a WORKFLOW without steps is planned by a model. */
  workflow?: WorkflowInput | null | undefined;
};

/** What a request is for. Routing weighs quality by it. */
export type TaskType =
  /** An answer to a person. The default. */
  | 'CHAT'
  /** Writing or changing code: the capable models are preferred. */
  | 'CODE'
  /** Rewriting, extracting, translating a given text. */
  | 'TRANSFORM'
  /** A task of several steps: the capable models are preferred. */
  | 'WORKFLOW';

/** A span of time; either end may be left open. */
export type TimeRangeInput = {
  /** From this moment on. */
  from?: string | null | undefined;
  /** Up to, not including, this moment. */
  to?: string | null | undefined;
};

/** What to change of a provider; what is left out or null stays. */
export type UpdateProviderInput = {
  /** Whether its address may lead to own hardware or an own network. The server must admit that by MCPLANE_ALLOW_PRIVATE_PROVIDERS. */
  allowPrivate?: boolean | null | undefined;
  /** What it speaks, of kind `openai` only: `chat` or `responses`. */
  api?: string | null | undefined;
  /** A new key. Its key, 1 to 1,000 visible ASCII characters. Stored encrypted, sent to this provider alone, and never shown again. */
  apiKey?: string | null | undefined;
  /** Where it is: an address without credentials, query and fragment; HTTPS in production. One that leads to own hardware or an own network needs `allowPrivate`; one that leads to credentials of a machine is refused always. It is looked up now, and judged again at every connection. With another scheme, host or port its key is dropped, unless a new one comes with it. */
  baseUrl?: string | null | undefined;
  /** All of them anew. */
  deadlines?: DeadlinesInput | null | undefined;
  /** True: it has no key any more. */
  dropKey?: boolean | null | undefined;
  /** Whether it runs on own hardware. */
  local?: boolean | null | undefined;
  /** All of them anew. Models that are offered even where its own list lacks them, or with other figures: at most 500. */
  models?: Array<ProviderModelInput> | null | undefined;
  /** Whether only `models` are offered, whatever its list has. */
  onlyModels?: boolean | null | undefined;
  /** The provider. */
  providerId: string;
};

/** What to change of a user; what is left out or null stays. */
export type UpdateUserInput = {
  /** True: refuse all credentials of the user at once. */
  disabled?: boolean | null | undefined;
  /** Whether the user has to change that password before anything else. Means nothing without a password. */
  mustChangePassword?: boolean | null | undefined;
  /** A new password, 8 to 256 characters unless the server is set otherwise. */
  password?: string | null | undefined;
  /** The new role. */
  role?: Role | null | undefined;
  /** The id of the user. */
  userId: string;
};

/** Compares a text with something fixed. Exactly one of the comparisons is given. */
export type WorkflowConditionInput = {
  /** It contains this text, letter case counted. */
  contains?: string | null | undefined;
  /** It is this text. */
  equals?: string | null | undefined;
  /** It is one of these. */
  in?: Array<string> | null | undefined;
  /** Whether it has nothing but white space. */
  isEmpty?: boolean | null | undefined;
  /** It is another text. */
  notEquals?: string | null | undefined;
  /** What is compared: a template, for example `{{steps.classify.output}}`. */
  value: string;
};

/** Runs a step once for each element of a list; the number of elements has a limit. */
export type WorkflowFanOutInput = {
  /** What refers to the list: `steps.ID.json.PATH`, `steps.ID.output` or `parameters.NAME`. */
  items: string;
  /** Put between the results. Left out: the result is a JSON array of them. */
  joinWith?: string | null | undefined;
  /** How many run at the same time; 20 when left out. */
  maxParallel?: number | null | undefined;
  /** What an element that fails does to the step. */
  onItemFailure?: FailurePolicy | null | undefined;
};

/** Steps that depend on each other. They are checked before anything is accepted. */
export type WorkflowInput = {
  /** A plan made by a model waits for `decideStep` on the step `approve-plan`. */
  approvePlan?: boolean | null | undefined;
  /** What the whole may take. */
  limits?: WorkflowLimitsInput | null | undefined;
  /** A template for the result. Left out: the result of the last step; of several that nobody waits for, a JSON object by id. */
  output?: string | null | undefined;
  /** An object: what `{{parameters.NAME}}` stands for. In a definition the defaults of its runs. */
  parameters?: unknown;
  /** Left out or empty: a capable model plans them from the prompt. */
  steps?: Array<WorkflowStepInput> | null | undefined;
};

/** What the whole may take. A step that does not fit any more is not begun and fails. */
export type WorkflowLimitsInput = {
  /** Milliseconds from acceptance, the decisions of people included. Left out: none. */
  deadlineMs?: number | null | undefined;
  /** USD over all steps. */
  maxCost?: string | null | undefined;
  /** Requests at the same time. Left out: what the server allows. */
  maxParallel?: number | null | undefined;
  /** Input and output of all steps; checked before each begins. */
  maxTokens?: number | null | undefined;
};

/** What to do when a step fails with an error that may pass, beside the attempts that its request makes by itself. */
export type WorkflowRetryInput = {
  /** Milliseconds before the first retry, doubled with each; 1,000 when left out, at most an hour. */
  backoffMs?: number | null | undefined;
  /** 0 to 10; 1 when left out. */
  maxRetries?: number | null | undefined;
};

/** A step. Templates may refer to `{{input}}`, `{{parameters.NAME}}`, `{{steps.ID.output}}`, `{{steps.ID.json.PATH}}` and, with `forEach`, `{{item}}` and `{{index}}`; what is referred to is awaited. */
export type WorkflowStepInput = {
  /** It is skipped unless this holds. */
  condition?: WorkflowConditionInput | null | undefined;
  /** For its request, over all attempts. */
  deadlineMs?: number | null | undefined;
  /** Ids of steps that have to end first, beside those that its templates refer to. */
  dependsOn?: Array<string> | null | undefined;
  /** Runs it once for each element of a list. MODEL only. */
  forEach?: WorkflowFanOutInput | null | undefined;
  /** Unique in the workflow: 1 to 64 letters, digits, - and _, beginning with a letter or _. */
  id: string;
  /** Which of the steps that it depends on have to succeed. */
  join?: StepJoin | null | undefined;
  /** What carries it out. */
  kind?: StepKind | null | undefined;
  /** USD. It is not begun when it is estimated to take more. */
  maxCost?: string | null | undefined;
  /** The longest answer in tokens. */
  maxOutputTokens?: number | null | undefined;
  /** As in `SubmitRequestInput.model`. */
  model?: string | null | undefined;
  /** What its failure does to the workflow. */
  onFailure?: FailurePolicy | null | undefined;
  /** JSON Schema that the answer has to meet. */
  outputSchema?: unknown;
  /** Left out: the workflow's own. */
  preferLocal?: boolean | null | undefined;
  /** MODEL: what is asked. APPROVAL: what is to be decided. A template, required for both. */
  prompt?: string | null | undefined;
  /** What to do when it fails. */
  retry?: WorkflowRetryInput | null | undefined;
  /** What routing weighs most. Left out: the workflow's own. */
  strategy?: RoutingStrategy | null | undefined;
  /** Instructions that stand above the prompt. A template. */
  system?: string | null | undefined;
  /** What it is for; not WORKFLOW. */
  taskType?: TaskType | null | undefined;
  /** 0 to 2. */
  temperature?: number | null | undefined;
  /** TRANSFORM: the result. A template, required. */
  template?: string | null | undefined;
  /** For people; 1 to 200 characters. Left out: the id. */
  title?: string | null | undefined;
};

export type AttemptStateFragment = { number: number, deploymentId: string, servedModel: string | null, outcome: AttemptOutcome, startedAt: string, timeToFirstTokenMs: number | null, durationMs: number, cost: string | null, priceSource: string | null, error: { code: ErrorCode, message: string } | null, usage: { inputTokens: number, outputTokens: number, cachedInputTokens: number, estimated: boolean } | null };

export type AuditEventsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  filter?: AuditFilter | null | undefined;
}>;


export type AuditEventsQuery = { auditEvents: { edges: Array<{ cursor: string, node: { id: string, at: string, actorName: string | null, action: string, subject: string | null, reason: string | null } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type BudgetsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type BudgetsQuery = { budgets: { edges: Array<{ cursor: string, node: { id: string, apiKeyId: string | null, period: BudgetPeriod, limit: string, spent: string, reserved: string, remaining: string, resetsAt: string | null, user: { id: string, username: string } | null } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type CancelRequestMutationVariables = Exact<{
  input: CancelRequestInput;
}>;


export type CancelRequestMutation = { cancelRequest: { request: { id: string, status: RequestStatus } } };

export type ChangePasswordMutationVariables = Exact<{
  input: ChangePasswordInput;
}>;


export type ChangePasswordMutation = { changePassword: { token: string, expiresAt: string } };

export type CreateApiKeyMutationVariables = Exact<{
  input: CreateApiKeyInput;
}>;


export type CreateApiKeyMutation = { createApiKey: { secret: string, apiKey: { id: string, name: string, prefix: string, scopes: Array<ApiKeyScope> | null, createdAt: string, expiresAt: string | null } } };

export type CreateProviderMutationVariables = Exact<{
  input: CreateProviderInput;
}>;


export type CreateProviderMutation = { createProvider: { provider: { id: string, kind: string, source: ProviderSource, status: ProviderStatus, statusReason: string | null, checkedAt: string | null, local: boolean, simulated: boolean, deployments: Array<{ id: string, model: string, aliases: Array<string>, contextWindow: number, maxOutputTokens: number, quality: number, local: boolean, simulated: boolean, drained: boolean, drainReason: string | null, price: { input: string, output: string, source: string } | null, breaker: { state: BreakerState, failureRate: number, calls: number, failures: number, since: string, retryAt: string | null, lastError: string | null } }> } } };

export type CreateUserMutationVariables = Exact<{
  input: CreateUserInput;
}>;


export type CreateUserMutation = { createUser: { user: { id: string, username: string, role: Role } } };

export type CreateWorkflowMutationVariables = Exact<{
  input: CreateWorkflowInput;
}>;


export type CreateWorkflowMutation = { createWorkflow: { definition: { id: string, name: string, version: number } } };

export type DashboardQueryVariables = Exact<{
  first?: number | null | undefined;
}>;


export type DashboardQuery = { dashboard: { load: { running: number, queued: number }, lastHour: { total: { key: string | null, requests: number, succeeded: number, failed: number, cancelled: number, inProgress: number, inputTokens: string, outputTokens: string, cachedInputTokens: string, cost: string, unpriced: number, timeToFirstTokenMs: { p50: number, p95: number, p99: number } | null, durationMs: { p50: number, p95: number, p99: number } | null } }, byProvider: Array<{ key: string | null, requests: number, succeeded: number, failed: number, cancelled: number, inProgress: number, inputTokens: string, outputTokens: string, cachedInputTokens: string, cost: string, unpriced: number, timeToFirstTokenMs: { p50: number, p95: number, p99: number } | null, durationMs: { p50: number, p95: number, p99: number } | null }>, errorCodes: Array<{ code: ErrorCode, requests: number }>, providers: Array<{ id: string, status: ProviderStatus, statusReason: string | null }>, recentRequests: Array<{ prompt: string | null, id: string, status: RequestStatus, taskType: TaskType, strategy: RoutingStrategy, priority: number, preferLocal: boolean, requestedModel: string | null, deploymentId: string | null, servedModel: string | null, finishReason: string | null, cost: string | null, createdAt: string, startedAt: string | null, firstTokenAt: string | null, finishedAt: string | null, waitMs: number | null, timeToFirstTokenMs: number | null, durationMs: number | null, overheadMs: number | null, provider: { id: string, kind: string, simulated: boolean } | null, error: { code: ErrorCode, message: string, retryable: boolean, retryAfterMs: number | null } | null, usage: { inputTokens: number, outputTokens: number, cachedInputTokens: number, totalTokens: number, estimated: boolean } | null }> } };

export type DecideStepMutationVariables = Exact<{
  input: DecideStepInput;
}>;


export type DecideStepMutation = { decideStep: { request: { id: string, status: RequestStatus, taskType: TaskType, strategy: RoutingStrategy, priority: number, preferLocal: boolean, requestedModel: string | null, deploymentId: string | null, servedModel: string | null, finishReason: string | null, cost: string | null, createdAt: string, startedAt: string | null, firstTokenAt: string | null, finishedAt: string | null, waitMs: number | null, timeToFirstTokenMs: number | null, durationMs: number | null, overheadMs: number | null, provider: { id: string, kind: string, simulated: boolean } | null, error: { code: ErrorCode, message: string, retryable: boolean, retryAfterMs: number | null } | null, usage: { inputTokens: number, outputTokens: number, cachedInputTokens: number, totalTokens: number, estimated: boolean } | null } } };

export type DeleteProviderMutationVariables = Exact<{
  input: DeleteProviderInput;
}>;


export type DeleteProviderMutation = { deleteProvider: { providerId: string } };

export type DeleteWorkflowMutationVariables = Exact<{
  input: DeleteWorkflowInput;
}>;


export type DeleteWorkflowMutation = { deleteWorkflow: { name: string } };

export type DrainDeploymentMutationVariables = Exact<{
  input: DrainDeploymentInput;
}>;


export type DrainDeploymentMutation = { drainDeployment: { provider: { id: string, kind: string, source: ProviderSource, status: ProviderStatus, statusReason: string | null, checkedAt: string | null, local: boolean, simulated: boolean, deployments: Array<{ id: string, model: string, aliases: Array<string>, contextWindow: number, maxOutputTokens: number, quality: number, local: boolean, simulated: boolean, drained: boolean, drainReason: string | null, price: { input: string, output: string, source: string } | null, breaker: { state: BreakerState, failureRate: number, calls: number, failures: number, since: string, retryAt: string | null, lastError: string | null } }> } } };

export type EnableDeploymentMutationVariables = Exact<{
  input: EnableDeploymentInput;
}>;


export type EnableDeploymentMutation = { enableDeployment: { provider: { id: string, kind: string, source: ProviderSource, status: ProviderStatus, statusReason: string | null, checkedAt: string | null, local: boolean, simulated: boolean, deployments: Array<{ id: string, model: string, aliases: Array<string>, contextWindow: number, maxOutputTokens: number, quality: number, local: boolean, simulated: boolean, drained: boolean, drainReason: string | null, price: { input: string, output: string, source: string } | null, breaker: { state: BreakerState, failureRate: number, calls: number, failures: number, since: string, retryAt: string | null, lastError: string | null } }> } } };

export type EstimateCostQueryVariables = Exact<{
  input: SubmitRequestInput;
}>;


export type EstimateCostQuery = { estimateCost: Array<{ deploymentId: string, inputTokens: number, maxOutputTokens: number, cost: string | null, typicalCost: string | null, rejection: string | null }> };

export type InstancesQueryVariables = Exact<{ [key: string]: never; }>;


export type InstancesQuery = { instances: Array<{ id: string, version: string, hostname: string | null, pid: number | null, startedAt: string, lastBeatAt: string, isSelf: boolean, runningRequests: number }> };

export type LoginMutationVariables = Exact<{
  input: LoginInput;
}>;


export type LoginMutation = { login: { token: string, expiresAt: string, viewer: { id: string, username: string, role: Role } } };

export type LogoutMutationVariables = Exact<{ [key: string]: never; }>;


export type LogoutMutation = { logout: { loggedOut: boolean } };

export type MetricsQueryVariables = Exact<{
  range?: TimeRangeInput | null | undefined;
  groupBy?: MetricsDimension | null | undefined;
  filter?: RequestFilter | null | undefined;
}>;


export type MetricsQuery = { metrics: { computedAt: string, total: { key: string | null, requests: number, succeeded: number, failed: number, cancelled: number, inProgress: number, inputTokens: string, outputTokens: string, cachedInputTokens: string, cost: string, unpriced: number, timeToFirstTokenMs: { p50: number, p95: number, p99: number } | null, durationMs: { p50: number, p95: number, p99: number } | null }, groups: Array<{ key: string | null, requests: number, succeeded: number, failed: number, cancelled: number, inProgress: number, inputTokens: string, outputTokens: string, cachedInputTokens: string, cost: string, unpriced: number, timeToFirstTokenMs: { p50: number, p95: number, p99: number } | null, durationMs: { p50: number, p95: number, p99: number } | null }> } };

export type MetricsFiguresFragment = { key: string | null, requests: number, succeeded: number, failed: number, cancelled: number, inProgress: number, inputTokens: string, outputTokens: string, cachedInputTokens: string, cost: string, unpriced: number, timeToFirstTokenMs: { p50: number, p95: number, p99: number } | null, durationMs: { p50: number, p95: number, p99: number } | null };

export type MetricsUpdatesSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type MetricsUpdatesSubscription = { metricsUpdates: { computedAt: string, total: { key: string | null, requests: number, succeeded: number, failed: number, cancelled: number, inProgress: number, inputTokens: string, outputTokens: string, cachedInputTokens: string, cost: string, unpriced: number, timeToFirstTokenMs: { p50: number, p95: number, p99: number } | null, durationMs: { p50: number, p95: number, p99: number } | null } } };

export type OpenBreakerMutationVariables = Exact<{
  input: OpenBreakerInput;
}>;


export type OpenBreakerMutation = { openBreaker: { provider: { id: string, kind: string, source: ProviderSource, status: ProviderStatus, statusReason: string | null, checkedAt: string | null, local: boolean, simulated: boolean, deployments: Array<{ id: string, model: string, aliases: Array<string>, contextWindow: number, maxOutputTokens: number, quality: number, local: boolean, simulated: boolean, drained: boolean, drainReason: string | null, price: { input: string, output: string, source: string } | null, breaker: { state: BreakerState, failureRate: number, calls: number, failures: number, since: string, retryAt: string | null, lastError: string | null } }> } } };

export type PauseWorkflowMutationVariables = Exact<{
  input: PauseWorkflowInput;
}>;


export type PauseWorkflowMutation = { pauseWorkflow: { request: { id: string, status: RequestStatus, taskType: TaskType, strategy: RoutingStrategy, priority: number, preferLocal: boolean, requestedModel: string | null, deploymentId: string | null, servedModel: string | null, finishReason: string | null, cost: string | null, createdAt: string, startedAt: string | null, firstTokenAt: string | null, finishedAt: string | null, waitMs: number | null, timeToFirstTokenMs: number | null, durationMs: number | null, overheadMs: number | null, provider: { id: string, kind: string, simulated: boolean } | null, error: { code: ErrorCode, message: string, retryable: boolean, retryAfterMs: number | null } | null, usage: { inputTokens: number, outputTokens: number, cachedInputTokens: number, totalTokens: number, estimated: boolean } | null } } };

export type ProviderStateFragment = { id: string, kind: string, source: ProviderSource, status: ProviderStatus, statusReason: string | null, checkedAt: string | null, local: boolean, simulated: boolean, deployments: Array<{ id: string, model: string, aliases: Array<string>, contextWindow: number, maxOutputTokens: number, quality: number, local: boolean, simulated: boolean, drained: boolean, drainReason: string | null, price: { input: string, output: string, source: string } | null, breaker: { state: BreakerState, failureRate: number, calls: number, failures: number, since: string, retryAt: string | null, lastError: string | null } }> };

export type ProviderUpdatesSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type ProviderUpdatesSubscription = { providerUpdates: { id: string, kind: string, source: ProviderSource, status: ProviderStatus, statusReason: string | null, checkedAt: string | null, local: boolean, simulated: boolean, deployments: Array<{ id: string, model: string, aliases: Array<string>, contextWindow: number, maxOutputTokens: number, quality: number, local: boolean, simulated: boolean, drained: boolean, drainReason: string | null, price: { input: string, output: string, source: string } | null, breaker: { state: BreakerState, failureRate: number, calls: number, failures: number, since: string, retryAt: string | null, lastError: string | null } }> } };

export type ProvidersQueryVariables = Exact<{ [key: string]: never; }>;


export type ProvidersQuery = { providers: Array<{ id: string, kind: string, source: ProviderSource, status: ProviderStatus, statusReason: string | null, checkedAt: string | null, local: boolean, simulated: boolean, deployments: Array<{ id: string, model: string, aliases: Array<string>, contextWindow: number, maxOutputTokens: number, quality: number, local: boolean, simulated: boolean, drained: boolean, drainReason: string | null, price: { input: string, output: string, source: string } | null, breaker: { state: BreakerState, failureRate: number, calls: number, failures: number, since: string, retryAt: string | null, lastError: string | null } }> }> };

export type RateLimitStateFragment = { kind: RateLimitKind, limit: number | null, overridden: boolean, remaining: number | null, resetAt: string | null };

export type RateLimitsQueryVariables = Exact<{ [key: string]: never; }>;


export type RateLimitsQuery = { viewer: { id: string, rateLimits: Array<{ kind: RateLimitKind, limit: number | null, overridden: boolean, remaining: number | null, resetAt: string | null }> } };

export type RemoveBudgetMutationVariables = Exact<{
  input: RemoveBudgetInput;
}>;


export type RemoveBudgetMutation = { removeBudget: { budget: { id: string } } };

export type RequestQueryVariables = Exact<{
  id: string;
}>;


export type RequestQuery = { request: { queuePosition: number | null, prompt: string | null, output: string | null, id: string, status: RequestStatus, taskType: TaskType, strategy: RoutingStrategy, priority: number, preferLocal: boolean, requestedModel: string | null, deploymentId: string | null, servedModel: string | null, finishReason: string | null, cost: string | null, createdAt: string, startedAt: string | null, firstTokenAt: string | null, finishedAt: string | null, waitMs: number | null, timeToFirstTokenMs: number | null, durationMs: number | null, overheadMs: number | null, attempts: Array<{ number: number, deploymentId: string, servedModel: string | null, outcome: AttemptOutcome, startedAt: string, timeToFirstTokenMs: number | null, durationMs: number, cost: string | null, priceSource: string | null, error: { code: ErrorCode, message: string } | null, usage: { inputTokens: number, outputTokens: number, cachedInputTokens: number, estimated: boolean } | null }>, routing: { explanation: string, candidates: Array<{ deploymentId: string, score: number }>, rejections: Array<{ deploymentId: string, reason: RejectionReason, detail: string }> } | null, provider: { id: string, kind: string, simulated: boolean } | null, error: { code: ErrorCode, message: string, retryable: boolean, retryAfterMs: number | null } | null, usage: { inputTokens: number, outputTokens: number, cachedInputTokens: number, totalTokens: number, estimated: boolean } | null } | null };

export type RequestFeedSubscriptionVariables = Exact<{
  filter?: RequestFilter | null | undefined;
}>;


export type RequestFeedSubscription = { requestFeed: { id: string, status: RequestStatus, taskType: TaskType, strategy: RoutingStrategy, priority: number, preferLocal: boolean, requestedModel: string | null, deploymentId: string | null, servedModel: string | null, finishReason: string | null, cost: string | null, createdAt: string, startedAt: string | null, firstTokenAt: string | null, finishedAt: string | null, waitMs: number | null, timeToFirstTokenMs: number | null, durationMs: number | null, overheadMs: number | null, provider: { id: string, kind: string, simulated: boolean } | null, error: { code: ErrorCode, message: string, retryable: boolean, retryAfterMs: number | null } | null, usage: { inputTokens: number, outputTokens: number, cachedInputTokens: number, totalTokens: number, estimated: boolean } | null } };

export type RequestSummaryFragment = { id: string, status: RequestStatus, taskType: TaskType, strategy: RoutingStrategy, priority: number, preferLocal: boolean, requestedModel: string | null, deploymentId: string | null, servedModel: string | null, finishReason: string | null, cost: string | null, createdAt: string, startedAt: string | null, firstTokenAt: string | null, finishedAt: string | null, waitMs: number | null, timeToFirstTokenMs: number | null, durationMs: number | null, overheadMs: number | null, provider: { id: string, kind: string, simulated: boolean } | null, error: { code: ErrorCode, message: string, retryable: boolean, retryAfterMs: number | null } | null, usage: { inputTokens: number, outputTokens: number, cachedInputTokens: number, totalTokens: number, estimated: boolean } | null };

export type RequestsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
  filter?: RequestFilter | null | undefined;
}>;


export type RequestsQuery = { requests: { edges: Array<{ cursor: string, node: { queuePosition: number | null, prompt: string | null, id: string, status: RequestStatus, taskType: TaskType, strategy: RoutingStrategy, priority: number, preferLocal: boolean, requestedModel: string | null, deploymentId: string | null, servedModel: string | null, finishReason: string | null, cost: string | null, createdAt: string, startedAt: string | null, firstTokenAt: string | null, finishedAt: string | null, waitMs: number | null, timeToFirstTokenMs: number | null, durationMs: number | null, overheadMs: number | null, provider: { id: string, kind: string, simulated: boolean } | null, error: { code: ErrorCode, message: string, retryable: boolean, retryAfterMs: number | null } | null, usage: { inputTokens: number, outputTokens: number, cachedInputTokens: number, totalTokens: number, estimated: boolean } | null } }>, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null } } };

export type RerunWorkflowMutationVariables = Exact<{
  input: RerunWorkflowInput;
}>;


export type RerunWorkflowMutation = { rerunWorkflow: { request: { id: string, status: RequestStatus, taskType: TaskType, strategy: RoutingStrategy, priority: number, preferLocal: boolean, requestedModel: string | null, deploymentId: string | null, servedModel: string | null, finishReason: string | null, cost: string | null, createdAt: string, startedAt: string | null, firstTokenAt: string | null, finishedAt: string | null, waitMs: number | null, timeToFirstTokenMs: number | null, durationMs: number | null, overheadMs: number | null, provider: { id: string, kind: string, simulated: boolean } | null, error: { code: ErrorCode, message: string, retryable: boolean, retryAfterMs: number | null } | null, usage: { inputTokens: number, outputTokens: number, cachedInputTokens: number, totalTokens: number, estimated: boolean } | null } } };

export type ResetBreakerMutationVariables = Exact<{
  input: ResetBreakerInput;
}>;


export type ResetBreakerMutation = { resetBreaker: { provider: { id: string, kind: string, source: ProviderSource, status: ProviderStatus, statusReason: string | null, checkedAt: string | null, local: boolean, simulated: boolean, deployments: Array<{ id: string, model: string, aliases: Array<string>, contextWindow: number, maxOutputTokens: number, quality: number, local: boolean, simulated: boolean, drained: boolean, drainReason: string | null, price: { input: string, output: string, source: string } | null, breaker: { state: BreakerState, failureRate: number, calls: number, failures: number, since: string, retryAt: string | null, lastError: string | null } }> } } };

export type ResumeWorkflowMutationVariables = Exact<{
  input: ResumeWorkflowInput;
}>;


export type ResumeWorkflowMutation = { resumeWorkflow: { request: { id: string, status: RequestStatus, taskType: TaskType, strategy: RoutingStrategy, priority: number, preferLocal: boolean, requestedModel: string | null, deploymentId: string | null, servedModel: string | null, finishReason: string | null, cost: string | null, createdAt: string, startedAt: string | null, firstTokenAt: string | null, finishedAt: string | null, waitMs: number | null, timeToFirstTokenMs: number | null, durationMs: number | null, overheadMs: number | null, provider: { id: string, kind: string, simulated: boolean } | null, error: { code: ErrorCode, message: string, retryable: boolean, retryAfterMs: number | null } | null, usage: { inputTokens: number, outputTokens: number, cachedInputTokens: number, totalTokens: number, estimated: boolean } | null } } };

export type RevokeApiKeyMutationVariables = Exact<{
  input: RevokeApiKeyInput;
}>;


export type RevokeApiKeyMutation = { revokeApiKey: { apiKey: { id: string, name: string, revokedAt: string | null } } };

export type RevokeSessionMutationVariables = Exact<{
  input: RevokeSessionInput;
}>;


export type RevokeSessionMutation = { revokeSession: { sessionId: string } };

export type RotateApiKeyMutationVariables = Exact<{
  input: RotateApiKeyInput;
}>;


export type RotateApiKeyMutation = { rotateApiKey: { secret: string, apiKey: { id: string, name: string, scopes: Array<ApiKeyScope> | null, expiresAt: string | null }, replaced: { id: string, expiresAt: string | null } } };

export type RunWorkflowMutationVariables = Exact<{
  input: RunWorkflowInput;
}>;


export type RunWorkflowMutation = { runWorkflow: { request: { id: string, status: RequestStatus, taskType: TaskType, strategy: RoutingStrategy, priority: number, preferLocal: boolean, requestedModel: string | null, deploymentId: string | null, servedModel: string | null, finishReason: string | null, cost: string | null, createdAt: string, startedAt: string | null, firstTokenAt: string | null, finishedAt: string | null, waitMs: number | null, timeToFirstTokenMs: number | null, durationMs: number | null, overheadMs: number | null, provider: { id: string, kind: string, simulated: boolean } | null, error: { code: ErrorCode, message: string, retryable: boolean, retryAfterMs: number | null } | null, usage: { inputTokens: number, outputTokens: number, cachedInputTokens: number, totalTokens: number, estimated: boolean } | null } } };

export type SetBudgetMutationVariables = Exact<{
  input: SetBudgetInput;
}>;


export type SetBudgetMutation = { setBudget: { budget: { id: string, apiKeyId: string | null, period: BudgetPeriod, limit: string, spent: string, reserved: string, remaining: string, resetsAt: string | null } } };

export type SetRateLimitsMutationVariables = Exact<{
  input: SetRateLimitsInput;
}>;


export type SetRateLimitsMutation = { setRateLimits: { user: { id: string, rateLimits: Array<{ kind: RateLimitKind, limit: number | null, overridden: boolean, remaining: number | null, resetAt: string | null }> }, apiKey: { id: string, rateLimits: Array<{ kind: RateLimitKind, limit: number | null, overridden: boolean, remaining: number | null, resetAt: string | null }> } | null } };

export type SimulateRouteQueryVariables = Exact<{
  input: SubmitRequestInput;
}>;


export type SimulateRouteQuery = { simulateRoute: { strategy: RoutingStrategy, explanation: string, estimatedInputTokens: number, estimatedOutputTokens: number, candidates: Array<{ deploymentId: string, score: number, local: boolean, estimatedCost: string | null, estimatedDurationMs: number }>, rejections: Array<{ deploymentId: string, reason: RejectionReason, detail: string }> } };

export type StepStateFragment = { id: string, title: string, kind: StepKind, status: StepStatus, dependsOn: Array<string>, note: string | null, tries: number, reused: boolean, durationMs: number | null, itemCount: number | null, itemsEnded: number | null, error: { code: ErrorCode, message: string } | null };

type StreamEvent_AttemptStarted_Fragment = { __typename: 'AttemptStarted', attempt: number, deployment: string, cursor: string, requestId: string };

type StreamEvent_RequestAccepted_Fragment = { __typename: 'RequestAccepted', cursor: string, requestId: string };

type StreamEvent_StepUpdated_Fragment = { __typename: 'StepUpdated', cursor: string, requestId: string, updated: { id: string, title: string, kind: StepKind, status: StepStatus, dependsOn: Array<string>, note: string | null, tries: number, reused: boolean, durationMs: number | null, itemCount: number | null, itemsEnded: number | null, error: { code: ErrorCode, message: string } | null } };

type StreamEvent_StreamCompleted_Fragment = { __typename: 'StreamCompleted', cursor: string, requestId: string, request: { id: string, status: RequestStatus, taskType: TaskType, strategy: RoutingStrategy, priority: number, preferLocal: boolean, requestedModel: string | null, deploymentId: string | null, servedModel: string | null, finishReason: string | null, cost: string | null, createdAt: string, startedAt: string | null, firstTokenAt: string | null, finishedAt: string | null, waitMs: number | null, timeToFirstTokenMs: number | null, durationMs: number | null, overheadMs: number | null, provider: { id: string, kind: string, simulated: boolean } | null, error: { code: ErrorCode, message: string, retryable: boolean, retryAfterMs: number | null } | null, usage: { inputTokens: number, outputTokens: number, cachedInputTokens: number, totalTokens: number, estimated: boolean } | null } };

type StreamEvent_StreamFailed_Fragment = { __typename: 'StreamFailed', cursor: string, requestId: string, error: { code: ErrorCode, message: string, retryable: boolean, retryAfterMs: number | null }, request: { id: string, status: RequestStatus, taskType: TaskType, strategy: RoutingStrategy, priority: number, preferLocal: boolean, requestedModel: string | null, deploymentId: string | null, servedModel: string | null, finishReason: string | null, cost: string | null, createdAt: string, startedAt: string | null, firstTokenAt: string | null, finishedAt: string | null, waitMs: number | null, timeToFirstTokenMs: number | null, durationMs: number | null, overheadMs: number | null, provider: { id: string, kind: string, simulated: boolean } | null, error: { code: ErrorCode, message: string, retryable: boolean, retryAfterMs: number | null } | null, usage: { inputTokens: number, outputTokens: number, cachedInputTokens: number, totalTokens: number, estimated: boolean } | null } };

type StreamEvent_StreamRestarted_Fragment = { __typename: 'StreamRestarted', attempt: number, reason: string, keepThrough: string | null, step: string | null, cursor: string, requestId: string };

type StreamEvent_TokenDelta_Fragment = { __typename: 'TokenDelta', text: string, step: string | null, cursor: string, requestId: string };

export type StreamEventFragment =
  | StreamEvent_AttemptStarted_Fragment
  | StreamEvent_RequestAccepted_Fragment
  | StreamEvent_StepUpdated_Fragment
  | StreamEvent_StreamCompleted_Fragment
  | StreamEvent_StreamFailed_Fragment
  | StreamEvent_StreamRestarted_Fragment
  | StreamEvent_TokenDelta_Fragment
;

export type SubmitAndFollowSubscriptionVariables = Exact<{
  input: SubmitRequestInput;
}>;


export type SubmitAndFollowSubscription = { submitRequest:
    | { __typename: 'AttemptStarted', attempt: number, deployment: string, cursor: string, requestId: string }
    | { __typename: 'RequestAccepted', cursor: string, requestId: string, request: { id: string, status: RequestStatus, taskType: TaskType, strategy: RoutingStrategy, priority: number, preferLocal: boolean, requestedModel: string | null, deploymentId: string | null, servedModel: string | null, finishReason: string | null, cost: string | null, createdAt: string, startedAt: string | null, firstTokenAt: string | null, finishedAt: string | null, waitMs: number | null, timeToFirstTokenMs: number | null, durationMs: number | null, overheadMs: number | null, provider: { id: string, kind: string, simulated: boolean } | null, error: { code: ErrorCode, message: string, retryable: boolean, retryAfterMs: number | null } | null, usage: { inputTokens: number, outputTokens: number, cachedInputTokens: number, totalTokens: number, estimated: boolean } | null } }
    | { __typename: 'StepUpdated', cursor: string, requestId: string, updated: { id: string, title: string, kind: StepKind, status: StepStatus, dependsOn: Array<string>, note: string | null, tries: number, reused: boolean, durationMs: number | null, itemCount: number | null, itemsEnded: number | null, error: { code: ErrorCode, message: string } | null } }
    | { __typename: 'StreamCompleted', cursor: string, requestId: string, request: { id: string, status: RequestStatus, taskType: TaskType, strategy: RoutingStrategy, priority: number, preferLocal: boolean, requestedModel: string | null, deploymentId: string | null, servedModel: string | null, finishReason: string | null, cost: string | null, createdAt: string, startedAt: string | null, firstTokenAt: string | null, finishedAt: string | null, waitMs: number | null, timeToFirstTokenMs: number | null, durationMs: number | null, overheadMs: number | null, provider: { id: string, kind: string, simulated: boolean } | null, error: { code: ErrorCode, message: string, retryable: boolean, retryAfterMs: number | null } | null, usage: { inputTokens: number, outputTokens: number, cachedInputTokens: number, totalTokens: number, estimated: boolean } | null } }
    | { __typename: 'StreamFailed', cursor: string, requestId: string, error: { code: ErrorCode, message: string, retryable: boolean, retryAfterMs: number | null }, request: { id: string, status: RequestStatus, taskType: TaskType, strategy: RoutingStrategy, priority: number, preferLocal: boolean, requestedModel: string | null, deploymentId: string | null, servedModel: string | null, finishReason: string | null, cost: string | null, createdAt: string, startedAt: string | null, firstTokenAt: string | null, finishedAt: string | null, waitMs: number | null, timeToFirstTokenMs: number | null, durationMs: number | null, overheadMs: number | null, provider: { id: string, kind: string, simulated: boolean } | null, error: { code: ErrorCode, message: string, retryable: boolean, retryAfterMs: number | null } | null, usage: { inputTokens: number, outputTokens: number, cachedInputTokens: number, totalTokens: number, estimated: boolean } | null } }
    | { __typename: 'StreamRestarted', attempt: number, reason: string, keepThrough: string | null, step: string | null, cursor: string, requestId: string }
    | { __typename: 'TokenDelta', text: string, step: string | null, cursor: string, requestId: string }
   };

export type SubmitRequestMutationVariables = Exact<{
  input: SubmitRequestInput;
}>;


export type SubmitRequestMutation = { submitRequest: { request: { id: string, status: RequestStatus, createdAt: string, queuePosition: number | null } } };

export type TokenStreamSubscriptionVariables = Exact<{
  requestId: string;
  after?: string | null | undefined;
}>;


export type TokenStreamSubscription = { tokenStream:
    | { __typename: 'AttemptStarted', attempt: number, deployment: string, cursor: string, requestId: string }
    | { __typename: 'RequestAccepted', cursor: string, requestId: string }
    | { __typename: 'StepUpdated', cursor: string, requestId: string, updated: { id: string, title: string, kind: StepKind, status: StepStatus, dependsOn: Array<string>, note: string | null, tries: number, reused: boolean, durationMs: number | null, itemCount: number | null, itemsEnded: number | null, error: { code: ErrorCode, message: string } | null } }
    | { __typename: 'StreamCompleted', cursor: string, requestId: string, request: { id: string, status: RequestStatus, taskType: TaskType, strategy: RoutingStrategy, priority: number, preferLocal: boolean, requestedModel: string | null, deploymentId: string | null, servedModel: string | null, finishReason: string | null, cost: string | null, createdAt: string, startedAt: string | null, firstTokenAt: string | null, finishedAt: string | null, waitMs: number | null, timeToFirstTokenMs: number | null, durationMs: number | null, overheadMs: number | null, provider: { id: string, kind: string, simulated: boolean } | null, error: { code: ErrorCode, message: string, retryable: boolean, retryAfterMs: number | null } | null, usage: { inputTokens: number, outputTokens: number, cachedInputTokens: number, totalTokens: number, estimated: boolean } | null } }
    | { __typename: 'StreamFailed', cursor: string, requestId: string, error: { code: ErrorCode, message: string, retryable: boolean, retryAfterMs: number | null }, request: { id: string, status: RequestStatus, taskType: TaskType, strategy: RoutingStrategy, priority: number, preferLocal: boolean, requestedModel: string | null, deploymentId: string | null, servedModel: string | null, finishReason: string | null, cost: string | null, createdAt: string, startedAt: string | null, firstTokenAt: string | null, finishedAt: string | null, waitMs: number | null, timeToFirstTokenMs: number | null, durationMs: number | null, overheadMs: number | null, provider: { id: string, kind: string, simulated: boolean } | null, error: { code: ErrorCode, message: string, retryable: boolean, retryAfterMs: number | null } | null, usage: { inputTokens: number, outputTokens: number, cachedInputTokens: number, totalTokens: number, estimated: boolean } | null } }
    | { __typename: 'StreamRestarted', attempt: number, reason: string, keepThrough: string | null, step: string | null, cursor: string, requestId: string }
    | { __typename: 'TokenDelta', text: string, step: string | null, cursor: string, requestId: string }
   };

export type UpdateProviderMutationVariables = Exact<{
  input: UpdateProviderInput;
}>;


export type UpdateProviderMutation = { updateProvider: { provider: { id: string, kind: string, source: ProviderSource, status: ProviderStatus, statusReason: string | null, checkedAt: string | null, local: boolean, simulated: boolean, deployments: Array<{ id: string, model: string, aliases: Array<string>, contextWindow: number, maxOutputTokens: number, quality: number, local: boolean, simulated: boolean, drained: boolean, drainReason: string | null, price: { input: string, output: string, source: string } | null, breaker: { state: BreakerState, failureRate: number, calls: number, failures: number, since: string, retryAt: string | null, lastError: string | null } }> } } };

export type UpdateUserMutationVariables = Exact<{
  input: UpdateUserInput;
}>;


export type UpdateUserMutation = { updateUser: { user: { id: string, username: string, role: Role, disabled: boolean } } };

export type UserAccountQueryVariables = Exact<{
  id: string;
}>;


export type UserAccountQuery = { node:
    | { id: string, username: string, role: Role, disabled: boolean, createdAt: string, deletedAt: string | null, apiKeys: Array<{ id: string, name: string, prefix: string, scopes: Array<ApiKeyScope> | null, createdAt: string, expiresAt: string | null, lastUsedAt: string | null, revokedAt: string | null }>, sessions: Array<{ id: string, createdAt: string, expiresAt: string }> }
    | Record<PropertyKey, never>
   | null };

export type UserAuditEventsQueryVariables = Exact<{
  id: string;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type UserAuditEventsQuery = { node:
    | { auditEvents: { nodes: Array<{ id: string, at: string, actorId: string | null, actorName: string | null, action: string, subject: string | null, reason: string | null, data: unknown }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } }
    | Record<PropertyKey, never>
   | null };

export type UserRequestsQueryVariables = Exact<{
  user: string;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type UserRequestsQuery = { requests: { nodes: Array<{ step: string | null, contentDeletedAt: string | null, maxOutputTokens: number | null, temperature: number | null, stop: Array<string>, outputSchema: unknown, system: string | null, metadata: unknown, output: string | null, id: string, status: RequestStatus, taskType: TaskType, strategy: RoutingStrategy, priority: number, preferLocal: boolean, requestedModel: string | null, deploymentId: string | null, servedModel: string | null, finishReason: string | null, cost: string | null, createdAt: string, startedAt: string | null, firstTokenAt: string | null, finishedAt: string | null, waitMs: number | null, timeToFirstTokenMs: number | null, durationMs: number | null, overheadMs: number | null, parent: { id: string } | null, messages: Array<{ role: MessageRole, content: string }>, attempts: Array<{ number: number, deploymentId: string, servedModel: string | null, outcome: AttemptOutcome, startedAt: string, timeToFirstTokenMs: number | null, durationMs: number, cost: string | null, priceSource: string | null, error: { code: ErrorCode, message: string } | null, usage: { inputTokens: number, outputTokens: number, cachedInputTokens: number, estimated: boolean } | null }>, provider: { id: string, kind: string, simulated: boolean } | null, error: { code: ErrorCode, message: string, retryable: boolean, retryAfterMs: number | null } | null, usage: { inputTokens: number, outputTokens: number, cachedInputTokens: number, totalTokens: number, estimated: boolean } | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type UserWorkflowDefinitionsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type UserWorkflowDefinitionsQuery = { workflowDefinitions: { nodes: Array<{ id: string, ownerId: string, name: string, version: number, description: string | null, steps: unknown, parameters: unknown, createdAt: string }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type UsersQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type UsersQuery = { users: { edges: Array<{ cursor: string, node: { id: string, username: string, role: Role, disabled: boolean, createdAt: string } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type ViewerQueryVariables = Exact<{ [key: string]: never; }>;


export type ViewerQuery = { viewer: { id: string, username: string, role: Role, createdAt: string, apiKeys: Array<{ id: string, name: string, prefix: string, createdAt: string, expiresAt: string | null, lastUsedAt: string | null, revokedAt: string | null }>, sessions: Array<{ id: string, createdAt: string, expiresAt: string, current: boolean }> } };

export type WorkflowQueryVariables = Exact<{
  requestId: string;
}>;


export type WorkflowQuery = { request: { id: string, status: RequestStatus, taskType: TaskType, strategy: RoutingStrategy, priority: number, preferLocal: boolean, requestedModel: string | null, deploymentId: string | null, servedModel: string | null, finishReason: string | null, cost: string | null, createdAt: string, startedAt: string | null, firstTokenAt: string | null, finishedAt: string | null, waitMs: number | null, timeToFirstTokenMs: number | null, durationMs: number | null, overheadMs: number | null, workflow: { pausedAt: string | null, cost: string | null, estimatedRemainingMs: number | null, estimatedRemainingCost: string | null, progress: { total: number, ended: number, running: number, waiting: number, percent: number }, steps: Array<{ id: string, title: string, kind: StepKind, status: StepStatus, dependsOn: Array<string>, note: string | null, tries: number, reused: boolean, durationMs: number | null, itemCount: number | null, itemsEnded: number | null, error: { code: ErrorCode, message: string } | null }> } | null, provider: { id: string, kind: string, simulated: boolean } | null, error: { code: ErrorCode, message: string, retryable: boolean, retryAfterMs: number | null } | null, usage: { inputTokens: number, outputTokens: number, cachedInputTokens: number, totalTokens: number, estimated: boolean } | null } | null };

export type WorkflowDefinitionsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type WorkflowDefinitionsQuery = { workflowDefinitions: { nodes: Array<{ id: string, name: string, version: number, shared: boolean, description: string | null, createdAt: string }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type WorkflowStateFragment = { id: string, status: RequestStatus, taskType: TaskType, strategy: RoutingStrategy, priority: number, preferLocal: boolean, requestedModel: string | null, deploymentId: string | null, servedModel: string | null, finishReason: string | null, cost: string | null, createdAt: string, startedAt: string | null, firstTokenAt: string | null, finishedAt: string | null, waitMs: number | null, timeToFirstTokenMs: number | null, durationMs: number | null, overheadMs: number | null, workflow: { pausedAt: string | null, cost: string | null, estimatedRemainingMs: number | null, estimatedRemainingCost: string | null, progress: { total: number, ended: number, running: number, waiting: number, percent: number }, steps: Array<{ id: string, title: string, kind: StepKind, status: StepStatus, dependsOn: Array<string>, note: string | null, tries: number, reused: boolean, durationMs: number | null, itemCount: number | null, itemsEnded: number | null, error: { code: ErrorCode, message: string } | null }> } | null, provider: { id: string, kind: string, simulated: boolean } | null, error: { code: ErrorCode, message: string, retryable: boolean, retryAfterMs: number | null } | null, usage: { inputTokens: number, outputTokens: number, cachedInputTokens: number, totalTokens: number, estimated: boolean } | null };

export type WorkflowStepItemsQueryVariables = Exact<{
  id: string;
  step: string;
  from?: number | null | undefined;
  first?: number | null | undefined;
}>;


export type WorkflowStepItemsQuery = { request: { workflow: { step: { items: Array<{ index: number, input: unknown, status: StepStatus, output: string | null, tries: number, request: { id: string } | null }> } | null } | null } | null };

export type WorkflowStepsQueryVariables = Exact<{
  id: string;
}>;


export type WorkflowStepsQuery = { request: { workflow: { steps: Array<{ prompt: string, output: string | null, startedAt: string | null, finishedAt: string | null, id: string, title: string, kind: StepKind, status: StepStatus, dependsOn: Array<string>, note: string | null, tries: number, reused: boolean, durationMs: number | null, itemCount: number | null, itemsEnded: number | null, request: { id: string } | null, error: { code: ErrorCode, message: string } | null }> } | null } | null };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const AttemptStateFragmentDoc = new TypedDocumentString(`
    fragment attemptState on Attempt {
  number
  deploymentId
  servedModel
  outcome
  startedAt
  timeToFirstTokenMs
  durationMs
  cost
  priceSource
  error {
    code
    message
  }
  usage {
    inputTokens
    outputTokens
    cachedInputTokens
    estimated
  }
}
    `, {"fragmentName":"attemptState"}) as unknown as TypedDocumentString<AttemptStateFragment, unknown>;
export const MetricsFiguresFragmentDoc = new TypedDocumentString(`
    fragment metricsFigures on MetricsRow {
  key
  requests
  succeeded
  failed
  cancelled
  inProgress
  inputTokens
  outputTokens
  cachedInputTokens
  cost
  unpriced
  timeToFirstTokenMs {
    p50
    p95
    p99
  }
  durationMs {
    p50
    p95
    p99
  }
}
    `, {"fragmentName":"metricsFigures"}) as unknown as TypedDocumentString<MetricsFiguresFragment, unknown>;
export const ProviderStateFragmentDoc = new TypedDocumentString(`
    fragment providerState on Provider {
  id
  kind
  source
  status
  statusReason
  checkedAt
  local
  simulated
  deployments {
    id
    model
    aliases
    contextWindow
    maxOutputTokens
    quality
    local
    simulated
    drained
    drainReason
    price {
      input
      output
      source
    }
    breaker {
      state
      failureRate
      calls
      failures
      since
      retryAt
      lastError
    }
  }
}
    `, {"fragmentName":"providerState"}) as unknown as TypedDocumentString<ProviderStateFragment, unknown>;
export const RateLimitStateFragmentDoc = new TypedDocumentString(`
    fragment rateLimitState on RateLimit {
  kind
  limit
  overridden
  remaining
  resetAt
}
    `, {"fragmentName":"rateLimitState"}) as unknown as TypedDocumentString<RateLimitStateFragment, unknown>;
export const StepStateFragmentDoc = new TypedDocumentString(`
    fragment stepState on WorkflowStep {
  id
  title
  kind
  status
  dependsOn
  note
  tries
  reused
  durationMs
  itemCount
  itemsEnded
  error {
    code
    message
  }
}
    `, {"fragmentName":"stepState"}) as unknown as TypedDocumentString<StepStateFragment, unknown>;
export const RequestSummaryFragmentDoc = new TypedDocumentString(`
    fragment requestSummary on ModelRequest {
  id
  status
  taskType
  strategy
  priority
  preferLocal
  requestedModel
  deploymentId
  servedModel
  finishReason
  provider {
    id
    kind
    simulated
  }
  error {
    code
    message
    retryable
    retryAfterMs
  }
  usage {
    inputTokens
    outputTokens
    cachedInputTokens
    totalTokens
    estimated
  }
  cost
  createdAt
  startedAt
  firstTokenAt
  finishedAt
  waitMs
  timeToFirstTokenMs
  durationMs
  overheadMs
}
    `, {"fragmentName":"requestSummary"}) as unknown as TypedDocumentString<RequestSummaryFragment, unknown>;
export const StreamEventFragmentDoc = new TypedDocumentString(`
    fragment streamEvent on StreamEvent {
  __typename
  cursor
  requestId
  ... on TokenDelta {
    text
    step
  }
  ... on AttemptStarted {
    attempt
    deployment
  }
  ... on StreamRestarted {
    attempt
    reason
    keepThrough
    step
  }
  ... on StepUpdated {
    updated: step {
      ...stepState
    }
  }
  ... on StreamCompleted {
    request {
      ...requestSummary
    }
  }
  ... on StreamFailed {
    error {
      code
      message
      retryable
      retryAfterMs
    }
    request {
      ...requestSummary
    }
  }
}
    fragment requestSummary on ModelRequest {
  id
  status
  taskType
  strategy
  priority
  preferLocal
  requestedModel
  deploymentId
  servedModel
  finishReason
  provider {
    id
    kind
    simulated
  }
  error {
    code
    message
    retryable
    retryAfterMs
  }
  usage {
    inputTokens
    outputTokens
    cachedInputTokens
    totalTokens
    estimated
  }
  cost
  createdAt
  startedAt
  firstTokenAt
  finishedAt
  waitMs
  timeToFirstTokenMs
  durationMs
  overheadMs
}
fragment stepState on WorkflowStep {
  id
  title
  kind
  status
  dependsOn
  note
  tries
  reused
  durationMs
  itemCount
  itemsEnded
  error {
    code
    message
  }
}`, {"fragmentName":"streamEvent"}) as unknown as TypedDocumentString<StreamEventFragment, unknown>;
export const WorkflowStateFragmentDoc = new TypedDocumentString(`
    fragment workflowState on ModelRequest {
  ...requestSummary
  workflow {
    pausedAt
    cost
    estimatedRemainingMs
    estimatedRemainingCost
    progress {
      total
      ended
      running
      waiting
      percent
    }
    steps {
      ...stepState
    }
  }
}
    fragment requestSummary on ModelRequest {
  id
  status
  taskType
  strategy
  priority
  preferLocal
  requestedModel
  deploymentId
  servedModel
  finishReason
  provider {
    id
    kind
    simulated
  }
  error {
    code
    message
    retryable
    retryAfterMs
  }
  usage {
    inputTokens
    outputTokens
    cachedInputTokens
    totalTokens
    estimated
  }
  cost
  createdAt
  startedAt
  firstTokenAt
  finishedAt
  waitMs
  timeToFirstTokenMs
  durationMs
  overheadMs
}
fragment stepState on WorkflowStep {
  id
  title
  kind
  status
  dependsOn
  note
  tries
  reused
  durationMs
  itemCount
  itemsEnded
  error {
    code
    message
  }
}`, {"fragmentName":"workflowState"}) as unknown as TypedDocumentString<WorkflowStateFragment, unknown>;
export const AuditEventsDocument = new TypedDocumentString(`
    query auditEvents($first: Int, $after: String, $filter: AuditFilter) {
  auditEvents(first: $first, after: $after, filter: $filter) {
    edges {
      cursor
      node {
        id
        at
        actorName
        action
        subject
        reason
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `) as unknown as TypedDocumentString<AuditEventsQuery, AuditEventsQueryVariables>;
export const BudgetsDocument = new TypedDocumentString(`
    query budgets($first: Int, $after: String) {
  budgets(first: $first, after: $after) {
    edges {
      cursor
      node {
        id
        user {
          id
          username
        }
        apiKeyId
        period
        limit
        spent
        reserved
        remaining
        resetsAt
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `) as unknown as TypedDocumentString<BudgetsQuery, BudgetsQueryVariables>;
export const CancelRequestDocument = new TypedDocumentString(`
    mutation cancelRequest($input: CancelRequestInput!) {
  cancelRequest(input: $input) {
    request {
      id
      status
    }
  }
}
    `) as unknown as TypedDocumentString<CancelRequestMutation, CancelRequestMutationVariables>;
export const ChangePasswordDocument = new TypedDocumentString(`
    mutation changePassword($input: ChangePasswordInput!) {
  changePassword(input: $input) {
    token
    expiresAt
  }
}
    `) as unknown as TypedDocumentString<ChangePasswordMutation, ChangePasswordMutationVariables>;
export const CreateApiKeyDocument = new TypedDocumentString(`
    mutation createApiKey($input: CreateApiKeyInput!) {
  createApiKey(input: $input) {
    apiKey {
      id
      name
      prefix
      scopes
      createdAt
      expiresAt
    }
    secret
  }
}
    `) as unknown as TypedDocumentString<CreateApiKeyMutation, CreateApiKeyMutationVariables>;
export const CreateProviderDocument = new TypedDocumentString(`
    mutation createProvider($input: CreateProviderInput!) {
  createProvider(input: $input) {
    provider {
      ...providerState
    }
  }
}
    fragment providerState on Provider {
  id
  kind
  source
  status
  statusReason
  checkedAt
  local
  simulated
  deployments {
    id
    model
    aliases
    contextWindow
    maxOutputTokens
    quality
    local
    simulated
    drained
    drainReason
    price {
      input
      output
      source
    }
    breaker {
      state
      failureRate
      calls
      failures
      since
      retryAt
      lastError
    }
  }
}`) as unknown as TypedDocumentString<CreateProviderMutation, CreateProviderMutationVariables>;
export const CreateUserDocument = new TypedDocumentString(`
    mutation createUser($input: CreateUserInput!) {
  createUser(input: $input) {
    user {
      id
      username
      role
    }
  }
}
    `) as unknown as TypedDocumentString<CreateUserMutation, CreateUserMutationVariables>;
export const CreateWorkflowDocument = new TypedDocumentString(`
    mutation createWorkflow($input: CreateWorkflowInput!) {
  createWorkflow(input: $input) {
    definition {
      id
      name
      version
    }
  }
}
    `) as unknown as TypedDocumentString<CreateWorkflowMutation, CreateWorkflowMutationVariables>;
export const DashboardDocument = new TypedDocumentString(`
    query dashboard($first: Int) {
  dashboard {
    load {
      running
      queued
    }
    lastHour {
      total {
        ...metricsFigures
      }
    }
    byProvider {
      ...metricsFigures
    }
    errorCodes {
      code
      requests
    }
    providers {
      id
      status
      statusReason
    }
    recentRequests(first: $first) {
      ...requestSummary
      prompt
    }
  }
}
    fragment metricsFigures on MetricsRow {
  key
  requests
  succeeded
  failed
  cancelled
  inProgress
  inputTokens
  outputTokens
  cachedInputTokens
  cost
  unpriced
  timeToFirstTokenMs {
    p50
    p95
    p99
  }
  durationMs {
    p50
    p95
    p99
  }
}
fragment requestSummary on ModelRequest {
  id
  status
  taskType
  strategy
  priority
  preferLocal
  requestedModel
  deploymentId
  servedModel
  finishReason
  provider {
    id
    kind
    simulated
  }
  error {
    code
    message
    retryable
    retryAfterMs
  }
  usage {
    inputTokens
    outputTokens
    cachedInputTokens
    totalTokens
    estimated
  }
  cost
  createdAt
  startedAt
  firstTokenAt
  finishedAt
  waitMs
  timeToFirstTokenMs
  durationMs
  overheadMs
}`) as unknown as TypedDocumentString<DashboardQuery, DashboardQueryVariables>;
export const DecideStepDocument = new TypedDocumentString(`
    mutation decideStep($input: DecideStepInput!) {
  decideStep(input: $input) {
    request {
      ...requestSummary
    }
  }
}
    fragment requestSummary on ModelRequest {
  id
  status
  taskType
  strategy
  priority
  preferLocal
  requestedModel
  deploymentId
  servedModel
  finishReason
  provider {
    id
    kind
    simulated
  }
  error {
    code
    message
    retryable
    retryAfterMs
  }
  usage {
    inputTokens
    outputTokens
    cachedInputTokens
    totalTokens
    estimated
  }
  cost
  createdAt
  startedAt
  firstTokenAt
  finishedAt
  waitMs
  timeToFirstTokenMs
  durationMs
  overheadMs
}`) as unknown as TypedDocumentString<DecideStepMutation, DecideStepMutationVariables>;
export const DeleteProviderDocument = new TypedDocumentString(`
    mutation deleteProvider($input: DeleteProviderInput!) {
  deleteProvider(input: $input) {
    providerId
  }
}
    `) as unknown as TypedDocumentString<DeleteProviderMutation, DeleteProviderMutationVariables>;
export const DeleteWorkflowDocument = new TypedDocumentString(`
    mutation deleteWorkflow($input: DeleteWorkflowInput!) {
  deleteWorkflow(input: $input) {
    name
  }
}
    `) as unknown as TypedDocumentString<DeleteWorkflowMutation, DeleteWorkflowMutationVariables>;
export const DrainDeploymentDocument = new TypedDocumentString(`
    mutation drainDeployment($input: DrainDeploymentInput!) {
  drainDeployment(input: $input) {
    provider {
      ...providerState
    }
  }
}
    fragment providerState on Provider {
  id
  kind
  source
  status
  statusReason
  checkedAt
  local
  simulated
  deployments {
    id
    model
    aliases
    contextWindow
    maxOutputTokens
    quality
    local
    simulated
    drained
    drainReason
    price {
      input
      output
      source
    }
    breaker {
      state
      failureRate
      calls
      failures
      since
      retryAt
      lastError
    }
  }
}`) as unknown as TypedDocumentString<DrainDeploymentMutation, DrainDeploymentMutationVariables>;
export const EnableDeploymentDocument = new TypedDocumentString(`
    mutation enableDeployment($input: EnableDeploymentInput!) {
  enableDeployment(input: $input) {
    provider {
      ...providerState
    }
  }
}
    fragment providerState on Provider {
  id
  kind
  source
  status
  statusReason
  checkedAt
  local
  simulated
  deployments {
    id
    model
    aliases
    contextWindow
    maxOutputTokens
    quality
    local
    simulated
    drained
    drainReason
    price {
      input
      output
      source
    }
    breaker {
      state
      failureRate
      calls
      failures
      since
      retryAt
      lastError
    }
  }
}`) as unknown as TypedDocumentString<EnableDeploymentMutation, EnableDeploymentMutationVariables>;
export const EstimateCostDocument = new TypedDocumentString(`
    query estimateCost($input: SubmitRequestInput!) {
  estimateCost(input: $input) {
    deploymentId
    inputTokens
    maxOutputTokens
    cost
    typicalCost
    rejection
  }
}
    `) as unknown as TypedDocumentString<EstimateCostQuery, EstimateCostQueryVariables>;
export const InstancesDocument = new TypedDocumentString(`
    query instances {
  instances {
    id
    version
    hostname
    pid
    startedAt
    lastBeatAt
    isSelf
    runningRequests
  }
}
    `) as unknown as TypedDocumentString<InstancesQuery, InstancesQueryVariables>;
export const LoginDocument = new TypedDocumentString(`
    mutation login($input: LoginInput!) {
  login(input: $input) {
    token
    expiresAt
    viewer {
      id
      username
      role
    }
  }
}
    `) as unknown as TypedDocumentString<LoginMutation, LoginMutationVariables>;
export const LogoutDocument = new TypedDocumentString(`
    mutation logout {
  logout {
    loggedOut
  }
}
    `) as unknown as TypedDocumentString<LogoutMutation, LogoutMutationVariables>;
export const MetricsDocument = new TypedDocumentString(`
    query metrics($range: TimeRangeInput, $groupBy: MetricsDimension, $filter: RequestFilter) {
  metrics(range: $range, groupBy: $groupBy, filter: $filter) {
    computedAt
    total {
      ...metricsFigures
    }
    groups {
      ...metricsFigures
    }
  }
}
    fragment metricsFigures on MetricsRow {
  key
  requests
  succeeded
  failed
  cancelled
  inProgress
  inputTokens
  outputTokens
  cachedInputTokens
  cost
  unpriced
  timeToFirstTokenMs {
    p50
    p95
    p99
  }
  durationMs {
    p50
    p95
    p99
  }
}`) as unknown as TypedDocumentString<MetricsQuery, MetricsQueryVariables>;
export const MetricsUpdatesDocument = new TypedDocumentString(`
    subscription metricsUpdates {
  metricsUpdates {
    computedAt
    total {
      ...metricsFigures
    }
  }
}
    fragment metricsFigures on MetricsRow {
  key
  requests
  succeeded
  failed
  cancelled
  inProgress
  inputTokens
  outputTokens
  cachedInputTokens
  cost
  unpriced
  timeToFirstTokenMs {
    p50
    p95
    p99
  }
  durationMs {
    p50
    p95
    p99
  }
}`) as unknown as TypedDocumentString<MetricsUpdatesSubscription, MetricsUpdatesSubscriptionVariables>;
export const OpenBreakerDocument = new TypedDocumentString(`
    mutation openBreaker($input: OpenBreakerInput!) {
  openBreaker(input: $input) {
    provider {
      ...providerState
    }
  }
}
    fragment providerState on Provider {
  id
  kind
  source
  status
  statusReason
  checkedAt
  local
  simulated
  deployments {
    id
    model
    aliases
    contextWindow
    maxOutputTokens
    quality
    local
    simulated
    drained
    drainReason
    price {
      input
      output
      source
    }
    breaker {
      state
      failureRate
      calls
      failures
      since
      retryAt
      lastError
    }
  }
}`) as unknown as TypedDocumentString<OpenBreakerMutation, OpenBreakerMutationVariables>;
export const PauseWorkflowDocument = new TypedDocumentString(`
    mutation pauseWorkflow($input: PauseWorkflowInput!) {
  pauseWorkflow(input: $input) {
    request {
      ...requestSummary
    }
  }
}
    fragment requestSummary on ModelRequest {
  id
  status
  taskType
  strategy
  priority
  preferLocal
  requestedModel
  deploymentId
  servedModel
  finishReason
  provider {
    id
    kind
    simulated
  }
  error {
    code
    message
    retryable
    retryAfterMs
  }
  usage {
    inputTokens
    outputTokens
    cachedInputTokens
    totalTokens
    estimated
  }
  cost
  createdAt
  startedAt
  firstTokenAt
  finishedAt
  waitMs
  timeToFirstTokenMs
  durationMs
  overheadMs
}`) as unknown as TypedDocumentString<PauseWorkflowMutation, PauseWorkflowMutationVariables>;
export const ProviderUpdatesDocument = new TypedDocumentString(`
    subscription providerUpdates {
  providerUpdates {
    ...providerState
  }
}
    fragment providerState on Provider {
  id
  kind
  source
  status
  statusReason
  checkedAt
  local
  simulated
  deployments {
    id
    model
    aliases
    contextWindow
    maxOutputTokens
    quality
    local
    simulated
    drained
    drainReason
    price {
      input
      output
      source
    }
    breaker {
      state
      failureRate
      calls
      failures
      since
      retryAt
      lastError
    }
  }
}`) as unknown as TypedDocumentString<ProviderUpdatesSubscription, ProviderUpdatesSubscriptionVariables>;
export const ProvidersDocument = new TypedDocumentString(`
    query providers {
  providers {
    ...providerState
  }
}
    fragment providerState on Provider {
  id
  kind
  source
  status
  statusReason
  checkedAt
  local
  simulated
  deployments {
    id
    model
    aliases
    contextWindow
    maxOutputTokens
    quality
    local
    simulated
    drained
    drainReason
    price {
      input
      output
      source
    }
    breaker {
      state
      failureRate
      calls
      failures
      since
      retryAt
      lastError
    }
  }
}`) as unknown as TypedDocumentString<ProvidersQuery, ProvidersQueryVariables>;
export const RateLimitsDocument = new TypedDocumentString(`
    query rateLimits {
  viewer {
    id
    rateLimits {
      ...rateLimitState
    }
  }
}
    fragment rateLimitState on RateLimit {
  kind
  limit
  overridden
  remaining
  resetAt
}`) as unknown as TypedDocumentString<RateLimitsQuery, RateLimitsQueryVariables>;
export const RemoveBudgetDocument = new TypedDocumentString(`
    mutation removeBudget($input: RemoveBudgetInput!) {
  removeBudget(input: $input) {
    budget {
      id
    }
  }
}
    `) as unknown as TypedDocumentString<RemoveBudgetMutation, RemoveBudgetMutationVariables>;
export const RequestDocument = new TypedDocumentString(`
    query request($id: ID!) {
  request(id: $id) {
    ...requestSummary
    queuePosition
    prompt
    output
    attempts {
      ...attemptState
    }
    routing {
      explanation
      candidates {
        deploymentId
        score
      }
      rejections {
        deploymentId
        reason
        detail
      }
    }
  }
}
    fragment attemptState on Attempt {
  number
  deploymentId
  servedModel
  outcome
  startedAt
  timeToFirstTokenMs
  durationMs
  cost
  priceSource
  error {
    code
    message
  }
  usage {
    inputTokens
    outputTokens
    cachedInputTokens
    estimated
  }
}
fragment requestSummary on ModelRequest {
  id
  status
  taskType
  strategy
  priority
  preferLocal
  requestedModel
  deploymentId
  servedModel
  finishReason
  provider {
    id
    kind
    simulated
  }
  error {
    code
    message
    retryable
    retryAfterMs
  }
  usage {
    inputTokens
    outputTokens
    cachedInputTokens
    totalTokens
    estimated
  }
  cost
  createdAt
  startedAt
  firstTokenAt
  finishedAt
  waitMs
  timeToFirstTokenMs
  durationMs
  overheadMs
}`) as unknown as TypedDocumentString<RequestQuery, RequestQueryVariables>;
export const RequestFeedDocument = new TypedDocumentString(`
    subscription requestFeed($filter: RequestFilter) {
  requestFeed(filter: $filter) {
    ...requestSummary
  }
}
    fragment requestSummary on ModelRequest {
  id
  status
  taskType
  strategy
  priority
  preferLocal
  requestedModel
  deploymentId
  servedModel
  finishReason
  provider {
    id
    kind
    simulated
  }
  error {
    code
    message
    retryable
    retryAfterMs
  }
  usage {
    inputTokens
    outputTokens
    cachedInputTokens
    totalTokens
    estimated
  }
  cost
  createdAt
  startedAt
  firstTokenAt
  finishedAt
  waitMs
  timeToFirstTokenMs
  durationMs
  overheadMs
}`) as unknown as TypedDocumentString<RequestFeedSubscription, RequestFeedSubscriptionVariables>;
export const RequestsDocument = new TypedDocumentString(`
    query requests($first: Int, $after: String, $last: Int, $before: String, $filter: RequestFilter) {
  requests(
    first: $first
    after: $after
    last: $last
    before: $before
    filter: $filter
  ) {
    edges {
      cursor
      node {
        ...requestSummary
        queuePosition
        prompt
      }
    }
    pageInfo {
      hasNextPage
      hasPreviousPage
      startCursor
      endCursor
    }
  }
}
    fragment requestSummary on ModelRequest {
  id
  status
  taskType
  strategy
  priority
  preferLocal
  requestedModel
  deploymentId
  servedModel
  finishReason
  provider {
    id
    kind
    simulated
  }
  error {
    code
    message
    retryable
    retryAfterMs
  }
  usage {
    inputTokens
    outputTokens
    cachedInputTokens
    totalTokens
    estimated
  }
  cost
  createdAt
  startedAt
  firstTokenAt
  finishedAt
  waitMs
  timeToFirstTokenMs
  durationMs
  overheadMs
}`) as unknown as TypedDocumentString<RequestsQuery, RequestsQueryVariables>;
export const RerunWorkflowDocument = new TypedDocumentString(`
    mutation rerunWorkflow($input: RerunWorkflowInput!) {
  rerunWorkflow(input: $input) {
    request {
      ...requestSummary
    }
  }
}
    fragment requestSummary on ModelRequest {
  id
  status
  taskType
  strategy
  priority
  preferLocal
  requestedModel
  deploymentId
  servedModel
  finishReason
  provider {
    id
    kind
    simulated
  }
  error {
    code
    message
    retryable
    retryAfterMs
  }
  usage {
    inputTokens
    outputTokens
    cachedInputTokens
    totalTokens
    estimated
  }
  cost
  createdAt
  startedAt
  firstTokenAt
  finishedAt
  waitMs
  timeToFirstTokenMs
  durationMs
  overheadMs
}`) as unknown as TypedDocumentString<RerunWorkflowMutation, RerunWorkflowMutationVariables>;
export const ResetBreakerDocument = new TypedDocumentString(`
    mutation resetBreaker($input: ResetBreakerInput!) {
  resetBreaker(input: $input) {
    provider {
      ...providerState
    }
  }
}
    fragment providerState on Provider {
  id
  kind
  source
  status
  statusReason
  checkedAt
  local
  simulated
  deployments {
    id
    model
    aliases
    contextWindow
    maxOutputTokens
    quality
    local
    simulated
    drained
    drainReason
    price {
      input
      output
      source
    }
    breaker {
      state
      failureRate
      calls
      failures
      since
      retryAt
      lastError
    }
  }
}`) as unknown as TypedDocumentString<ResetBreakerMutation, ResetBreakerMutationVariables>;
export const ResumeWorkflowDocument = new TypedDocumentString(`
    mutation resumeWorkflow($input: ResumeWorkflowInput!) {
  resumeWorkflow(input: $input) {
    request {
      ...requestSummary
    }
  }
}
    fragment requestSummary on ModelRequest {
  id
  status
  taskType
  strategy
  priority
  preferLocal
  requestedModel
  deploymentId
  servedModel
  finishReason
  provider {
    id
    kind
    simulated
  }
  error {
    code
    message
    retryable
    retryAfterMs
  }
  usage {
    inputTokens
    outputTokens
    cachedInputTokens
    totalTokens
    estimated
  }
  cost
  createdAt
  startedAt
  firstTokenAt
  finishedAt
  waitMs
  timeToFirstTokenMs
  durationMs
  overheadMs
}`) as unknown as TypedDocumentString<ResumeWorkflowMutation, ResumeWorkflowMutationVariables>;
export const RevokeApiKeyDocument = new TypedDocumentString(`
    mutation revokeApiKey($input: RevokeApiKeyInput!) {
  revokeApiKey(input: $input) {
    apiKey {
      id
      name
      revokedAt
    }
  }
}
    `) as unknown as TypedDocumentString<RevokeApiKeyMutation, RevokeApiKeyMutationVariables>;
export const RevokeSessionDocument = new TypedDocumentString(`
    mutation revokeSession($input: RevokeSessionInput!) {
  revokeSession(input: $input) {
    sessionId
  }
}
    `) as unknown as TypedDocumentString<RevokeSessionMutation, RevokeSessionMutationVariables>;
export const RotateApiKeyDocument = new TypedDocumentString(`
    mutation rotateApiKey($input: RotateApiKeyInput!) {
  rotateApiKey(input: $input) {
    apiKey {
      id
      name
      scopes
      expiresAt
    }
    secret
    replaced {
      id
      expiresAt
    }
  }
}
    `) as unknown as TypedDocumentString<RotateApiKeyMutation, RotateApiKeyMutationVariables>;
export const RunWorkflowDocument = new TypedDocumentString(`
    mutation runWorkflow($input: RunWorkflowInput!) {
  runWorkflow(input: $input) {
    request {
      ...requestSummary
    }
  }
}
    fragment requestSummary on ModelRequest {
  id
  status
  taskType
  strategy
  priority
  preferLocal
  requestedModel
  deploymentId
  servedModel
  finishReason
  provider {
    id
    kind
    simulated
  }
  error {
    code
    message
    retryable
    retryAfterMs
  }
  usage {
    inputTokens
    outputTokens
    cachedInputTokens
    totalTokens
    estimated
  }
  cost
  createdAt
  startedAt
  firstTokenAt
  finishedAt
  waitMs
  timeToFirstTokenMs
  durationMs
  overheadMs
}`) as unknown as TypedDocumentString<RunWorkflowMutation, RunWorkflowMutationVariables>;
export const SetBudgetDocument = new TypedDocumentString(`
    mutation setBudget($input: SetBudgetInput!) {
  setBudget(input: $input) {
    budget {
      id
      apiKeyId
      period
      limit
      spent
      reserved
      remaining
      resetsAt
    }
  }
}
    `) as unknown as TypedDocumentString<SetBudgetMutation, SetBudgetMutationVariables>;
export const SetRateLimitsDocument = new TypedDocumentString(`
    mutation setRateLimits($input: SetRateLimitsInput!) {
  setRateLimits(input: $input) {
    user {
      id
      rateLimits {
        ...rateLimitState
      }
    }
    apiKey {
      id
      rateLimits {
        ...rateLimitState
      }
    }
  }
}
    fragment rateLimitState on RateLimit {
  kind
  limit
  overridden
  remaining
  resetAt
}`) as unknown as TypedDocumentString<SetRateLimitsMutation, SetRateLimitsMutationVariables>;
export const SimulateRouteDocument = new TypedDocumentString(`
    query simulateRoute($input: SubmitRequestInput!) {
  simulateRoute(input: $input) {
    strategy
    explanation
    estimatedInputTokens
    estimatedOutputTokens
    candidates {
      deploymentId
      score
      local
      estimatedCost
      estimatedDurationMs
    }
    rejections {
      deploymentId
      reason
      detail
    }
  }
}
    `) as unknown as TypedDocumentString<SimulateRouteQuery, SimulateRouteQueryVariables>;
export const SubmitAndFollowDocument = new TypedDocumentString(`
    subscription submitAndFollow($input: SubmitRequestInput!) {
  submitRequest(input: $input) {
    ...streamEvent
    ... on RequestAccepted {
      request {
        ...requestSummary
      }
    }
  }
}
    fragment requestSummary on ModelRequest {
  id
  status
  taskType
  strategy
  priority
  preferLocal
  requestedModel
  deploymentId
  servedModel
  finishReason
  provider {
    id
    kind
    simulated
  }
  error {
    code
    message
    retryable
    retryAfterMs
  }
  usage {
    inputTokens
    outputTokens
    cachedInputTokens
    totalTokens
    estimated
  }
  cost
  createdAt
  startedAt
  firstTokenAt
  finishedAt
  waitMs
  timeToFirstTokenMs
  durationMs
  overheadMs
}
fragment stepState on WorkflowStep {
  id
  title
  kind
  status
  dependsOn
  note
  tries
  reused
  durationMs
  itemCount
  itemsEnded
  error {
    code
    message
  }
}
fragment streamEvent on StreamEvent {
  __typename
  cursor
  requestId
  ... on TokenDelta {
    text
    step
  }
  ... on AttemptStarted {
    attempt
    deployment
  }
  ... on StreamRestarted {
    attempt
    reason
    keepThrough
    step
  }
  ... on StepUpdated {
    updated: step {
      ...stepState
    }
  }
  ... on StreamCompleted {
    request {
      ...requestSummary
    }
  }
  ... on StreamFailed {
    error {
      code
      message
      retryable
      retryAfterMs
    }
    request {
      ...requestSummary
    }
  }
}`) as unknown as TypedDocumentString<SubmitAndFollowSubscription, SubmitAndFollowSubscriptionVariables>;
export const SubmitRequestDocument = new TypedDocumentString(`
    mutation submitRequest($input: SubmitRequestInput!) {
  submitRequest(input: $input) {
    request {
      id
      status
      createdAt
      queuePosition
    }
  }
}
    `) as unknown as TypedDocumentString<SubmitRequestMutation, SubmitRequestMutationVariables>;
export const TokenStreamDocument = new TypedDocumentString(`
    subscription tokenStream($requestId: ID!, $after: String) {
  tokenStream(requestId: $requestId, after: $after) {
    ...streamEvent
  }
}
    fragment requestSummary on ModelRequest {
  id
  status
  taskType
  strategy
  priority
  preferLocal
  requestedModel
  deploymentId
  servedModel
  finishReason
  provider {
    id
    kind
    simulated
  }
  error {
    code
    message
    retryable
    retryAfterMs
  }
  usage {
    inputTokens
    outputTokens
    cachedInputTokens
    totalTokens
    estimated
  }
  cost
  createdAt
  startedAt
  firstTokenAt
  finishedAt
  waitMs
  timeToFirstTokenMs
  durationMs
  overheadMs
}
fragment stepState on WorkflowStep {
  id
  title
  kind
  status
  dependsOn
  note
  tries
  reused
  durationMs
  itemCount
  itemsEnded
  error {
    code
    message
  }
}
fragment streamEvent on StreamEvent {
  __typename
  cursor
  requestId
  ... on TokenDelta {
    text
    step
  }
  ... on AttemptStarted {
    attempt
    deployment
  }
  ... on StreamRestarted {
    attempt
    reason
    keepThrough
    step
  }
  ... on StepUpdated {
    updated: step {
      ...stepState
    }
  }
  ... on StreamCompleted {
    request {
      ...requestSummary
    }
  }
  ... on StreamFailed {
    error {
      code
      message
      retryable
      retryAfterMs
    }
    request {
      ...requestSummary
    }
  }
}`) as unknown as TypedDocumentString<TokenStreamSubscription, TokenStreamSubscriptionVariables>;
export const UpdateProviderDocument = new TypedDocumentString(`
    mutation updateProvider($input: UpdateProviderInput!) {
  updateProvider(input: $input) {
    provider {
      ...providerState
    }
  }
}
    fragment providerState on Provider {
  id
  kind
  source
  status
  statusReason
  checkedAt
  local
  simulated
  deployments {
    id
    model
    aliases
    contextWindow
    maxOutputTokens
    quality
    local
    simulated
    drained
    drainReason
    price {
      input
      output
      source
    }
    breaker {
      state
      failureRate
      calls
      failures
      since
      retryAt
      lastError
    }
  }
}`) as unknown as TypedDocumentString<UpdateProviderMutation, UpdateProviderMutationVariables>;
export const UpdateUserDocument = new TypedDocumentString(`
    mutation updateUser($input: UpdateUserInput!) {
  updateUser(input: $input) {
    user {
      id
      username
      role
      disabled
    }
  }
}
    `) as unknown as TypedDocumentString<UpdateUserMutation, UpdateUserMutationVariables>;
export const UserAccountDocument = new TypedDocumentString(`
    query userAccount($id: ID!) {
  node(id: $id) {
    ... on User {
      id
      username
      role
      disabled
      createdAt
      deletedAt
      apiKeys {
        id
        name
        prefix
        scopes
        createdAt
        expiresAt
        lastUsedAt
        revokedAt
      }
      sessions {
        id
        createdAt
        expiresAt
      }
    }
  }
}
    `) as unknown as TypedDocumentString<UserAccountQuery, UserAccountQueryVariables>;
export const UserAuditEventsDocument = new TypedDocumentString(`
    query userAuditEvents($id: ID!, $first: Int, $after: String) {
  node(id: $id) {
    ... on User {
      auditEvents(first: $first, after: $after) {
        nodes {
          id
          at
          actorId
          actorName
          action
          subject
          reason
          data
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<UserAuditEventsQuery, UserAuditEventsQueryVariables>;
export const UserRequestsDocument = new TypedDocumentString(`
    query userRequests($user: ID!, $first: Int, $after: String) {
  requests(
    first: $first
    after: $after
    filter: { user: $user, includeSteps: true }
  ) {
    nodes {
      ...requestSummary
      parent {
        id
      }
      step
      contentDeletedAt
      maxOutputTokens
      temperature
      stop
      outputSchema
      system
      messages {
        role
        content
      }
      metadata
      output
      attempts {
        ...attemptState
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    fragment attemptState on Attempt {
  number
  deploymentId
  servedModel
  outcome
  startedAt
  timeToFirstTokenMs
  durationMs
  cost
  priceSource
  error {
    code
    message
  }
  usage {
    inputTokens
    outputTokens
    cachedInputTokens
    estimated
  }
}
fragment requestSummary on ModelRequest {
  id
  status
  taskType
  strategy
  priority
  preferLocal
  requestedModel
  deploymentId
  servedModel
  finishReason
  provider {
    id
    kind
    simulated
  }
  error {
    code
    message
    retryable
    retryAfterMs
  }
  usage {
    inputTokens
    outputTokens
    cachedInputTokens
    totalTokens
    estimated
  }
  cost
  createdAt
  startedAt
  firstTokenAt
  finishedAt
  waitMs
  timeToFirstTokenMs
  durationMs
  overheadMs
}`) as unknown as TypedDocumentString<UserRequestsQuery, UserRequestsQueryVariables>;
export const UserWorkflowDefinitionsDocument = new TypedDocumentString(`
    query userWorkflowDefinitions($first: Int, $after: String) {
  workflowDefinitions(first: $first, after: $after) {
    nodes {
      id
      ownerId
      name
      version
      description
      steps
      parameters
      createdAt
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `) as unknown as TypedDocumentString<UserWorkflowDefinitionsQuery, UserWorkflowDefinitionsQueryVariables>;
export const UsersDocument = new TypedDocumentString(`
    query users($first: Int, $after: String) {
  users(first: $first, after: $after) {
    edges {
      cursor
      node {
        id
        username
        role
        disabled
        createdAt
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `) as unknown as TypedDocumentString<UsersQuery, UsersQueryVariables>;
export const ViewerDocument = new TypedDocumentString(`
    query viewer {
  viewer {
    id
    username
    role
    createdAt
    apiKeys {
      id
      name
      prefix
      createdAt
      expiresAt
      lastUsedAt
      revokedAt
    }
    sessions {
      id
      createdAt
      expiresAt
      current
    }
  }
}
    `) as unknown as TypedDocumentString<ViewerQuery, ViewerQueryVariables>;
export const WorkflowDocument = new TypedDocumentString(`
    query workflow($requestId: ID!) {
  request(id: $requestId) {
    ...workflowState
  }
}
    fragment requestSummary on ModelRequest {
  id
  status
  taskType
  strategy
  priority
  preferLocal
  requestedModel
  deploymentId
  servedModel
  finishReason
  provider {
    id
    kind
    simulated
  }
  error {
    code
    message
    retryable
    retryAfterMs
  }
  usage {
    inputTokens
    outputTokens
    cachedInputTokens
    totalTokens
    estimated
  }
  cost
  createdAt
  startedAt
  firstTokenAt
  finishedAt
  waitMs
  timeToFirstTokenMs
  durationMs
  overheadMs
}
fragment stepState on WorkflowStep {
  id
  title
  kind
  status
  dependsOn
  note
  tries
  reused
  durationMs
  itemCount
  itemsEnded
  error {
    code
    message
  }
}
fragment workflowState on ModelRequest {
  ...requestSummary
  workflow {
    pausedAt
    cost
    estimatedRemainingMs
    estimatedRemainingCost
    progress {
      total
      ended
      running
      waiting
      percent
    }
    steps {
      ...stepState
    }
  }
}`) as unknown as TypedDocumentString<WorkflowQuery, WorkflowQueryVariables>;
export const WorkflowDefinitionsDocument = new TypedDocumentString(`
    query workflowDefinitions($first: Int, $after: String) {
  workflowDefinitions(first: $first, after: $after) {
    nodes {
      id
      name
      version
      shared
      description
      createdAt
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `) as unknown as TypedDocumentString<WorkflowDefinitionsQuery, WorkflowDefinitionsQueryVariables>;
export const WorkflowStepItemsDocument = new TypedDocumentString(`
    query workflowStepItems($id: ID!, $step: ID!, $from: Int, $first: Int) {
  request(id: $id) {
    workflow {
      step(id: $step) {
        items(from: $from, first: $first) {
          index
          input
          status
          output
          tries
          request {
            id
          }
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<WorkflowStepItemsQuery, WorkflowStepItemsQueryVariables>;
export const WorkflowStepsDocument = new TypedDocumentString(`
    query workflowSteps($id: ID!) {
  request(id: $id) {
    workflow {
      steps {
        ...stepState
        prompt
        output
        startedAt
        finishedAt
        request {
          id
        }
      }
    }
  }
}
    fragment stepState on WorkflowStep {
  id
  title
  kind
  status
  dependsOn
  note
  tries
  reused
  durationMs
  itemCount
  itemsEnded
  error {
    code
    message
  }
}`) as unknown as TypedDocumentString<WorkflowStepsQuery, WorkflowStepsQueryVariables>;