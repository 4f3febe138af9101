// Requests, outcomes and users as the tests of the store write them; each test names only what it is about.

import { randomBytes } from 'node:crypto';
import { newId } from '../../src/domain/ids.ts';
import type { User } from '../../src/domain/member.ts';
import type { Attempt, RequestSpec } from '../../src/domain/request.ts';
import type { RoutingDecision } from '../../src/domain/routing.ts';
import type { FinishedRequest, NewRequest, Store } from '../../src/store/store.ts';

export function aSpec(change: Partial<RequestSpec> & { prompt?: string } = {}): RequestSpec {
  const { prompt = 'Why is the sky blue?', ...rest } = change;
  return {
    messages: [{ role: 'USER', content: prompt }],
    system: undefined,
    taskType: 'CHAT',
    model: undefined,
    strategy: 'BALANCED',
    preferLocal: false,
    priority: 50,
    maxOutputTokens: undefined,
    temperature: undefined,
    buffered: false,
    stop: [],
    outputSchema: undefined,
    deadlines: {},
    metadata: undefined,
    workflow: undefined,
    step: undefined,
    ...rest,
  };
}

export function aRequest(change: Partial<NewRequest> = {}): NewRequest {
  return {
    id: newId(),
    userId: newId(),
    apiKeyId: undefined,
    spec: aSpec(),
    status: 'RUNNING',
    owner: 'instance-1',
    epoch: 1,
    deploymentId: undefined,
    createdAt: new Date(),
    idempotencyKey: undefined,
    inputHash: 'hash of the input',
    ...change,
  };
}

export function anAttempt(change: Partial<Attempt> = {}): Attempt {
  return {
    id: newId(),
    number: 1,
    deploymentId: 'openai/gpt-6-sol',
    providerId: 'openai',
    model: 'gpt-6-sol',
    outcome: 'SUCCEEDED',
    error: undefined,
    fault: undefined,
    providerResponseId: 'resp_1',
    servedModel: 'gpt-6-sol-2026',
    finishReason: 'stop',
    usage: {
      inputTokens: 10,
      cachedInputTokens: 4,
      cacheWriteTokens: 0,
      outputTokens: 20,
      estimated: false,
    },
    costNanoUsd: 1_500_000n,
    priceSource: 'genai-prices@0.1.8',
    startedAt: new Date('2026-03-01T12:00:00.010Z'),
    timeToFirstTokenMs: 120.5,
    durationMs: 900,
    ...change,
  };
}

/** A success of one attempt. */
export function anEndOf(request: NewRequest, change: Partial<FinishedRequest> = {}): FinishedRequest {
  const attempt = anAttempt();
  return {
    id: request.id,
    epoch: request.epoch,
    status: 'SUCCEEDED',
    output: 'Rayleigh scattering.',
    routing: undefined,
    attempts: [attempt],
    deploymentId: attempt.deploymentId,
    providerId: attempt.providerId,
    servedModel: attempt.servedModel,
    finishReason: 'stop',
    error: undefined,
    usage: attempt.usage,
    costNanoUsd: attempt.costNanoUsd,
    failedAttemptsCostNanoUsd: 0n,
    startedAt: request.createdAt,
    firstTokenAt: new Date(request.createdAt.getTime() + 100),
    finishedAt: new Date(request.createdAt.getTime() + 1_000),
    overheadMs: 1.25,
    lastSequence: 12,
    restartSequence: 7,
    ...change,
  };
}

export function aDecision(): RoutingDecision {
  return {
    strategy: 'COST',
    candidates: [
      {
        deploymentId: 'openai/gpt-6-sol',
        score: 0.5,
        terms: { latency: 0.1, cost: 0.3, quality: 0.1 },
        local: false,
        estimatedCostNanoUsd: 2n ** 60n + 1n,
        estimatedDurationMs: 900,
      },
      {
        deploymentId: 'ollama/llama',
        score: 0.9,
        terms: { latency: 0.8, cost: 0, quality: 0.1 },
        local: true,
        estimatedCostNanoUsd: undefined,
        estimatedDurationMs: 4000,
      },
    ],
    chosen: 'openai/gpt-6-sol',
    draw: 0.25,
    drawn: ['ollama/llama', 'openai/gpt-6-sol'],
    runnerUp: { deploymentId: 'ollama/llama', estimatedCostNanoUsd: 2n ** 60n },
    rejections: [{ deploymentId: 'anthropic/x', reason: 'COOLDOWN', detail: 'rate limited' }],
    estimatedInputTokens: 12,
    estimatedOutputTokens: 500,
    decidedAt: new Date('2026-03-01T12:00:00.005Z'),
    explanation: 'openai/gpt-6-sol first: lowest score under COST.',
  };
}

export function aUser(change: Partial<User> = {}): User {
  const id = newId();
  return {
    id,
    username: `user-${id}`,
    role: 'USER',
    disabled: false,
    createdAt: new Date('2026-03-01T12:00:00Z'),
    mustChangePassword: false,
    tokenVersion: 1,
    ...change,
  };
}

/** Accepts and finishes in one go. */
export async function makeFinished(
  store: Store,
  change: { request?: Partial<NewRequest>; end?: Partial<FinishedRequest> } = {},
): Promise<NewRequest> {
  const request = aRequest(change.request);
  await store.requests.accept(request);
  await store.requests.finish(anEndOf(request, change.end));
  return request;
}

/** An id that was made so long ago. */
export function idOfTheTime(agoMs: number): string {
  const time = (Date.now() - agoMs).toString(16).padStart(12, '0');
  const rest = randomBytes(9).toString('hex');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${rest.slice(0, 3)}-8${rest.slice(3, 6)}-${rest.slice(6)}`;
}

/** Accepted and ended so long ago. */
export function endedAgo(
  store: Store,
  agoMs: number,
  { request = {}, end = {} }: Parameters<typeof makeFinished>[1] = {},
): Promise<NewRequest> {
  const createdAt = new Date(Date.now() - agoMs);
  return makeFinished(store, {
    request: { id: idOfTheTime(agoMs), createdAt, ...request },
    end: { finishedAt: createdAt, ...end },
  });
}
