// A provider that is none: answers made up by us, for trying things out without a key and for seeing failures.
// The same model and messages give the same answer at the same pace. Directives in the last message of the user:
//
//   [[echo]]              the prompt itself          [[fail:429]]        rate limit, retry after 1 s
//   [[words:200]]         so many words              [[fail:500]]        any 5xx: the provider's own fault
//   [[json]]              a JSON object              [[fail:401]]        key refused (also 403)
//                                                    [[fail:404]]        no such model; other 4xx: bad request
//   [[fail:X@fast]]       only when the model        [[fail:connection]] nothing answers
//                         is `fast`: shows           [[fail:context]]    the prompt does not fit
//                         failover                   [[fail:refusal]]    the content is refused
//                                                    [[fail:hang]]       no first token, until it is aborted
//                                                    [[fail:slow]]       one token per second
//                                                    [[fail:cut]]        breaks off half-way
//                                                    [[fail:stall]]      falls silent half-way, until it is aborted
//                                                    [[fail:malformed]]  something unreadable half-way
//
// Asked for JSON of a schema it makes a value of it up (simulated-json.ts), unless one of the first three says what to
// answer, which shows what becomes of an answer that is not of its schema.
//
// Usage is exact by its own counting: a word (of at most 12 characters) is an output token, four bytes are an input
// token. Unknown directives are part of the prompt, unknown faults a bad request.

import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { estimateTokens } from '../domain/usage.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import type { DiscoveredModel, ProviderAdapter, ProviderCall, ProviderListener } from './provider.ts';
import { ProviderError } from './provider-error.ts';
import { faultBeforeAnswer, faultMidway } from './simulated-faults.ts';
import { logNormal, randomFrom, seedOf } from './simulated-random.ts';
import { type Script, scriptOf } from './simulated-script.ts';

interface Pace {
  readonly contextWindow: number;
  readonly maxOutputTokens: number;
  /** Median time to the first token, and the standard deviation of its logarithm. */
  readonly firstTokenMs: number;
  readonly spread: number;
  readonly tokensPerSecond: number;
}

/** Three characters for routing to choose from; orders of magnitude as real small, large and local models have. */
const MODELS: Readonly<Record<string, Pace>> = {
  fast: {
    contextWindow: 32_000,
    maxOutputTokens: 4_096,
    firstTokenMs: 120,
    spread: 0.25,
    tokensPerSecond: 90,
  },
  smart: {
    contextWindow: 200_000,
    maxOutputTokens: 16_384,
    firstTokenMs: 450,
    spread: 0.35,
    tokensPerSecond: 45,
  },
  local: {
    contextWindow: 8_192,
    maxOutputTokens: 2_048,
    firstTokenMs: 220,
    spread: 0.15,
    tokensPerSecond: 30,
  },
};

export interface SimulatedOptions {
  /** Multiplies every wait: 1 is realistic, 0 does not wait at all. Stalls last until the abort in any case. */
  readonly delayFactor?: number | undefined;
  readonly clock?: Clock | undefined;
}

export function createSimulatedAdapter({
  delayFactor = 1,
  clock = systemClock,
}: SimulatedOptions = {}): ProviderAdapter {
  const pause = (delayMs: number, signal: AbortSignal) => wait(clock, delayMs * delayFactor, signal);
  return {
    kind: 'simulated',
    stream: (call, signal, onEvent) => answer(call, { signal, pause, onEvent }),
    async listModels() {
      return Object.entries(MODELS).map(
        ([model, { contextWindow, maxOutputTokens }]): DiscoveredModel => ({
          model,
          contextWindow,
          maxOutputTokens,
        }),
      );
    },
    async close() {},
  };
}

type Pause = (delayMs: number, signal: AbortSignal) => Promise<void>;

interface Course {
  readonly signal: AbortSignal;
  readonly pause: Pause;
  readonly onEvent: ProviderListener;
}

async function answer(call: ProviderCall, { signal, pause, onEvent }: Course): Promise<void> {
  signal.throwIfAborted();
  const pace = Object.hasOwn(MODELS, call.model) ? MODELS[call.model] : undefined;
  const seed = seedOf(call);
  const random = randomFrom(seed);
  const script = scriptOf(call, random);
  const inputTokens = inputTokensOf(call);
  const firstTokenMs = pace ? logNormal(random, pace.firstTokenMs, pace.spread) : 0;

  if (script.fault === 'connection') throw new ProviderError('connection', 'Nothing answers (simulated)');
  onEvent({ type: 'connected' });
  await pause(firstTokenMs / 3, signal);
  if (!pace) throw new ProviderError('unknown-model', 'There is no such simulated model', { status: 404 });
  const tooLong = inputTokens >= pace.contextWindow;
  const refused = faultBeforeAnswer(tooLong ? 'context' : script.fault);
  if (refused) throw refused;
  onEvent({ type: 'started', responseId: `simulated-${seed.toString(16)}`, servedModel: call.model });
  if (script.fault === 'hang') await untilAborted(signal);
  await pause((firstTokenMs * 2) / 3, signal);

  const meanGapMs = script.fault === 'slow' ? 1_000 : 1_000 / pace.tokensPerSecond;
  const gap = () => pause(meanGapMs * (0.5 + random()), signal);
  await tell(script, { signal, gap, onEvent });
  const usage = {
    inputTokens,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    outputTokens: script.pieces.length,
    estimated: false,
  };
  onEvent({
    type: 'finished',
    reason: { unified: script.finish, raw: script.finish },
    usage,
    servedModel: call.model,
  });
}

async function tell(
  { pieces, fault }: Script,
  { signal, gap, onEvent }: Pick<Course, 'signal' | 'onEvent'> & { readonly gap: () => Promise<void> },
): Promise<void> {
  const half = Math.ceil(pieces.length / 2);
  for (const [index, text] of pieces.entries()) {
    if (index > 0) await gap();
    if (index === half) await breakOff(fault, signal);
    onEvent({ type: 'token', text });
  }
  // A text of one word has no middle: it breaks off at its end, before the end marker.
  if (pieces.length <= half) await breakOff(fault, signal);
}

async function breakOff(fault: string | undefined, signal: AbortSignal): Promise<void> {
  if (fault === 'stall') await untilAborted(signal);
  const broken = faultMidway(fault);
  if (broken) throw broken;
}

function inputTokensOf({ system, messages, output }: ProviderCall): number {
  return messages.reduce(
    (sum, message) => sum + estimateTokens(message.content),
    estimateTokens(system ?? '') + (output ? estimateTokens(JSON.stringify(output.schema)) : 0),
  );
}

/** Waits, or throws the signal's reason. Without a delay it still lets others have a turn. */
async function wait(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (delayMs <= 0) await nextTurn();
  else {
    await new Promise<void>(resolve => {
      const end = () => {
        cancel();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const cancel = clock.after(delayMs, end);
      signal.addEventListener('abort', end, { once: true });
    });
  }
  signal.throwIfAborted();
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
  signal.throwIfAborted();
}
