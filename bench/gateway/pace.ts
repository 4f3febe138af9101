// What a prompt of the benchmarks asks for: `tokens=16 every=20` (milliseconds; 0: all at once), `after=5`: none earlier,
// `stamped`: each with the moment at which it was sent.

import { setTimeout as wait } from 'node:timers/promises';
import { stampedToken } from '../measure/shared-clock.ts';

export interface Pace {
  readonly tokens: number;
  readonly everyMs: number;
  readonly afterMs: number;
  readonly isStamped: boolean;
}

export function readPace(prompt: string): Pace {
  const [, tokens, every] = /tokens=(\d+) every=(\d+)/.exec(prompt) ?? ['', '16', '0'];
  const [, after] = /after=(\d+)/.exec(prompt) ?? [];
  return {
    tokens: Number(tokens),
    everyMs: Number(every),
    afterMs: Number(after ?? 0),
    isStamped: prompt.includes('stamped'),
  };
}

/** Sends each token at the moment it is due, until `send` says that nobody reads any more. */
export async function sendTokens(
  { tokens, everyMs, afterMs, isStamped }: Pace,
  send: (token: string) => boolean,
): Promise<void> {
  if (afterMs > 0) await wait(afterMs);
  const startMs = performance.now();
  for (let sent = 1; sent <= tokens; sent += 1) {
    // Delays of the timers do not add up.
    const restMs = startMs + sent * everyMs - performance.now();
    if (everyMs > 0 && restMs > 0) await wait(restMs);
    if (!send(isStamped ? stampedToken() : 'token ')) return;
  }
}
