// Who goes first when several requests wait for the same place. Priority counts, and so does having waited.

/** A second in line weighs as much as one point of priority: nobody is overtaken for longer than 100 s. */
export const POINT_MS = 1_000;

export interface Waiting {
  /** 0 to 100. */
  readonly priority: number;
  /** Since when it waits; a monotonic instant. */
  readonly sinceMs: number;
}

/**
 * Negative: `one` goes before `other`; 0: whoever came first. All age alike, so the order of two that wait never turns,
 * and who is no more urgent than somebody in line never gets ahead of it.
 */
export function compareWaiting(one: Waiting, other: Waiting): number {
  return one.sinceMs - other.sinceMs - POINT_MS * (one.priority - other.priority);
}
