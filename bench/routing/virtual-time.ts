// A clock that jumps from one event to the next.

import type { Clock } from '../../src/lib/clock.ts';

export interface VirtualTime extends Clock {
  /** Runs everything that falls due, in order of time, then of scheduling, until nothing is left. */
  run(): void;
}

interface Event {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
  cancelled: boolean;
}

export function createVirtualTime(startMs: number): VirtualTime {
  const heap: Event[] = [];
  let nowMs = 0;
  let order = 0;
  const before = (a: Event, b: Event) => a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);

  function push(event: Event): void {
    let place = heap.push(event) - 1;
    for (
      let parent = (place - 1) >> 1;
      place > 0 && before(event, heap[parent]!);
      parent = (place - 1) >> 1
    ) {
      heap[place] = heap[parent]!;
      place = parent;
    }
    heap[place] = event;
  }

  function pop(): Event | undefined {
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1;
      if (child >= heap.length || !before(heap[child]!, last)) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = last;
    return first;
  }

  return {
    now: () => startMs + nowMs,
    monotonic: () => nowMs,
    after(delayMs, callback) {
      const event = { dueMs: nowMs + Math.max(0, delayMs), order: order++, callback, cancelled: false };
      push(event);
      return () => {
        event.cancelled = true;
      };
    },
    run() {
      for (let event = pop(); event; event = pop()) {
        if (event.cancelled) continue;
        nowMs = event.dueMs;
        event.callback();
      }
    },
  };
}
