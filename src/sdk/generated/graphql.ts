/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** How a call of a deployment ended. */
export type AttemptOutcome =
  /** The request was cancelled during the call, or its instance stopped. */
  | 'CANCELLED'
  /** Without a complete answer. */
  | 'FAILED'
  /** Its instance died during the call. What it brought and cost is unknown, and in no sum. */
  | 'LOST'
  /** With a complete answer. */
  | 'SUCCEEDED';

/** Every condition given must hold. */
export type AuditFilter = {
  /** Exactly this act, for example `breaker.reset`. */
  action?: string | null | undefined;
  /** Id of the user who did it. */
  actor?: string | null | undefined;
};

/** State of a circuit breaker, in the sense of electricians. */
export type BreakerState =
  /** Calls pass. */
  | 'CLOSED'
  /** Single calls pass as probes; they decide between CLOSED and OPEN. */
  | 'HALF_OPEN'
  /** No call passes, until `retryAt`. */
  | 'OPEN';

/** What to cancel. */
export type CancelRequestInput = {
  /** The id of the request. */
  requestId: string;
};

/** The old and the new password. */
export type ChangePasswordInput = {
  /** The password as it is. */
  currentPassword: string;
  /** The password to be: 8 to 256 characters. */
  newPassword: string;
};

/** An API key to be. */
export type CreateApiKeyInput = {
  /** When it ends; left out: never by itself. */
  expiresAt?: string | null | undefined;
  /** What to call it. */
  name: string;
  /** For whom; left out: for oneself. Others only by ADMIN. */
  userId?: string | null | undefined;
};

/** A user to be. */
export type CreateUserInput = {
  /** 8 to 256 characters. Required for ADMIN and USER; a SERVICE has none. */
  password?: string | null | undefined;
  /** What the user may do. */
  role: Role;
  /** Unique; letter case and outer spaces do not count. */
  username: string;
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
  /** The provider answered something that is not an answer: another format, an empty body, too large. */
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
  /** The caller is known but its role does not allow this. */
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

/** Why a deployment cannot serve a request. */
export type RejectionReason =
  /** Its circuit breaker is open: after failures, or by hand. */
  | 'BREAKER_OPEN'
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
  /** More output is asked for than it can give. */
  | 'OUTPUT_TOO_LONG'
  /** The configuration keeps it out unless it is named. */
  | 'POLICY'
  /** Its provider cannot be used at the moment. */
  | 'PROVIDER_UNAVAILABLE'
  /** It makes answers up, and real deployments exist. */
  | 'SIMULATED';

/** Every condition given must hold; of a list, any of its members. An empty list is no condition. Lists have at most 50 members. */
export type RequestFilter = {
  /** When they were submitted. */
  createdAt?: TimeRangeInput | null | undefined;
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

/** Which breakers to close: by `deploymentId` or by `providerId`, exactly one of them. */
export type ResetBreakerInput = {
  /** The deployment, for example `openai/gpt-6-sol`. */
  deploymentId?: string | null | undefined;
  /** The provider; all of its breakers are closed. */
  providerId?: string | null | undefined;
  /** Why, for the audit log: 1 to 500 characters. */
  reason: string;
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

/** A request to be. Send `prompt` or `messages`; everything else has a default. */
export type SubmitRequestInput = {
  /** Show nothing before the whole answer is there: what broke off and was begun again is then never seen. */
  buffered?: boolean | null | undefined;
  /** How long to wait at most. */
  deadlines?: DeadlinesInput | null | undefined;
  /** Makes it safe to send this again: the same key with the same input gives the request it made before, with another input IDEMPOTENCY_CONFLICT. 1 to 200 characters. */
  idempotencyKey?: string | null | undefined;
  /** The longest answer in tokens. Left out: what the model allows. */
  maxOutputTokens?: number | null | undefined;
  /** A conversation of 1 to 1,000 messages, one of them by USER. Excludes `prompt`. */
  messages?: Array<MessageInput> | null | undefined;
  /** Anything of yours, kept with the request. */
  metadata?: unknown;
  /** A deployment's id, a model's name, an alias, or `provider/*`. Left out: routing chooses. 1 to 200 characters. */
  model?: string | null | undefined;
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

/** What to change of a user; what is left out or null stays. */
export type UpdateUserInput = {
  /** True: refuse all credentials of the user at once. */
  disabled?: boolean | null | undefined;
  /** A new password, 8 to 256 characters. */
  password?: string | null | undefined;
  /** The new role. */
  role?: Role | null | undefined;
  /** The id of the user. */
  userId: string;
};

export type AuditEventsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  filter?: AuditFilter | null | undefined;
}>;


export type AuditEventsQuery = { auditEvents: { edges: Array<{ cursor: string, node: { id: string, at: string, actorName: string | null, action: string, subject: string | null, reason: string | null } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

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


export type CreateApiKeyMutation = { createApiKey: { secret: string, apiKey: { id: string, name: string, prefix: string, createdAt: string, expiresAt: string | null } } };

export type CreateUserMutationVariables = Exact<{
  input: CreateUserInput;
}>;


export type CreateUserMutation = { createUser: { user: { id: string, username: string, role: Role } } };

export type DashboardQueryVariables = Exact<{
  first?: number | null | undefined;
}>;


export type DashboardQuery = { dashboard: { load: { running: number, queued: number }, lastHour: { total: { key: string | null, requests: number, succeeded: number, failed: number, cancelled: number, inProgress: number, inputTokens: string, outputTokens: string, cachedInputTokens: string, cost: string, unpriced: number, timeToFirstTokenMs: { p50: number, p95: number, p99: number } | null, durationMs: { p50: number, p95: number, p99: number } | null } }, byProvider: Array<{ key: string | null, requests: number, succeeded: number, failed: number, cancelled: number, inProgress: number, inputTokens: string, outputTokens: string, cachedInputTokens: string, cost: string, unpriced: number, timeToFirstTokenMs: { p50: number, p95: number, p99: number } | null, durationMs: { p50: number, p95: number, p99: number } | null }>, errorCodes: Array<{ code: ErrorCode, requests: number }>, providers: Array<{ id: string, status: ProviderStatus, statusReason: string | null }>, recentRequests: Array<{ prompt: string | null, id: string, status: RequestStatus, taskType: TaskType, strategy: RoutingStrategy, priority: number, preferLocal: boolean, requestedModel: string | null, deploymentId: string | null, servedModel: string | null, finishReason: string | null, cost: string | null, createdAt: string, startedAt: string | null, firstTokenAt: string | null, finishedAt: string | null, waitMs: number | null, timeToFirstTokenMs: number | null, durationMs: number | null, overheadMs: number | null, provider: { id: string, kind: string, simulated: boolean } | null, error: { code: ErrorCode, message: string, retryable: boolean, retryAfterMs: number | null } | null, usage: { inputTokens: number, outputTokens: number, cachedInputTokens: number, totalTokens: number, estimated: boolean } | null }> } };

export type DrainDeploymentMutationVariables = Exact<{
  input: DrainDeploymentInput;
}>;


export type DrainDeploymentMutation = { drainDeployment: { provider: { id: string, kind: string, status: ProviderStatus, statusReason: string | null, checkedAt: string | null, local: boolean, simulated: boolean, deployments: Array<{ id: string, model: string, aliases: Array<string>, contextWindow: number, maxOutputTokens: number, quality: number, local: boolean, simulated: boolean, drained: boolean, drainReason: string | null, price: { input: string, output: string, source: string } | null, breaker: { state: BreakerState, failureRate: number, calls: number, failures: number, since: string, retryAt: string | null, lastError: string | null } }> } } };

export type EnableDeploymentMutationVariables = Exact<{
  input: EnableDeploymentInput;
}>;


export type EnableDeploymentMutation = { enableDeployment: { provider: { id: string, kind: string, status: ProviderStatus, statusReason: string | null, checkedAt: string | null, local: boolean, simulated: boolean, deployments: Array<{ id: string, model: string, aliases: Array<string>, contextWindow: number, maxOutputTokens: number, quality: number, local: boolean, simulated: boolean, drained: boolean, drainReason: string | null, price: { input: string, output: string, source: string } | null, breaker: { state: BreakerState, failureRate: number, calls: number, failures: number, since: string, retryAt: string | null, lastError: string | null } }> } } };

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


export type OpenBreakerMutation = { openBreaker: { provider: { id: string, kind: string, status: ProviderStatus, statusReason: string | null, checkedAt: string | null, local: boolean, simulated: boolean, deployments: Array<{ id: string, model: string, aliases: Array<string>, contextWindow: number, maxOutputTokens: number, quality: number, local: boolean, simulated: boolean, drained: boolean, drainReason: string | null, price: { input: string, output: string, source: string } | null, breaker: { state: BreakerState, failureRate: number, calls: number, failures: number, since: string, retryAt: string | null, lastError: string | null } }> } } };

export type ProviderStateFragment = { id: string, kind: string, status: ProviderStatus, statusReason: string | null, checkedAt: string | null, local: boolean, simulated: boolean, deployments: Array<{ id: string, model: string, aliases: Array<string>, contextWindow: number, maxOutputTokens: number, quality: number, local: boolean, simulated: boolean, drained: boolean, drainReason: string | null, price: { input: string, output: string, source: string } | null, breaker: { state: BreakerState, failureRate: number, calls: number, failures: number, since: string, retryAt: string | null, lastError: string | null } }> };

export type ProviderUpdatesSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type ProviderUpdatesSubscription = { providerUpdates: { id: string, kind: string, status: ProviderStatus, statusReason: string | null, checkedAt: string | null, local: boolean, simulated: boolean, deployments: Array<{ id: string, model: string, aliases: Array<string>, contextWindow: number, maxOutputTokens: number, quality: number, local: boolean, simulated: boolean, drained: boolean, drainReason: string | null, price: { input: string, output: string, source: string } | null, breaker: { state: BreakerState, failureRate: number, calls: number, failures: number, since: string, retryAt: string | null, lastError: string | null } }> } };

export type ProvidersQueryVariables = Exact<{ [key: string]: never; }>;


export type ProvidersQuery = { providers: Array<{ id: string, kind: string, status: ProviderStatus, statusReason: string | null, checkedAt: string | null, local: boolean, simulated: boolean, deployments: Array<{ id: string, model: string, aliases: Array<string>, contextWindow: number, maxOutputTokens: number, quality: number, local: boolean, simulated: boolean, drained: boolean, drainReason: string | null, price: { input: string, output: string, source: string } | null, breaker: { state: BreakerState, failureRate: number, calls: number, failures: number, since: string, retryAt: string | null, lastError: string | null } }> }> };

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

export type ResetBreakerMutationVariables = Exact<{
  input: ResetBreakerInput;
}>;


export type ResetBreakerMutation = { resetBreaker: { provider: { id: string, kind: string, status: ProviderStatus, statusReason: string | null, checkedAt: string | null, local: boolean, simulated: boolean, deployments: Array<{ id: string, model: string, aliases: Array<string>, contextWindow: number, maxOutputTokens: number, quality: number, local: boolean, simulated: boolean, drained: boolean, drainReason: string | null, price: { input: string, output: string, source: string } | null, breaker: { state: BreakerState, failureRate: number, calls: number, failures: number, since: string, retryAt: string | null, lastError: string | null } }> } } };

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


export type RotateApiKeyMutation = { rotateApiKey: { secret: string, apiKey: { id: string, name: string, expiresAt: string | null }, replaced: { id: string, expiresAt: string | null } } };

export type SimulateRouteQueryVariables = Exact<{
  input: SubmitRequestInput;
}>;


export type SimulateRouteQuery = { simulateRoute: { strategy: RoutingStrategy, explanation: string, estimatedInputTokens: number, estimatedOutputTokens: number, candidates: Array<{ deploymentId: string, score: number, local: boolean, estimatedCost: string | null, estimatedDurationMs: number }>, rejections: Array<{ deploymentId: string, reason: RejectionReason, detail: string }> } };

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
    | { __typename: 'StreamCompleted', cursor: string, requestId: string, request: { id: string, status: RequestStatus, taskType: TaskType, strategy: RoutingStrategy, priority: number, preferLocal: boolean, requestedModel: string | null, deploymentId: string | null, servedModel: string | null, finishReason: string | null, cost: string | null, createdAt: string, startedAt: string | null, firstTokenAt: string | null, finishedAt: string | null, waitMs: number | null, timeToFirstTokenMs: number | null, durationMs: number | null, overheadMs: number | null, provider: { id: string, kind: string, simulated: boolean } | null, error: { code: ErrorCode, message: string, retryable: boolean, retryAfterMs: number | null } | null, usage: { inputTokens: number, outputTokens: number, cachedInputTokens: number, totalTokens: number, estimated: boolean } | null } }
    | { __typename: 'StreamFailed', cursor: string, requestId: string, error: { code: ErrorCode, message: string, retryable: boolean, retryAfterMs: number | null }, request: { id: string, status: RequestStatus, taskType: TaskType, strategy: RoutingStrategy, priority: number, preferLocal: boolean, requestedModel: string | null, deploymentId: string | null, servedModel: string | null, finishReason: string | null, cost: string | null, createdAt: string, startedAt: string | null, firstTokenAt: string | null, finishedAt: string | null, waitMs: number | null, timeToFirstTokenMs: number | null, durationMs: number | null, overheadMs: number | null, provider: { id: string, kind: string, simulated: boolean } | null, error: { code: ErrorCode, message: string, retryable: boolean, retryAfterMs: number | null } | null, usage: { inputTokens: number, outputTokens: number, cachedInputTokens: number, totalTokens: number, estimated: boolean } | null } }
    | { __typename: 'StreamRestarted', attempt: number, reason: string, keepThrough: string | null, cursor: string, requestId: string }
    | { __typename: 'TokenDelta', text: string, step: string | null, cursor: string, requestId: string }
   };

export type UpdateUserMutationVariables = Exact<{
  input: UpdateUserInput;
}>;


export type UpdateUserMutation = { updateUser: { user: { id: string, username: string, role: Role, disabled: boolean } } };

export type UsersQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type UsersQuery = { users: { edges: Array<{ cursor: string, node: { id: string, username: string, role: Role, disabled: boolean, createdAt: string } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type ViewerQueryVariables = Exact<{ [key: string]: never; }>;


export type ViewerQuery = { viewer: { id: string, username: string, role: Role, createdAt: string, apiKeys: Array<{ id: string, name: string, prefix: string, createdAt: string, expiresAt: string | null, lastUsedAt: string | null, revokedAt: string | null }>, sessions: Array<{ id: string, createdAt: string, expiresAt: string, current: boolean }> } };

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
      createdAt
      expiresAt
    }
    secret
  }
}
    `) as unknown as TypedDocumentString<CreateApiKeyMutation, CreateApiKeyMutationVariables>;
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
export const ProviderUpdatesDocument = new TypedDocumentString(`
    subscription providerUpdates {
  providerUpdates {
    ...providerState
  }
}
    fragment providerState on Provider {
  id
  kind
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
export const RequestDocument = new TypedDocumentString(`
    query request($id: ID!) {
  request(id: $id) {
    ...requestSummary
    queuePosition
    prompt
    output
    attempts {
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
}`) as unknown as TypedDocumentString<TokenStreamSubscription, TokenStreamSubscriptionVariables>;
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