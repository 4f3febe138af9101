// What was taken within the last minute, by the second. A second counts as a whole until its last moment is a minute
// old, so within any minute no more than the limit is taken, and what was taken is there again after 60 to 61 seconds.
// Not the bucket that fills up evenly (GCRA): that one lets twice the limit through in the minute after a pause, and
// what is given back late would be given twice, since time has given it back before.

/** How many earlier seconds count beside the present one. */
export const WINDOW_SECONDS = 60;

interface Slice {
  readonly second: number;
  amount: number;
}

/** One minute of one subject in this process. Times are milliseconds of one clock that only grows. */
export class MinuteWindow {
  /** Oldest first; 61 at most. */
  readonly #slices: Slice[] = [];
  #sum = 0;

  /** How long until `amount` fits under `max`, in milliseconds; 0: it does. One that is over `max` never does. */
  waitMs(amount: number, max: number, nowMs: number): number {
    this.#forget(nowMs);
    let over = this.#sum + amount - max;
    if (over <= 0) return 0;
    for (const slice of this.#slices) {
      over -= slice.amount;
      if (over <= 0) return Math.ceil(leavesAtMs(slice.second) - nowMs);
    }
    return Math.ceil(leavesAtMs(secondOf(nowMs)) - nowMs);
  }

  /** Returns the second it counts in. */
  add(amount: number, nowMs: number): number {
    this.#forget(nowMs);
    const second = secondOf(nowMs);
    const last = this.#slices.at(-1);
    if (last?.second === second) last.amount += amount;
    else this.#slices.push({ second, amount });
    this.#sum += amount;
    return second;
  }

  /** Takes out of that second what was added in it; nothing once the second has left. */
  giveBack(amount: number, second: number, nowMs: number): void {
    this.#forget(nowMs);
    const slice = this.#slices.find(each => each.second === second);
    if (!slice) return;
    slice.amount -= amount;
    this.#sum -= amount;
  }

  sum(nowMs: number): number {
    this.#forget(nowMs);
    return this.#sum;
  }

  /** When the last of it leaves; undefined while there is nothing. */
  emptyAtMs(nowMs: number): number | undefined {
    this.#forget(nowMs);
    const last = this.#slices.findLast(slice => slice.amount > 0);
    return last && leavesAtMs(last.second);
  }

  #forget(nowMs: number): void {
    const oldest = secondOf(nowMs) - WINDOW_SECONDS;
    while (this.#slices[0] && this.#slices[0].second < oldest) this.#sum -= this.#slices.shift()!.amount;
  }
}

function secondOf(nowMs: number): number {
  return Math.floor(nowMs / 1_000);
}

function leavesAtMs(second: number): number {
  return (second + WINDOW_SECONDS + 1) * 1_000;
}
