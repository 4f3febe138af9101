// Again and again: twenty requests under way, some waiting, and at a random moment a random server is killed.
// CRASH_SECONDS is how long each test goes on (default 10), CRASH_SEED repeats one.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import type { TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { Client } from '../../src/sdk/client.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { cut, type Scripted, status, text, waitMs } from '../support/upstream.ts';
import { replaceKilled, testKills } from './killing.ts';
import { assertLedgerThrough } from './ledger.ts';
import { randomFrom } from './random.ts';
import { answerTo, createWorld, followToEnd, stored, submitSurely, type World, wordsOf } from './world.ts';

const SECONDS = Number(process.env.CRASH_SECONDS ?? 10);
const SEED = Number(process.env.CRASH_SEED ?? randomInt(1_000_000));
const REQUESTS = 20;
const CLIENTS = 4;
/** So often some call of a request is to fail. */
const FAULTY = 0.4;
/** All submissions come within this time, and the kill within the second one: by then many are behind a failure. */
const SPREAD_MS = 900;
const KILL_SPREAD_MS = 1_800;
const TIMEOUT_MS = SECONDS * 1_000 + 100_000;

interface Rounds {
  readonly world: World;
  /** When servers were killed. */
  readonly kills: number[];
}

interface Surviving {
  readonly id: string;
  readonly prompt: string;
  readonly restarts: number;
  readonly end: Awaited<ReturnType<typeof stored>>;
}

/** One request as its client sees it, from the submission to what is stored. */
async function ask(
  { world, kills }: Rounds,
  client: Client,
  { prompt, priority }: { prompt: string; priority: number },
): Promise<Surviving> {
  const input = { prompt, priority, idempotencyKey: prompt };
  const id = await submitSurely(client, input);
  const { text: answer, restarts, last } = await followToEnd(client, id);
  assert.equal(last.__typename, 'StreamCompleted', JSON.stringify(last));
  assert.equal(answer, answerTo(prompt));
  assert.equal(await submitSurely(client, input), id, 'the key is the same request again');
  const end = await stored(client, id);
  assert.deepEqual({ status: end.status, output: end.output }, { status: 'SUCCEEDED', output: answer });
  assertLedgerThrough(kills, world.calls(prompt), end.rows);
  assert.equal(end.outcomes.filter(outcome => outcome === 'SUCCEEDED').length, 1);
  return { id, prompt, restarts, end };
}

async function killInRounds(t: TestContext, world: World, servers: ServerProcess[]): Promise<void> {
  const random = randomFrom(SEED);
  const clients = Array.from({ length: CLIENTS }, () => world.client());
  const survived: Surviving[] = [];
  const going: Rounds = { world, kills: [] };
  const startedMs = performance.now();
  let rounds = 0;
  world.balancer.pointTo(servers, { inTurn: true });
  while (rounds < 2 || performance.now() - startedMs < SECONDS * 1_000) {
    rounds += 1;
    const asked = Array.from({ length: REQUESTS }, async (_, index) => {
      const [priority, delayMs] = [random(101), random(SPREAD_MS)];
      await wait(delayMs);
      return ask(going, clients[index % CLIENTS]!, { prompt: `round${rounds}-request${index}`, priority });
    });
    await Promise.all([...asked, killOne(going, servers, random)]);
    survived.push(...(await Promise.all(asked)));
  }
  await assertUnchanged(clients[0]!, survived);
  report(t, world, { survived, rounds, ms: performance.now() - startedMs });
}

/** Kills one at a random moment, and starts another in its place. */
async function killOne(
  { world, kills }: Rounds,
  servers: ServerProcess[],
  random: (below: number) => number,
): Promise<void> {
  const [victim, delayMs] = [random(servers.length), random(KILL_SPREAD_MS)];
  await wait(delayMs);
  await replaceKilled(world, servers, { victim, kills });
}

/** What has ended stays as it is, whatever dies later. */
async function assertUnchanged(client: Client, survived: readonly Surviving[]): Promise<void> {
  for (const { id, end } of survived) assert.deepEqual(await stored(client, id), end);
  assert.equal(new Set(survived.map(({ id }) => id)).size, survived.length);
}

function report(
  t: TestContext,
  world: World,
  { survived, rounds, ms }: { survived: readonly Surviving[]; rounds: number; ms: number },
): void {
  const outcomes = survived.flatMap(({ end }) => end.outcomes);
  const count = (outcome: string) => outcomes.filter(each => each === outcome).length;
  const restarts = survived.reduce((sum, each) => sum + each.restarts, 0);
  // What was answered to the end was written, or its writer died.
  assert.ok(world.upstream.billed.calls <= count('SUCCEEDED') + count('LOST'));
  assert.ok(count('LOST') > 0, 'nothing was under way when a server was killed');
  const resumed = survived.filter(({ end }) => /FAILED,LOST/.test(String(end.outcomes))).length;
  t.diagnostic(
    `seed ${SEED}: ${rounds} kills, ${survived.length} requests, ${world.upstream.modelCalls.length} calls ` +
      `(${world.upstream.billed.calls} whole), ${count('FAILED')} FAILED, ` +
      `${count('LOST')} LOST (${resumed} right behind a failure), ${restarts} restarts seen, ${Math.round(ms)} ms`,
  );
}

/** What befalls the first calls of a request: refused at once, or cut off in the middle; later ones succeed. */
const FAULTS: readonly (readonly ('refused' | 'cut')[])[] = [
  ['refused'],
  ['cut'],
  ['refused', 'refused'],
  ['refused', 'cut'],
];

function createSlowWorld(t: TestContext, env: Record<string, string>): Promise<World> {
  const random = randomFrom(SEED);
  const plans = new Map<string, ('refused' | 'cut')[]>();
  /** Whoever failed is slower afterwards, so that the next kill meets the call behind the failure. */
  const answer = (prompt: string): Scripted => {
    const isNew = !plans.has(prompt);
    if (isNew) plans.set(prompt, random(100) < FAULTY * 100 ? [...FAULTS[random(FAULTS.length)]!] : []);
    const plan = plans.get(prompt)!;
    const fault = plan.shift();
    if (fault === 'refused') return status(500);
    const words = wordsOf(prompt).flatMap(word => [text(word), waitMs(random(isNew ? 40 : 160))]);
    return fault === 'cut' ? [...words.slice(0, words.length >> 1), cut()] : words;
  };
  return createWorld(t, {
    models: ['model-a', 'model-b'],
    env: {
      MCPLANE_MAX_RUNNING_REQUESTS: '4',
      // What fails here is to be tried again, and by whoever is next in line.
      MCPLANE_RETRY_BUDGET_PERCENT: '1000',
      MCPLANE_BREAKER_CONSECUTIVE_FAILURES: '1000',
      MCPLANE_BREAKER_FAILURE_RATE: '1',
      ...env,
    },
    answer,
  });
}

await testKills('every accepted request survives every kill', {
  timeoutMs: TIMEOUT_MS,
  createWorld: createSlowWorld,
  run: killInRounds,
});
