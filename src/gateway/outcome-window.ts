// The outcomes of the last calls of one deployment, with running counts: reading them costs nothing, whatever the
// size. (mollitia scans an array of objects per call, 24 µs for its default window.)

export interface OutcomeWindow {
  push(failed: boolean): void;
  clear(): void;
  readonly calls: number;
  readonly failures: number;
  /** Failures since the last success; may be more than the window holds. */
  readonly consecutiveFailures: number;
  /** 0 to 1; 0 while nothing was seen. */
  readonly failureRate: number;
}

export function createOutcomeWindow(size: number): OutcomeWindow {
  const failed = new Uint8Array(size);
  let next = 0;
  let calls = 0;
  let failures = 0;
  let consecutiveFailures = 0;
  return {
    push(isFailure) {
      const value = isFailure ? 1 : 0;
      // A slot that was never written holds 0, so there is nothing special about the first round.
      failures += value - failed[next]!;
      failed[next] = value;
      next = (next + 1) % size;
      calls = Math.min(calls + 1, size);
      consecutiveFailures = isFailure ? consecutiveFailures + 1 : 0;
    },
    clear() {
      failed.fill(0);
      next = calls = failures = consecutiveFailures = 0;
    },
    get calls() {
      return calls;
    },
    get failures() {
      return failures;
    },
    get consecutiveFailures() {
      return consecutiveFailures;
    },
    get failureRate() {
      return calls === 0 ? 0 : failures / calls;
    },
  };
}
