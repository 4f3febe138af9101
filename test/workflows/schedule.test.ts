// Whatever befalls the owners of a workflow, its database and its steps, it comes to what it comes to undisturbed: random
// workflows, outcomes, deaths, outages and acts of people, compared with an interpreter that knows nothing of all that.
// SCHEDULES is how many are tried (default 300), SCHEDULE_SEED chooses others.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { hasEnded, type StepState, stateKey, type WorkflowSpec } from '../../src/domain/workflow.ts';
import { openTestStore } from '../support/database.ts';
import { Installation } from './installation.ts';
import { predict } from './reference.ts';
import { type Rows, rowsIn, rowsInMemory } from './rows.ts';
import { cancelled, hurried, poor, type Schedule, specOf, undisturbed } from './schedules.ts';

const SCHEDULES = Number(process.env.SCHEDULES ?? 300);
const SEED = Number(process.env.SCHEDULE_SEED ?? 1);

interface Lived extends Awaited<ReturnType<typeof live>> {}

const inMemory = async (spec: WorkflowSpec): Promise<Rows> => rowsInMemory(spec);

async function live(schedule: Schedule, openRows = inMemory) {
  const spec = specOf(schedule);
  const installation = new Installation(schedule, spec, await openRows(spec));
  await installation.live();
  assert.deepEqual(installation.faults, [], 'faults of ours');
  const states = new Map((await installation.rows.states()).map(state => [stateKey(state), state]));
  for (const [key, { status }] of states) assert.ok(hasEnded(status), `${key} is left behind as ${status}`);
  return { installation, states, end: installation.end!, predicted: predict(schedule.play) };
}

/** What holds however it ends: nothing is made twice, and what was made is what it should be. */
function assertSound({ installation, states, predicted }: Lived): void {
  for (const [key, { status, output }] of states) {
    const result = predicted.results.get(key);
    assert.ok(result, `a state that nothing leads to: ${key}`);
    assert.ok([result.status, 'CANCELLED'].includes(status), `${key} is ${status}, and not ${result.status}`);
    if (status === 'SUCCEEDED') assert.equal(output, result.output, key);
  }
  for (const [key, made] of installation.cluster.made) {
    const { requests } = predicted.results.get(key)!;
    assert.ok(made.length <= requests, `${made.length} requests for ${key}, and not ${requests}`);
    assert.ok(made.length <= states.get(key)!.tries, `the tries of ${key}`);
  }
}

function assertAsPredicted({ installation, states, predicted, end }: Lived): void {
  assert.equal(end.status, 'SUCCEEDED', JSON.stringify(end));
  assert.equal(end.output, predicted.output);
  const isSure = (key: string) => !predicted.results.get(key)?.mayBeCancelled;
  const sorted = <Value>(of: Iterable<readonly [string, Value]>) =>
    Object.fromEntries([...of].filter(([key]) => isSure(key)).sort());
  const statuses = (of: ReadonlyMap<string, { status: string }>) =>
    sorted([...of].map(([key, { status }]) => [key, status] as const));
  assert.deepEqual(statuses(states), statuses(predicted.results));
  const made = [...installation.cluster.made].map(([key, ids]) => [key, ids.length] as const);
  const toMake = [...predicted.results].map(([key, { requests }]) => [key, requests] as const);
  assert.deepEqual(sorted(made), sorted(toMake.filter(([, requests]) => requests > 0)));
  assertTold(installation, states);
}

/** Whoever follows to the end has the result of each step, and of no element another text than its own. */
function assertTold({ owner }: Installation, states: ReadonlyMap<string, StepState>): void {
  const texts = new Map<string, string>();
  for (const event of owner.events) {
    if (event.type === 'restarted' && event.step !== undefined) texts.delete(event.step);
    if (event.type === 'token') texts.set(event.step!, (texts.get(event.step!) ?? '') + event.text);
  }
  for (const [key, { status, output, item }] of states)
    if (status === 'SUCCEEDED' && (item === undefined || texts.has(key)))
      assert.equal(texts.get(key) ?? '', output, `what was told of ${key}`);
}

function assertEndsAsItMust(lived: Lived): void {
  const { predicted, end } = lived;
  assertSound(lived);
  if (predicted.isCertain) assertAsPredicted(lived);
  else assert.ok(predicted.statuses.includes(end.status), `${end.status}, and not ${predicted.statuses}`);
}

/** Checks each; says what they had in them, so that nobody takes a test for one that tests nothing. */
async function check(
  t: TestContext,
  schedules: fc.Arbitrary<Schedule>,
  {
    holds,
    share,
    openRows,
  }: { holds: (lived: Lived, schedule: Schedule) => void; share: number; openRows?: typeof inMemory },
): Promise<void> {
  const seen = { schedules: 0, owners: 0, requests: 0, early: 0 };
  await fc.assert(
    fc.asyncProperty(schedules, async schedule => {
      const lived = await live(schedule, openRows);
      seen.schedules += 1;
      seen.owners += lived.installation.owners;
      seen.requests += [...lived.installation.cluster.made.values()].flat().length;
      if (lived.end.status !== 'SUCCEEDED') seen.early += 1;
      holds(lived, schedule);
    }),
    { numRuns: Math.ceil(SCHEDULES * share), seed: SEED },
  );
  const { owners, requests, early } = seen;
  t.diagnostic(
    `seed ${SEED}: ${seen.schedules} schedules, ${owners} owners, ${requests} requests of steps, ${early} did not succeed`,
  );
}

test('a workflow ends as it must, whoever dies meanwhile', t =>
  check(t, undisturbed, { holds: assertEndsAsItMust, share: 2 }));

test('a cancel ends a workflow and its steps, wherever it meets them', t =>
  check(t, cancelled, {
    holds: lived => (lived.end.status === 'CANCELLED' ? assertSound(lived) : assertEndsAsItMust(lived)),
    share: 1,
  }));

test('a deadline ends a workflow and its steps, whoever has it then', t =>
  check(t, hurried, {
    holds(lived) {
      if (lived.end.error?.code !== 'TIMEOUT') return assertEndsAsItMust(lived);
      assert.equal(lived.end.status, 'FAILED');
      assertSound(lived);
    },
    share: 0.5,
  }));

test('no more is spent than may be, and what just suffices does, whoever takes over', async t => {
  const spent = ({ installation }: Lived) => [...installation.cluster.made.values()].flat().length;
  await check(t, poor, {
    holds: (lived, { maxCost }) => assert.ok(spent(lived) <= maxCost!),
    share: 0.5,
  });
  const sufficing = undisturbed.map(schedule => {
    const { results } = predict(schedule.play);
    return {
      ...schedule,
      maxCost: BigInt([...results.values()].reduce((sum, { requests }) => sum + requests, 0)),
    };
  });
  await check(t, sufficing, { holds: assertEndsAsItMust, share: 0.5 });
});

test('on the store that is used in earnest a workflow ends as it must', async t => {
  const store = await openTestStore(t);
  await check(t, undisturbed, {
    holds: assertEndsAsItMust,
    share: 0.025,
    openRows: spec => rowsIn(store, spec),
  });
});
