// The requests of steps as an installation carries them out: on whichever instance, whoever owns the workflow, so that
// they go on when its owner dies. What comes of each is in the play.

import assert from 'node:assert/strict';
import { DomainError } from '../../src/domain/errors.ts';
import {
  isTerminal,
  type ModelRequest,
  promptOf,
  type RequestSpec,
  requestError,
} from '../../src/domain/request.ts';
import { isLast, type StreamEvent } from '../../src/domain/stream.ts';
import type { StepRequests } from '../../src/gateway/steps.ts';
import { cancellable } from '../../src/lib/abort.ts';
import type { Clock } from '../../src/lib/clock.ts';
import type { Outcome, Play } from './plays.ts';
import { answerOf } from './reference.ts';
import type { Rows } from './rows.ts';

export const PRICE = 1n;

interface StepRequest {
  readonly events: StreamEvent[];
  row: Pick<ModelRequest, 'id' | 'status' | 'error' | 'costNanoUsd' | 'usage'>;
  output: string | undefined;
  stop: () => void;
}

export interface Cluster
  extends Pick<StepRequests, 'submit' | 'request' | 'body' | 'follow' | 'estimate' | 'cancel'> {
  /** Ids by the name of the step, in the order in which they were made. */
  readonly made: ReadonlyMap<string, readonly string[]>;
  open(): string[];
  /** What the requests of the run have cost so far, without those. */
  spent(except: readonly string[]): bigint;
}

const SUCCEEDS: Outcome = { end: 'succeeds', takesMs: 20, restarts: false };

export function createCluster(play: Play, rows: Rows, clock: Clock): Cluster {
  const requests = new Map<string, StepRequest>();
  const made = new Map<string, string[]>();
  let news = Promise.withResolvers<void>();

  function tell(request: StepRequest, ...events: StreamEvent[]): void {
    request.events.push(...events);
    news.resolve();
    news = Promise.withResolvers();
  }

  function end(
    request: StepRequest,
    ended: Pick<StepRequest['row'], 'status' | 'error'>,
    output?: string,
  ): void {
    request.stop();
    request.row = { ...request.row, ...ended, costNanoUsd: PRICE };
    request.output = output;
    tell(request, ended.error ? { type: 'failed', error: ended.error } : { type: 'completed' });
  }

  function begin(request: StepRequest, { end: how, takesMs, restarts }: Outcome, answer: string): void {
    const half = answer.slice(0, answer.length >> 1);
    const text = (piece: string): StreamEvent => ({ type: 'token', text: piece });
    const isFailure = how === 'fails' || how === 'fails for good';
    const error = requestError('PROVIDER_FAILED', 'scripted', { retryable: how === 'fails' });
    request.stop = clock.after(takesMs >> 1, () => {
      tell(request, text(half));
      request.stop = clock.after(takesMs - (takesMs >> 1), () => {
        if (isFailure) return end(request, { status: 'FAILED', error });
        if (restarts) tell(request, { type: 'restarted', attempt: 2, reason: 'scripted' }, text(half));
        tell(request, text(answer.slice(half.length)));
        end(request, { status: 'SUCCEEDED', error: undefined }, answer);
      });
    });
  }

  function answerTo(key: string, spec: RequestSpec, outcome: Outcome): string {
    if (outcome.end === 'answers nonsense') return 'nonsense';
    return answerOf(play, key, promptOf(spec.messages));
  }

  return {
    made,
    open: () => [...requests.values()].filter(({ row }) => row.status === 'RUNNING').map(({ row }) => row.id),
    spent: except =>
      [...requests.values()].reduce(
        (sum, { row }) => (except.includes(row.id) ? sum : sum + (row.costNanoUsd ?? 0n)),
        0n,
      ),
    async submit(_actor, id, spec) {
      if (requests.has(id)) return;
      // A step of a workflow that has ended is not begun.
      if (isTerminal(await rows.status())) throw new DomainError('CONFLICT', 'The workflow has ended.');
      if (requests.has(id)) return;
      const { step: key } = spec.step!;
      const states = await rows.states();
      assert.ok(
        states.some(({ requestId }) => requestId === id),
        `made before it was written: ${key}`,
      );
      if (requests.has(id)) return;
      const before = made.get(key) ?? [];
      made.set(key, [...before, id]);
      const outcome = triesOf(play, key)[before.length] ?? SUCCEEDS;
      const request: StepRequest = {
        events: [],
        row: { id, status: 'RUNNING', error: undefined, costNanoUsd: undefined, usage: undefined },
        output: undefined,
        stop: () => {},
      };
      requests.set(id, request);
      begin(request, outcome, answerTo(key, spec, outcome));
    },
    request: async id => requests.get(id)?.row as ModelRequest | undefined,
    body: async id => ({ spec: {} as RequestSpec, routing: undefined, output: requests.get(id)?.output }),
    follow: ({ id: requestId }) =>
      cancellable(async function* () {
        const { events } = requests.get(requestId)!;
        for (let next = 0; ; ) {
          while (next < events.length) {
            const event = events[next++]!;
            yield { requestId, cursor: String(next), event };
            if (isLast(event)) return;
          }
          await news.promise;
        }
      }),
    estimate: () => PRICE,
    async cancel({ id }) {
      const request = requests.get(id)!;
      const error = requestError('CANCELLED', 'cancelled');
      if (request.row.status === 'RUNNING') end(request, { status: 'CANCELLED', error });
    },
  };
}

function stepOf({ steps }: Play, key: string) {
  return steps.find(({ id }) => id === key.split('[')[0]);
}

/** What becomes of each request that is made for it. */
export function triesOf(play: Play, key: string): readonly Outcome[] {
  if (key === 'plan') return play.plan!.tries;
  const { tries } = stepOf(play, key)!;
  const item = /\[(\d+)\]/.exec(key)?.[1];
  return tries[item === undefined ? 0 : Number(item) % tries.length] ?? [];
}
