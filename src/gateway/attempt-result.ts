// How one attempt ended, and what was measured on the way.

import type { ErrorCode } from '../domain/errors.ts';
import type { DeadlineFault } from '../domain/fault.ts';
import type { FinishReason } from '../domain/request.ts';
import type { InputUsage, Usage } from '../domain/usage.ts';
import type { Clock } from '../lib/clock.ts';
import type { ProviderFault } from '../providers/provider-error.ts';

export interface Measured {
  readonly responseId: string | undefined;
  readonly servedModel: string | undefined;
  /** The prompt as the provider counted it before it answered. */
  readonly inputUsage: InputUsage | undefined;
  /** The provider had taken the call on and begun to answer: the prompt may be billed. */
  readonly accepted: boolean;
  /** To the first text; undefined when none came. */
  readonly timeToFirstTokenMs: number | undefined;
  readonly durationMs: number;
  /** UTF-16 code units handed to `onToken`. */
  readonly textLength: number;
}

export interface AttemptSucceeded extends Measured {
  readonly outcome: 'succeeded';
  readonly finishReason: FinishReason;
  readonly rawFinishReason: string;
  /** Absent when the provider reported none. */
  readonly usage: Usage | undefined;
}

export interface AttemptFailed extends Measured {
  readonly outcome: 'failed';
  readonly code: ErrorCode;
  /** Fit for the caller's eyes. */
  readonly message: string;
  /** Undefined: one of our deadlines, or an unexpected error of the adapter. */
  readonly fault: ProviderFault | undefined;
  /** The deadline that was missed. */
  readonly deadline: DeadlineFault | undefined;
  /** The provider's hint as it came; may be absurd. */
  readonly retryAfterMs: number | undefined;
  readonly tokensSent: boolean;
  /** The breaker was told of a failure of the provider. */
  readonly counted: boolean;
  readonly retrySameTarget: boolean;
  /** Not to be asked again, whatever its fault: the provider said so, or its answer would end in the same way. */
  readonly retryForbidden: boolean;
  /** Waiting helps, with nobody doing anything. */
  readonly retryable: boolean;
  /** The same would happen with every other deployment of the provider. */
  readonly providerWide: boolean;
  /** The provider itself said that it would not, or could not, do the work. */
  readonly declined: boolean;
  /** Reported although the answer was refused: it is billed all the same. */
  readonly usage: Usage | undefined;
  /** For the log only: may hold what the provider said. */
  readonly cause: unknown;
}

export interface AttemptCancelled extends Measured {
  readonly outcome: 'cancelled';
}

export type AttemptResult = AttemptSucceeded | AttemptFailed | AttemptCancelled;

/** The running figures of an attempt. */
export interface Meter {
  readonly startedAtMs: number;
  responseId: string | undefined;
  servedModel: string | undefined;
  inputUsage: InputUsage | undefined;
  accepted: boolean;
  firstTokenAtMs: number | undefined;
  textLength: number;
  bytes: number;
}

export function startMeter(clock: Clock): Meter {
  return {
    startedAtMs: clock.monotonic(),
    responseId: undefined,
    servedModel: undefined,
    inputUsage: undefined,
    accepted: false,
    firstTokenAtMs: undefined,
    textLength: 0,
    bytes: 0,
  };
}

export function readMeter(meter: Meter, nowMs: number): Measured {
  const { startedAtMs, firstTokenAtMs, responseId, servedModel, inputUsage, accepted, textLength } = meter;
  return {
    responseId,
    servedModel,
    inputUsage,
    accepted,
    timeToFirstTokenMs: firstTokenAtMs === undefined ? undefined : firstTokenAtMs - startedAtMs,
    durationMs: nowMs - startedAtMs,
    textLength,
  };
}
