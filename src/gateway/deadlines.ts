// The deadlines of one attempt, kept by a single timer: connect, first token, idle, slowest rate, total. The timer
// is not moved for each token; when it fires, it looks whether anything is due and otherwise waits for the rest.

import type { ErrorCode } from '../domain/errors.ts';
import type { DeadlineFault } from '../domain/fault.ts';
import type { Deadlines } from '../domain/model.ts';
import type { Clock } from '../lib/clock.ts';
import { DEADLINE_RULES } from './outcome.ts';
import { createRateWindow, RATE_STEP_MS, RATE_WINDOW_MS } from './rate-window.ts';

export interface MissedDeadline {
  readonly fault: DeadlineFault;
  readonly code: ErrorCode;
  readonly message: string;
  /** The provider had as long as its own configuration allows: being late is its fault, not the caller's haste. */
  readonly providersFault: boolean;
}

export interface DeadlineWatch {
  /** The connection stands. */
  connected(): void;
  /** Content came at this monotonic instant; `tokens` is how much of it. */
  content(nowMs: number, tokens: number): void;
  stop(): void;
}

export interface DeadlineWatchOptions {
  readonly deadlines: Omit<Deadlines, 'totalMs'>;
  readonly startedAtMs: number;
  /** Monotonic instant of the total deadline. */
  readonly endsAtMs: number;
  /** What the deployment is configured with; undefined: `deadlines` are its own. */
  readonly configured: Deadlines | undefined;
  readonly clock: Clock;
  readonly onMissed: (missed: MissedDeadline) => void;
}

/** The total counts from acceptance; an attempt that had this share of it had its chance. */
const MOST_OF_THE_TOTAL = 0.9;

type Limit = keyof typeof DEADLINE_RULES;

export function watchDeadlines(options: DeadlineWatchOptions): DeadlineWatch {
  const { deadlines, startedAtMs, endsAtMs, clock } = options;
  const rate = deadlines.minTokensPerSecond > 0 ? createRateWindow() : undefined;
  let phase: 'connecting' | 'waiting' | 'streaming' = 'connecting';
  let firstContentAtMs = 0;
  let lastContentAtMs = 0;
  let rateCheckAtMs = Number.POSITIVE_INFINITY;
  let timerAtMs = Number.POSITIVE_INFINITY;
  let stopTimer = () => {};
  let stopped = false;

  function next(): { limit: Limit; atMs: number } {
    let due: { limit: Limit; atMs: number } = { limit: 'total', atMs: endsAtMs };
    const consider = (limit: Limit, atMs: number) => {
      if (atMs < due.atMs) due = { limit, atMs };
    };
    if (phase === 'connecting') consider('connect', startedAtMs + deadlines.connectMs);
    if (phase === 'streaming') {
      consider('idle', lastContentAtMs + deadlines.idleMs);
      consider('rate', rateCheckAtMs);
    } else consider('firstToken', startedAtMs + deadlines.firstTokenMs);
    return due;
  }

  /** Sets the timer for whatever is due next, unless it fires before that anyway. */
  function arm(): void {
    const { atMs } = next();
    if (stopped || atMs >= timerAtMs) return;
    stopTimer();
    timerAtMs = atMs;
    // Timers run before sockets are read. After our own loop was blocked, the content may be there already: one
    // turn of the loop lets it in before anybody is accused of being late.
    stopTimer = clock.after(Math.max(0, atMs - clock.monotonic()), () => setImmediate(look));
  }

  function look(): void {
    if (stopped) return;
    timerAtMs = Number.POSITIVE_INFINITY;
    const nowMs = clock.monotonic();
    const due = next();
    const fastEnough = () => rate!.perSecond(nowMs - firstContentAtMs) >= deadlines.minTokensPerSecond;
    if (nowMs < due.atMs) arm();
    else if (due.limit === 'rate' && fastEnough()) {
      rateCheckAtMs = nowMs + RATE_STEP_MS;
      arm();
    } else {
      stopped = true;
      options.onMissed(describe(due.limit, options));
    }
  }

  arm();
  return {
    connected() {
      if (phase === 'connecting') phase = 'waiting';
    },
    content(nowMs, tokens) {
      lastContentAtMs = nowMs;
      if (phase !== 'streaming') {
        phase = 'streaming';
        firstContentAtMs = nowMs;
        if (rate) rateCheckAtMs = nowMs + RATE_WINDOW_MS;
        arm();
      }
      rate?.add(nowMs - firstContentAtMs, tokens);
    },
    stop() {
      stopped = true;
      stopTimer();
    },
  };
}

function describe(limit: Limit, options: DeadlineWatchOptions): MissedDeadline {
  const { deadlines, configured = { ...deadlines, totalMs: 0 }, startedAtMs, endsAtMs } = options;
  switch (limit) {
    case 'connect':
      return {
        fault: DEADLINE_RULES.connect.fault,
        code: DEADLINE_RULES.connect.code,
        message: `No connection within ${deadlines.connectMs} ms.`,
        providersFault: deadlines.connectMs >= configured.connectMs,
      };
    case 'firstToken':
      return {
        fault: DEADLINE_RULES.firstToken.fault,
        code: DEADLINE_RULES.firstToken.code,
        message: `No first token within ${deadlines.firstTokenMs} ms.`,
        providersFault: deadlines.firstTokenMs >= configured.firstTokenMs,
      };
    case 'idle':
      return {
        fault: DEADLINE_RULES.idle.fault,
        code: DEADLINE_RULES.idle.code,
        message: `The answer stopped for ${deadlines.idleMs} ms.`,
        providersFault: deadlines.idleMs >= configured.idleMs,
      };
    case 'rate':
      return {
        fault: DEADLINE_RULES.rate.fault,
        code: DEADLINE_RULES.rate.code,
        message: `The answer came slower than ${deadlines.minTokensPerSecond} tokens a second.`,
        providersFault: deadlines.minTokensPerSecond <= configured.minTokensPerSecond,
      };
    case 'total':
      return {
        fault: DEADLINE_RULES.total.fault,
        code: DEADLINE_RULES.total.code,
        message: 'The total deadline of the request passed.',
        providersFault: endsAtMs - startedAtMs >= configured.totalMs * MOST_OF_THE_TOTAL,
      };
  }
}
