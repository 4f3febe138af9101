// Again and again: workflows of every shape are under way, and at random moments a random server is killed.
// CRASH_SECONDS is how long each test goes on (default 5), CRASH_SEED repeats one.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import type { TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { ServerProcess } from '../support/server-process.ts';
import { text, waitMs } from '../support/upstream.ts';
import { replaceKilled, testKills } from './killing.ts';
import { randomFrom } from './random.ts';
import {
  assertWhole,
  chain,
  contentFor,
  diamond,
  fanOut,
  follow,
  planned,
  type Shape,
  submit,
} from './workflow-world.ts';
import { createWorld, type World } from './world.ts';

const SECONDS = Number(process.env.CRASH_SECONDS ?? 5);
const SEED = Number(process.env.CRASH_SEED ?? randomInt(1_000_000));
const TIMEOUT_MS = SECONDS * 1_000 + 300_000;

/** Of the provider in a round when nobody is killed. */
const CALLS = 215;
/** A kill waits no longer for calls that somebody else's death has put off. */
const LONGEST_MS = 5_000;

interface Rounds {
  readonly world: World;
  readonly servers: ServerProcess[];
  readonly random: (below: number) => number;
  readonly kills: number[];
}

/** Kills one when the provider has had that many calls, or has no more of them, and starts another in its place. */
async function killOne({ world, servers, random, kills }: Rounds, calls: number): Promise<void> {
  const [victim, delayMs] = [random(servers.length), random(200)];
  const endsMs = performance.now() + LONGEST_MS;
  while (world.upstream.modelCalls.length < calls && performance.now() < endsMs) await wait(5);
  await wait(delayMs);
  await replaceKilled(world, servers, { victim, kills });
}

async function killInRounds(t: TestContext, world: World, servers: ServerProcess[]): Promise<void> {
  const rounds: Rounds = { world, servers, random: randomFrom(SEED), kills: [] };
  const { kills } = rounds;
  const client = world.client();
  const startedMs = performance.now();
  const outcomes: string[] = [];
  let round = 0;
  world.balancer.pointTo(servers, { inTurn: true });
  while (round < 1 || performance.now() - startedMs < SECONDS * 1_000) {
    const name = (kind: string) => `r${round}-${kind}`;
    round += 1;
    const shapes: [string, Shape][] = [
      [name('chain'), chain(name('chain'), 6)],
      [name('diamond'), diamond(name('diamond'))],
      [name('wide'), fanOut(name('wide'), 200)],
      [name('plan'), planned(name('plan'))],
    ];
    const asked = shapes.map(async ([key, shape]) => {
      const id = await submit(client, key, shape);
      return assertWhole({ world, client, kills, shape, id }, await follow(client, id));
    });
    const before = world.upstream.modelCalls.length;
    const kill = async () => {
      for (const calls of [rounds.random(CALLS), rounds.random(CALLS)].sort((one, other) => one - other))
        await killOne(rounds, before + calls);
    };
    await Promise.all([...asked, kill()]);
    outcomes.push(...(await Promise.all(asked)).flat());
  }
  const count = (wanted: string) => outcomes.filter(outcome => outcome === wanted).length;
  const { billed } = world.upstream;
  // What was answered to the end was written, or its writer died.
  assert.ok(count('SUCCEEDED') <= billed.calls && billed.calls <= count('SUCCEEDED') + count('LOST'));
  t.diagnostic(
    `seed ${SEED}: ${kills.length} kills, ${round * 4} workflows, ${count('SUCCEEDED')} steps, ` +
      `${world.upstream.modelCalls.length} calls (${billed.calls} whole), ${count('LOST')} LOST, ` +
      `${Math.round(performance.now() - startedMs)} ms`,
  );
}

function createSlowWorld(t: TestContext, env: Record<string, string>): Promise<World> {
  const random = randomFrom(SEED);
  return createWorld(t, {
    // Steps meet many deaths here, and are to outlive them.
    env: { MCPLANE_MAX_RUNNING_REQUESTS: '50', MCPLANE_MAX_DEATHS: '100', ...env },
    answer: prompt => contentFor(prompt).flatMap(word => [text(word), waitMs(random(120))]),
  });
}

await testKills('every workflow survives every kill', {
  timeoutMs: TIMEOUT_MS,
  createWorld: createSlowWorld,
  run: killInRounds,
});
