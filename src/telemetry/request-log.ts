// What the log says of model requests that have ended, as far as its policy lets it. Without one nothing is said: what
// people ask is theirs, and the database has it.

import type { LogContent } from '../domain/log-content.ts';
import { type Attempt, type ModelRequest, type RequestSpec, servingAttempt } from '../domain/request.ts';
import type { Log } from './log.ts';

/** What was asked and answered. */
export interface Exchange {
  readonly spec: Pick<RequestSpec, 'system' | 'messages'>;
  readonly output: string;
}

interface RequestLogDeps {
  readonly log: Pick<Log, 'info'>;
  readonly content: LogContent;
  /** Of each text. */
  readonly maxCharacters: number;
}

export type RequestLog = (request: ModelRequest, attempts: readonly Attempt[], exchange: Exchange) => void;

export function createRequestLog({ log, content, maxCharacters }: RequestLogDeps): RequestLog {
  const cut = (text: string) =>
    text.length <= maxCharacters ? text : `${text.slice(0, maxCharacters).toWellFormed()}…`;
  return (request, attempts, exchange) => {
    if (content === 'none') return;
    log.info(
      { ...metadataOf(request, attempts), ...(content === 'full' && contentOf(exchange, cut)) },
      'a request ended',
    );
  };
}

/** Under the names by which the logger masks content unless the policy is to log it. */
function contentOf({ spec: { system, messages }, output }: Exchange, cut: (text: string) => string) {
  const prompt = messages.map(({ role, content }) => ({ role, content: cut(content) }));
  if (system !== undefined) prompt.unshift({ role: 'SYSTEM', content: cut(system) });
  return { prompt, output: cut(output) };
}

function metadataOf(request: ModelRequest, attempts: readonly Attempt[]) {
  const { usage, createdAt, finishedAt, firstTokenAt, costNanoUsd } = request;
  const sinceCreated = (moment: Date | undefined) => moment && moment.getTime() - createdAt.getTime();
  return {
    requestId: request.id,
    userId: request.userId,
    parentId: request.parentId,
    status: request.status,
    code: request.error?.code,
    taskType: request.taskType,
    deployment: request.deploymentId,
    model: servingAttempt(attempts)?.model,
    attempts: request.attemptCount,
    durationMs: sinceCreated(finishedAt),
    timeToFirstTokenMs: sinceCreated(firstTokenAt),
    inputTokens: usage?.inputTokens,
    outputTokens: usage?.outputTokens,
    costNanoUsd: costNanoUsd?.toString(),
  };
}
