// The closed sets of the domain as enums, each value with its meaning.

import type { ErrorCode } from '../../domain/errors.ts';
import { ERROR_CODES } from '../../domain/errors.ts';
import { builder } from '../builder.ts';

type Values<Name extends string> = Record<Name, { description: string }>;

function values<Name extends string>(meanings: Record<Name, string>): Values<Name> {
  const entries = (Object.keys(meanings) as Name[]).map(name => [name, { description: meanings[name] }]);
  return Object.fromEntries(entries) as Values<Name>;
}

export const RoleEnum = builder.enumType('Role', {
  description: 'What a user is. Decides which fields may be used at all; ownership decides about rows.',
  values: values({
    ADMIN: 'Operates the control plane: sees and does everything.',
    USER: 'A person: submits requests and sees their own.',
    SERVICE: 'A program: like USER, but without a password, with API keys only.',
  }),
});

export const ApiKeyScopeEnum = builder.enumType('ApiKeyScope', {
  description:
    "What an API key is for. It never allows more than its owner's role does; whatever it does not cover is FORBIDDEN.",
  values: values({
    SUBMIT:
      "Submitting requests, cancelling one's own, and asking what they would cost and where they would run.",
    READ: "Reading one's own requests, their answers and streams, and the state of the providers.",
    MANAGE: "One's own account: its API keys and logins.",
    METRICS: 'Figures: `/metrics`, and of ADMIN also `metrics` and `metricsUpdates`.',
    ADMIN:
      "Everything that the owner's role allows: of ADMIN also others' requests, users, breakers, the audit log.",
  }),
});

export const TaskTypeEnum = builder.enumType('TaskType', {
  description: 'What a request is for. Routing weighs quality by it.',
  values: values({
    CHAT: 'An answer to a person. The default.',
    CODE: 'Writing or changing code: the capable models are preferred.',
    TRANSFORM: 'Rewriting, extracting, translating a given text.',
    WORKFLOW: 'A task of several steps: the capable models are preferred.',
  }),
});

export const RequestStatusEnum = builder.enumType('RequestStatus', {
  description: 'Where a request is. SUCCEEDED, FAILED and CANCELLED are final and never change.',
  values: values({
    QUEUED: 'Accepted and durable; waits for a free slot.',
    RUNNING: 'A provider works on it, or is about to.',
    SUCCEEDED: "The answer is complete: the provider's end marker was seen.",
    FAILED: 'No complete answer. `error` says why; what came is kept.',
    CANCELLED: 'Ended by its owner or an administrator.',
  }),
});

export const MessageRoleEnum = builder.enumType('MessageRole', {
  description: 'Who says a message of a conversation.',
  values: values({
    SYSTEM: 'Instructions that stand above the conversation.',
    USER: 'The one who asks.',
    ASSISTANT: 'The model, in an earlier turn.',
  }),
});

export const RateLimitKindEnum = builder.enumType('RateLimitKind', {
  description: 'What a limit on submissions counts.',
  values: values({
    REQUESTS_PER_MINUTE: 'Requests accepted within any minute.',
    TOKENS_PER_MINUTE:
      'Tokens of prompts and answers within any minute: taken at the submission as they may be needed, and settled at the end.',
    CONCURRENT_REQUESTS: 'Requests that run or wait at once.',
  }),
});

export const RoutingStrategyEnum = builder.enumType('RoutingStrategy', {
  description: 'What routing weighs most when several deployments can serve a request.',
  values: values({
    BALANCED: 'Time, price and quality together.',
    COST: 'The cheapest that is not much worse.',
    RELIABILITY: 'What has been succeeding lately.',
    PERFORMANCE: 'The fastest.',
  }),
});

export const RejectionReasonEnum = builder.enumType('RejectionReason', {
  description: 'Why a deployment cannot serve a request.',
  values: values({
    NOT_REQUESTED: 'The request names another model.',
    SIMULATED: 'It makes answers up, and real deployments exist.',
    CONTEXT_TOO_LONG: 'The prompt does not fit its context window.',
    OUTPUT_TOO_LONG: 'More output is asked for than it can give.',
    NOT_SUPPORTED: 'It cannot do what is asked for: answer in JSON of a schema.',
    UNPRICED: 'Its price is unknown, and a budget applies to the request.',
    DRAINED: 'An administrator lets no new request through, also when it is named.',
    PROVIDER_UNAVAILABLE: 'Its provider cannot be used at the moment.',
    BREAKER_OPEN: 'Its circuit breaker is open: after failures, or by hand.',
    COOLDOWN: 'Its provider asked for a pause (rate limit).',
    BUDGET:
      'It was a candidate, and was not asked when its turn came: what is left of a budget did not cover the call.',
    CAPACITY:
      'It had as many calls under way as its configuration allows. In older decisions only: now it is held back as FULL.',
    POLICY: 'The configuration keeps it out unless it is named.',
  }),
});

export const HeldBackReasonEnum = builder.enumType('HeldBackReason', {
  description: 'Why a candidate is not drawn while another can be.',
  values: values({
    HOT: 'It is more loaded than four fifths of its peers, and at least half full.',
    RAMPING: 'It is new or just recovered, and gets its calls little by little.',
    HALF_OPEN: 'Its circuit breaker is half-open, and another one is probed first.',
    FULL: 'It has as many calls under way as its configuration allows: others go first, and without others it is waited for.',
  }),
});

export const SelectionReasonEnum = builder.enumType('SelectionReason', {
  description: 'Why a candidate is tried first whatever its score.',
  values: values({
    LAST_RESORT:
      'Nobody can serve at the moment. Of the open circuit breakers its one has the least time left, and lets one call through before.',
    PROBE:
      'Its circuit breaker is half-open: this request shows whether it works again. If not, the next serves.',
  }),
});

export const BudgetPeriodEnum = builder.enumType('BudgetPeriod', {
  description: 'When a budget begins anew, in UTC.',
  values: values({
    DAY: 'Each day at midnight.',
    WEEK: 'Each Monday at midnight.',
    MONTH: 'On the first day of each month at midnight.',
    TOTAL: 'Never: it is for all that is spent from when it was set.',
  }),
});

export const BreakerStateEnum = builder.enumType('BreakerState', {
  description: 'State of a circuit breaker, in the sense of electricians.',
  values: values({
    CLOSED: 'Calls pass.',
    OPEN: 'No call passes, until `retryAt`.',
    HALF_OPEN: 'Single calls pass as probes; they decide between CLOSED and OPEN.',
  }),
});

export const BreakerCauseEnum = builder.enumType('BreakerCause', {
  description: 'Who changed the state of a breaker.',
  values: {
    AUTOMATIC: { value: 'automatic', description: 'The calls themselves.' },
    MANUAL: { value: 'manual', description: 'An administrator.' },
  } as const,
});

export const ProviderStatusEnum = builder.enumType('ProviderStatus', {
  description: 'Whether a provider can be used. Learnt from its free calls and from traffic.',
  values: values({
    AVAILABLE: 'It answers.',
    DEGRADED: 'It answers, but not for everything or not always.',
    UNAVAILABLE: 'It does not answer.',
    MISCONFIGURED: 'It refuses our credential or address; an operator has to act.',
    UNKNOWN: 'It has not been asked yet.',
  }),
});

export const ProviderSourceEnum = builder.enumType('ProviderSource', {
  description: 'Who says that there is a provider.',
  values: values({
    ENVIRONMENT: 'Environment variables. They win over the file.',
    FILE: 'The configuration file.',
    STORED: 'An administrator, by `createProvider`: the only ones that the API can change.',
    BUILT_IN: 'The server: the simulated one, and local servers that it looks for at their usual place.',
  }),
});

export const AttemptOutcomeEnum = builder.enumType('AttemptOutcome', {
  description: 'How a call of a deployment ended.',
  values: values({
    SUCCEEDED: 'With a complete answer.',
    FAILED: 'Without a complete answer.',
    CANCELLED: 'The request was cancelled during the call, or its instance stopped.',
    LOST: 'Its instance died during the call. What it brought and cost is unknown, and in no sum; of a budget it takes what was reserved for it.',
  }),
});

export const MetricsDimensionEnum = builder.enumType('MetricsDimension', {
  description: 'By what figures are grouped.',
  values: values({
    PROVIDER: 'By the provider that served last.',
    MODEL: 'By the model that served last.',
    TASK_TYPE: 'By task type.',
    STATUS: 'By status.',
    USER: 'By the user who submitted.',
    HOUR: 'By hour of submission, in UTC.',
    DAY: 'By day of submission, in UTC.',
  }),
});

export const ErrorCodeEnum = builder.enumType('ErrorCode', {
  description:
    'The closed set of codes: `extensions.code` of an error where nothing was done, or the reason why an accepted request did not succeed.',
  values: values(
    Object.fromEntries(Object.entries(ERROR_CODES).map(([code, row]) => [code, row.meaning])) as Record<
      ErrorCode,
      string
    >,
  ),
});

export const StepKindEnum = builder.enumType('StepKind', {
  description: 'What carries a step of a workflow out.',
  values: values({
    MODEL: 'A model, by a request that is routed like any other.',
    TRANSFORM: 'Nothing but its template: results are put together or picked from, and no model is called.',
    APPROVAL: 'A person, who says yes or no with `decideStep`.',
  }),
});

export const StepStatusEnum = builder.enumType('StepStatus', {
  description: 'Where a step is. SUCCEEDED, FAILED, SKIPPED and CANCELLED are final and never change.',
  values: values({
    PENDING: 'Waits for other steps, for room, or for its retry.',
    RUNNING: 'Its request, or one of the requests for its list, is under way.',
    WAITING: 'Waits for a person to decide.',
    SUCCEEDED: 'Its result is there, and is not made again.',
    FAILED: 'It has no result. `error` says why.',
    SKIPPED: 'Not run: its condition does not hold, or what it depends on did not succeed.',
    CANCELLED: 'Not run, or not to its end: the workflow failed or was cancelled.',
  }),
});

export const JoinEnum = builder.enumType('StepJoin', {
  description:
    'Which of the steps that a step depends on have to succeed. It waits for the end of all in either case.',
  values: values({
    ALL: 'Every one; otherwise it is skipped.',
    ANY: 'One is enough. What the others would have given is empty text.',
  }),
});

export const FailurePolicyEnum = builder.enumType('FailurePolicy', {
  description: 'What a failure does to the whole.',
  values: values({
    FAIL: 'The whole fails: what runs is finished and kept, nothing new is begun.',
    CONTINUE: 'The whole goes on without the result.',
  }),
});
