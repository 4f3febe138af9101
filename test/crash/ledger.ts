// What the ledger of a request must say of the calls that its provider had, whoever was killed meanwhile.

import assert from 'node:assert/strict';
import type { Call } from './world.ts';

export interface LedgerRow {
  readonly outcome: string;
  readonly deploymentId: string;
}

/**
 * A failure is written beside the next call, not before it: whoever dies at that moment hides one of the two. A kill
 * this much later hides none, also on a busy machine.
 */
const BOOKED_MS = 500;
/** The provider is as busy as everybody here, and may read a call after the death of its caller. */
const READ_LATE_MS = 250;

/**
 * A process that dies writes nothing of the call that it has under way, so that its heirs cannot know whether the call
 * had reached the provider: they enter it as LOST. So the ledger never has fewer rows than the provider had calls, and
 * the rows that are not LOST never are more than those.
 */
export function assertLedger(calls: number, outcomes: readonly string[]): void {
  const known = outcomes.filter(outcome => outcome !== 'LOST').length;
  assert.ok(known <= calls && calls <= outcomes.length, `${calls} calls, but the ledger has ${outcomes}`);
}

/** The same for each deployment, of calls of which some were made just before a kill. */
export function assertLedgerThrough(
  kills: readonly number[],
  calls: readonly Call[],
  rows: readonly LedgerRow[],
): void {
  const isSure = ({ atMs }: Call) =>
    !kills.some(killMs => killMs - BOOKED_MS < atMs && atMs < killMs + READ_LATE_MS);
  const known = rows.filter(({ outcome }) => outcome !== 'LOST');
  const told = JSON.stringify({ calls, rows, kills }, null, 2);
  for (const deploymentId of new Set([...calls, ...rows].map(each => each.deploymentId))) {
    const of = <Each extends { deploymentId: string }>(all: readonly Each[]) =>
      all.filter(each => each.deploymentId === deploymentId);
    assert.ok(of(known).length <= of(calls).length, `a call that was never made of ${deploymentId}: ${told}`);
    assert.ok(
      of(calls.filter(isSure)).length <= of(rows).length,
      `a call is missing of ${deploymentId}: ${told}`,
    );
  }
  // What is known stands in the order in which it was asked.
  let next = 0;
  for (const { deploymentId } of calls) if (known[next]?.deploymentId === deploymentId) next += 1;
  assert.equal(next, known.length, `not in the order of the calls: ${told}`);
}
