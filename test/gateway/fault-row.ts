// One fault of a provider as a script for the scripted provider, what the gateway is expected to make of it, and the
// expectations that many faults share.

import type { Deadlines } from '../../src/domain/model.ts';
import type { Script, Step } from '../support/upstream.ts';

/** What the sound provider says. A faulty one that breaks off in the middle has said PART of it. */
export const ANSWER = 'The answer is 42.';
export const PART = 'The answer ';
/** What a provider says whose fault takes nothing away from the answer. */
export const OWN = 'Grüße, 世界 🌍';
/** MCPLANE_MAX_ANSWER_BYTES for these tests. */
export const MAX_ANSWER_BYTES = 4_000;

/** The API that the faulty provider speaks: Chat Completions, Responses, Messages. */
export type Kind = 'openai' | 'responses' | 'anthropic';

export interface FaultRow {
  readonly name: string;
  readonly script: Script | readonly Step[];
  /** Other bytes for a provider of this kind. */
  readonly scripts?: Partial<Readonly<Record<Kind, Script | readonly Step[]>>>;
  /** Absent: all kinds for a stream, one for the rest. */
  readonly kinds?: readonly Kind[];
  /** What the request ends with when a sound provider comes next: whose answer, or an error. */
  readonly withSecond: 'first' | 'second' | 'begun again' | string;
  /** What it ends with when there is nobody else: SUCCEEDED or an error. */
  readonly alone: 'SUCCEEDED' | string;
  /** How often the faulty provider is called when there is nobody else; 0: it is not even reached. */
  readonly callsAlone: number;
  /** The breaker of the faulty deployment afterwards. */
  readonly breaker: 'not counted' | 'counted' | 'opened';
  /** What the deployment is configured with; none of them matters to the sound provider. */
  readonly deadlines?: Partial<Deadlines>;
  /** What the caller asks for; the sound provider is held to it too. */
  readonly wishes?: Partial<Deadlines>;
  readonly usageEstimated?: boolean;
  /** As the request says it when there is nobody else. */
  readonly finishReason?: string;
  readonly endpoint?: 'closed port' | 'https';
  readonly retryAfterMs?: number;
  /** The deployment is left alone for a while afterwards. */
  readonly cooldown?: boolean;
}

export type Common = Omit<FaultRow, 'name' | 'script'>;

/** The next provider answers; alone, the same one is asked once more. */
export const PASSING: Common = {
  withSecond: 'second',
  alone: 'PROVIDER_FAILED',
  callsAlone: 2,
  breaker: 'counted',
};
export const BAD: Common = { ...PASSING, alone: 'BAD_RESPONSE', callsAlone: 1 };
export const LATE: Common = { ...PASSING, alone: 'TIMEOUT', callsAlone: 1 };
export const TRUNCATED: Common = { ...PASSING, alone: 'STREAM_TRUNCATED' };
/** Nothing is wrong with what the client gets. */
export const HARMLESS: Common = {
  withSecond: 'first',
  alone: 'SUCCEEDED',
  callsAlone: 1,
  breaker: 'not counted',
};
export const LIMITED: Common = { ...PASSING, breaker: 'not counted', cooldown: true };
export const REFUSED_BY_KEY: Common = { ...PASSING, callsAlone: 1, breaker: 'opened' };
/** The caller's own doing: nobody else is asked. */
export const final = (code: string): Common => ({ ...HARMLESS, withSecond: code, alone: code });

export const error = (code: string, message: string) => ({
  error: { type: 'invalid_request_error', code, message },
});
export const html = '<!doctype html><title>Sign in</title><p>Please sign in to the network.';
export const answered = (body: string, type: string): Script => ({ headers: { 'content-type': type }, body });
