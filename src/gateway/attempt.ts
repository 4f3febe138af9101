// One try on one deployment: reads the provider's whole stream under one breaker permit and five deadlines, hands
// each token on, and says how it ended. Decides nothing about other deployments; that is failover.ts.

import { DomainError } from '../domain/errors.ts';
import type { Deadlines } from '../domain/model.ts';
import { tokensIn } from '../domain/usage.ts';
import type { Clock } from '../lib/clock.ts';
import type { ProviderAdapter, ProviderCall, ProviderEvent } from '../providers/provider.ts';
import { ProviderError } from '../providers/provider-error.ts';
import {
  type AttemptFailed,
  type AttemptResult,
  type Measured,
  type Meter,
  readMeter,
  startMeter,
} from './attempt-result.ts';
import { type DeadlineWatch, type MissedDeadline, watchDeadlines } from './deadlines.ts';
import type { Moments } from './moments.ts';
import { ruleOf } from './outcome.ts';
import type { Permit } from './permit.ts';

export type { AttemptCancelled, AttemptFailed, AttemptResult, AttemptSucceeded } from './attempt-result.ts';

type Started = Extract<ProviderEvent, { type: 'started' }>;
type Finished = Extract<ProviderEvent, { type: 'finished' }>;

export interface AttemptOptions {
  readonly adapter: ProviderAdapter;
  readonly call: ProviderCall;
  /** Settled exactly once, whatever happens. */
  readonly permit: Permit;
  readonly deadlines: Omit<Deadlines, 'totalMs'>;
  /** Monotonic instant of the total deadline. */
  readonly endsAtMs: number;
  /**
   * What the deployment is configured with. A deadline that the caller set tighter than that ends the attempt, but
   * does not count against the provider. Absent: `deadlines` are the deployment's own.
   */
  readonly deploymentDeadlines?: Deadlines | undefined;
  /** The caller's cancellation. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly moments?: Moments | undefined;
  /** UTF-8 bytes of text beyond which an answer counts as endless. */
  readonly maxOutputBytes: number;
  readonly onStarted?: ((started: Started) => void) | undefined;
  /** Called once, at the first content (text, or a model's thinking) or at a good end without any. */
  readonly onAnswering?: (() => void) | undefined;
  /** Called at once for each piece of text; must not wait. */
  readonly onToken: (text: string) => void;
  /** Called once, some time after the attempt is over: the connection is free or closed, and the provider done. */
  readonly onReleased?: (() => void) | undefined;
}

/** Made once: an error with its stack for each call that ends well would be a good part of its cost. */
const OVER = new DOMException('The attempt is over', 'AbortError');
/** An adapter gets so long to leave its connection in order; after an end marker it is cut then. */
const FAREWELL_MS = 1_000;

interface Run {
  readonly options: AttemptOptions;
  readonly meter: Meter;
  readonly deadlines: DeadlineWatch;
  /** Ends the upstream call. */
  readonly upstream: AbortController;
  readonly onCallerAbort: () => void;
  readonly resolve: (result: AttemptResult) => void;
  readonly reject: (error: unknown) => void;
  /** Of the adapter's farewell. */
  stopTimer: () => void;
  sawContent: boolean;
  over: boolean;
  released: boolean;
}

/** Resolves when the attempt is over, also when the adapter ignores the abort. Rejects only if a callback throws. */
export function runAttempt(options: AttemptOptions): Promise<AttemptResult> {
  const { promise, resolve, reject } = Promise.withResolvers<AttemptResult>();
  const { clock, signal, endsAtMs, moments } = options;
  const meter = startMeter(clock);
  if (moments) moments.calledAtMs ??= meter.startedAtMs;
  const run: Run = {
    options,
    meter,
    deadlines: watchDeadlines({
      deadlines: options.deadlines,
      configured: options.deploymentDeadlines,
      startedAtMs: meter.startedAtMs,
      endsAtMs,
      clock,
      onMissed: missed => failByDeadline(run, missed),
    }),
    upstream: new AbortController(),
    onCallerAbort: () => cancel(run),
    resolve,
    reject,
    stopTimer: () => {},
    sawContent: false,
    over: false,
    released: false,
  };
  signal.addEventListener('abort', run.onCallerAbort, { once: true });
  if (signal.aborted) {
    cancel(run);
    release(run);
  } else void read(run);
  return promise;
}

/** Listens until the attempt is over. What comes then is left to the adapter: nobody is interested any more. */
async function read(run: Run): Promise<void> {
  const { adapter, call } = run.options;
  try {
    await adapter.stream(call, run.upstream.signal, event => {
      if (!run.over) take(run, event);
    });
    if (!run.over) throw new ProviderError('truncated', 'The answer ended without its end marker.');
  } catch (error) {
    if (!run.over) failByError(run, error);
  }
  release(run);
}

function take(run: Run, event: ProviderEvent): void {
  const { meter, deadlines, options } = run;
  if (event.type !== 'connected') meter.accepted = true;
  switch (event.type) {
    case 'connected':
    case 'accepted':
      deadlines.connected();
      break;
    case 'started':
      deadlines.connected();
      meter.responseId = event.responseId;
      meter.servedModel = event.servedModel;
      meter.inputUsage = event.inputUsage;
      tell(run, () => options.onStarted?.(event));
      break;
    case 'progress':
      noteContent(run, options.clock.monotonic(), 1);
      break;
    case 'token':
      takeToken(run, event.text);
      break;
    case 'finished':
      finish(run, event);
  }
}

function takeToken(run: Run, text: string): void {
  if (text === '') return;
  const { meter, options } = run;
  const bytes = Buffer.byteLength(text, 'utf8');
  meter.bytes += bytes;
  if (meter.bytes > options.maxOutputBytes) {
    const tooLong = `The answer is longer than ${options.maxOutputBytes} bytes.`;
    failByError(run, new ProviderError('bad-response', tooLong));
    return;
  }
  const nowMs = options.clock.monotonic();
  if (meter.firstTokenAtMs === undefined) {
    meter.firstTokenAtMs = nowMs;
    if (options.moments) options.moments.tokenAtMs ??= nowMs;
  }
  meter.textLength += text.length;
  noteContent(run, nowMs, tokensIn(bytes));
  try {
    options.onToken(text);
  } catch (error) {
    failByUs(run, error);
  }
}

function noteContent(run: Run, nowMs: number, tokens: number): void {
  if (!run.sawContent) tell(run, () => run.options.onAnswering?.());
  run.sawContent = true;
  run.deadlines.content(nowMs, tokens);
  run.options.permit.alive();
}

/** A callback that throws is our own fault: it ends the attempt, and says nothing about the provider. */
function tell(run: Run, callback: () => void): void {
  try {
    callback();
  } catch (error) {
    failByUs(run, error);
  }
}

function failByUs(run: Run, error: unknown): void {
  run.options.permit.ignore();
  end(run, error);
  run.reject(error);
}

function finish(run: Run, { reason, usage, servedModel }: Finished): void {
  const { meter, options } = run;
  if (servedModel !== undefined) meter.servedModel = servedModel;
  if (!run.sawContent && reason.unified === 'other') {
    failByError(run, new ProviderError('bad-response', 'The answer was empty and gave no reason.'));
    return;
  }
  // First of all, so that no abort that comes now can take the success away: a half-open breaker closes by it.
  options.permit.succeed();
  const isRefusal = reason.unified === 'content-filter' && meter.textLength === 0;
  if (!run.sawContent && !isRefusal) tell(run, () => options.onAnswering?.());
  const measured = end(run, undefined);
  if (isRefusal) {
    const refused = new ProviderError('content-policy', 'The provider refused the content.');
    run.resolve({ ...describeFailure(run, refused), ...measured, usage });
  } else {
    const outcome = { finishReason: reason.unified, rawFinishReason: reason.raw, usage };
    run.resolve({ outcome: 'succeeded', ...outcome, ...measured });
  }
}

function failByError(run: Run, error: unknown): void {
  const failure = describeFailure(run, error);
  if (failure.counted) run.options.permit.fail(error);
  else run.options.permit.ignore();
  run.resolve({ ...failure, ...end(run, error) });
}

function failByDeadline(run: Run, { fault, code, message, providersFault }: MissedDeadline): void {
  const { permit } = run.options;
  const error = new DomainError(code, message);
  if (providersFault) permit.fail(error);
  else permit.ignore();
  // A silent target is never asked twice: the second try would cost the caller the same wait again.
  const failure = {
    ...describeFailure(run, error),
    code,
    deadline: fault,
    message,
    counted: providersFault,
    cause: undefined,
  };
  run.resolve({ ...failure, ...end(run, error) });
}

function cancel(run: Run): void {
  if (run.over) return;
  run.options.permit.ignore();
  run.resolve({ outcome: 'cancelled', ...end(run, run.options.signal.reason) });
}

function describeFailure(run: Run, error: unknown): Omit<AttemptFailed, keyof Measured> {
  const { code, counted, retrySameTarget, retryable, providerWide, declined } = ruleOf(error);
  const known = error instanceof ProviderError ? error : undefined;
  const tokensSent = run.meter.textLength > 0;
  const retryForbidden = known?.shouldRetry === false;
  return {
    outcome: 'failed',
    code,
    message: known?.message ?? 'The provider failed unexpectedly.',
    fault: known?.fault,
    deadline: undefined,
    retryAfterMs: known?.retryAfterMs,
    tokensSent,
    counted,
    retrySameTarget: retrySameTarget && !tokensSent && !retryForbidden,
    retryForbidden,
    retryable,
    providerWide,
    declined,
    usage: undefined,
    cause: known ? (known.cause ?? known) : error,
  };
}

/** Lets go of everything. `reason` undefined: the stream came to its proper end. */
function end(run: Run, reason: unknown): Measured {
  const { options, upstream } = run;
  run.over = true;
  run.deadlines.stop();
  options.signal.removeEventListener('abort', run.onCallerAbort);
  const measured = readMeter(run.meter, options.clock.monotonic());
  if (reason !== undefined) upstream.abort(reason);
  // The attempt does not wait for the adapter, and nobody does for ever.
  run.stopTimer = options.clock.after(FAREWELL_MS, () => {
    upstream.abort(OVER);
    release(run);
  });
  return measured;
}

/** The adapter is done with the call, or has had its time. */
function release(run: Run): void {
  run.stopTimer();
  if (run.released) return;
  run.released = true;
  run.options.onReleased?.();
}
