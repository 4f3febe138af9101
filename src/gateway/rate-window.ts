// How much came in the last ten seconds, in steps of one second: what the slowest bearable rate and the share of
// retries are measured by.

export const RATE_WINDOW_MS = 10_000;
export const RATE_STEP_MS = 1_000;
const STEPS = RATE_WINDOW_MS / RATE_STEP_MS;
/** One more than the window holds: the step that is still being filled. */
const SLOTS = STEPS + 1;

export interface RateWindow {
  add(elapsedMs: number, amount: number): void;
  /** Per second over the last ten complete steps. */
  perSecond(elapsedMs: number): number;
  /** All of the last ten complete steps, and what the present step has so far. */
  total(elapsedMs: number): number;
}

export function createRateWindow(): RateWindow {
  const amounts = new Float64Array(SLOTS);
  let current = 0;

  function advanceTo(elapsedMs: number): number {
    const step = Math.floor(elapsedMs / RATE_STEP_MS);
    if (step - current >= SLOTS) amounts.fill(0);
    else for (let next = current + 1; next <= step; next += 1) amounts[next % SLOTS] = 0;
    current = Math.max(current, step);
    return current % SLOTS;
  }

  const sum = () => amounts.reduce((total, amount) => total + amount, 0);

  return {
    add(elapsedMs, amount) {
      const slot = advanceTo(elapsedMs);
      amounts[slot]! += amount;
    },
    perSecond(elapsedMs) {
      const filling = advanceTo(elapsedMs);
      return (sum() - amounts[filling]!) / (RATE_WINDOW_MS / 1_000);
    },
    total(elapsedMs) {
      advanceTo(elapsedMs);
      return sum();
    },
  };
}
