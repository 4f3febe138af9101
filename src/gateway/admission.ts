// The door of this process: how many requests run at once, and in which order the others wait.
// Higher priority first, arrival order within a priority. A place is taken at acceptance and given back at the end.

import { DomainError } from '../domain/errors.ts';

export interface AdmissionLimits {
  readonly maxRunning: number;
  readonly maxQueued: number;
}

export interface Admission {
  /** Takes a running place (`running`) or a waiting one (`queued`); throws OVERLOADED when both are full. */
  enter(): 'running' | 'queued';
  /** Puts an accepted request, which holds a waiting place, in line; `start` is called when its turn comes. */
  wait(requestId: string, priority: number, start: () => void): void;
  /** Gives a waiting place back that was never put in line, or takes the request out of the line; false: not waiting. */
  withdraw(requestId?: string): boolean;
  /** Gives a running place back; the next in line starts. */
  leave(): void;
  load(): { readonly running: number; readonly queued: number };
}

const PRIORITIES = 101;
/** What a refused caller is told to wait: about the time in which places come free under load. */
const RETRY_AFTER_MS = 1_000;

export function createAdmission({ maxRunning, maxQueued }: AdmissionLimits): Admission {
  const lines = Array.from({ length: PRIORITIES }, () => new Map<string, () => void>());
  let running = 0;
  let queued = 0;

  function takeNext(): (() => void) | undefined {
    for (let priority = PRIORITIES - 1; priority >= 0; priority -= 1) {
      const [first] = lines[priority]!;
      if (!first) continue;
      lines[priority]!.delete(first[0]);
      queued -= 1;
      return first[1];
    }
    return undefined;
  }

  function fill(): void {
    while (running < maxRunning) {
      const start = takeNext();
      if (!start) return;
      running += 1;
      start();
    }
  }

  return {
    enter() {
      if (running < maxRunning && queued === 0) {
        running += 1;
        return 'running';
      }
      if (queued >= maxQueued)
        throw new DomainError(
          'OVERLOADED',
          `${running} requests run and ${queued} wait: there is no room for more.`,
          {
            retryAfterMs: RETRY_AFTER_MS,
          },
        );
      queued += 1;
      return 'queued';
    },
    wait(requestId, priority, start) {
      lines[priority]!.set(requestId, start);
      fill();
    },
    withdraw(requestId) {
      if (requestId === undefined || lines.some(line => line.delete(requestId))) {
        queued -= 1;
        return true;
      }
      return false;
    },
    leave() {
      running -= 1;
      fill();
    },
    load: () => ({ running, queued }),
  };
}
