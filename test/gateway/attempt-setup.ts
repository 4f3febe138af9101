// Attempts over hand-written streams, a real breaker and a clock that the test moves.

import type { BreakerSnapshot } from '../../src/domain/breaker.ts';
import { DEFAULT_DEADLINES } from '../../src/domain/model.ts';
import { type AttemptOptions, type AttemptResult, runAttempt } from '../../src/gateway/attempt.ts';
import { type Breakers, createBreakers } from '../../src/gateway/breakers.ts';
import type { ProviderAdapter, ProviderCall, ProviderEvent } from '../../src/providers/provider.ts';
import { createTestClock, type TestClock } from '../support/clock.ts';

export const ID = 'openai/gpt-6-sol';

export const CALL: ProviderCall = {
  model: 'gpt-6-sol',
  system: undefined,
  messages: [{ role: 'USER', content: 'Hello?' }],
  maxOutputTokens: 100,
  temperature: undefined,
  stop: [],
  requestId: 'req_1',
};

export const connected: ProviderEvent = { type: 'connected' };
export const started: ProviderEvent = {
  type: 'started',
  responseId: 'resp_1',
  servedModel: 'gpt-6-sol-1101',
};
export const progress: ProviderEvent = { type: 'progress' };
export const token = (text: string): ProviderEvent => ({ type: 'token', text });
export const finished = (
  unified: 'stop' | 'length' | 'content-filter' | 'other' = 'stop',
): ProviderEvent => ({
  type: 'finished',
  reason: { unified, raw: unified },
  usage: undefined,
});

export type Stream = (call: ProviderCall, signal: AbortSignal) => AsyncIterable<ProviderEvent>;

/** Events, and promises to wait for between them; an error among them is thrown. */
export function streamOf(...steps: (ProviderEvent | Promise<unknown> | Error)[]): Stream {
  return async function* (_call, signal) {
    const aborted = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    aborted.catch(() => {});
    for (const step of steps) {
      if (step instanceof Error) throw step;
      if (step instanceof Promise) await Promise.race([step, aborted]);
      else yield step;
    }
  };
}

/** A promise that stays pending: the provider is silent. */
export const silence = () => new Promise<never>(() => {});

export function adapterFor(stream: Stream): ProviderAdapter {
  return {
    kind: 'openai',
    async stream(call, signal, onEvent) {
      signal.throwIfAborted();
      for await (const event of stream(call, signal)) {
        signal.throwIfAborted();
        onEvent(event);
        if (event.type === 'finished') return;
      }
    },
    listModels: async () => [],
    close: async () => {},
  };
}

export interface Started {
  readonly result: Promise<AttemptResult>;
  readonly tokens: string[];
  readonly clock: TestClock;
  readonly breakers: Breakers;
  readonly snapshot: () => BreakerSnapshot;
}

type Overrides = Partial<Omit<AttemptOptions, 'clock'>> & {
  readonly breakers?: Breakers;
  readonly clock?: TestClock;
};

/** Begins an attempt; nothing moves the clock but the test. */
export function begin(stream: Stream, overrides: Overrides = {}): Started {
  const { clock = createTestClock(), ...rest } = overrides;
  const { breakers = createBreakers({}, { clock }), ...options } = rest;
  const tokens: string[] = [];
  const result = runAttempt({
    adapter: adapterFor(stream),
    call: CALL,
    permit: breakers.acquire(ID),
    deadlines: DEFAULT_DEADLINES,
    endsAtMs: clock.monotonic() + DEFAULT_DEADLINES.totalMs,
    signal: new AbortController().signal,
    clock,
    maxOutputBytes: 1_000_000,
    onToken: text => tokens.push(text),
    ...options,
  });
  return { result, tokens, clock, breakers, snapshot: () => breakers.snapshot(ID) };
}

/** What the breaker was told: `success`, `failure` or `nothing`. */
export function verdict({ snapshot }: Pick<Started, 'snapshot'>): 'success' | 'failure' | 'nothing' {
  const { calls, failures } = snapshot();
  return calls === 0 ? 'nothing' : failures > 0 ? 'failure' : 'success';
}

/** One turn of the event loop: everything that is ready has run. */
export const turn = () => new Promise<void>(resolve => setImmediate(resolve));

/** Lets time pass in steps, as it does, with a turn of the loop after each. */
export async function pass(clock: TestClock, ms: number, stepMs = ms): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) {
    await turn();
    clock.advance(stepMs);
    await turn();
  }
}
