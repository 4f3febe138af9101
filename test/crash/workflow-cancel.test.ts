// kill -9 while a workflow is being cancelled: its heir ends it, and begins nothing more of it.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { CrashPoint } from '../support/crash-hook.ts';
import { postgresMissing, postgresTestUrl } from '../support/database.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { gate, text } from '../support/upstream.ts';
import { follow, requestsOf, type Shape, storedRun, submit } from './workflow-world.ts';
import { createWorld, insist, passLeases, type World, type WorldOptions } from './world.ts';

/** Its first step never ends by itself, and whatever becomes of it, the second may follow. */
const SHAPE: Shape = {
  workflow: {
    steps: [
      { id: 'first', prompt: 'first', onFailure: 'CONTINUE' },
      { id: 'second', prompt: 'second' },
    ],
    limits: { maxParallel: 1 },
  },
  prompts: { first: 'first', second: 'second' },
  output: '',
};
const MOMENTS: readonly { readonly title: string; readonly point: CrashPoint }[] = [
  {
    title: 'its step has ended, and that is not written',
    point: { statement: 'finish', when: 'after', since: 'The request was cancelled.' },
  },
  {
    title: 'its last states are about to be written',
    point: { statement: 'advance', when: 'before', since: 'The workflow was cancelled.' },
  },
];
const OPTIONS: WorldOptions = {
  answer: () => [text('half '), gate(new Promise<never>(() => {}))],
  env: { MCPLANE_MAX_RUNNING_REQUESTS: '1' },
};
const TIMEOUT_MS = 240_000;

interface Dying {
  readonly world: World;
  readonly victim: ServerProcess;
  /** The server is dead; resolves when those who live may have what it had. */
  readonly takeOver: () => Promise<void>;
}

async function dieInCancel({ world, victim, takeOver }: Dying): Promise<void> {
  const client = world.client();
  const before = world.calls('first').length;
  const id = await submit(client, `cancelled-${before}`, SHAPE);
  while (world.calls('first').length === before) await world.upstream.nextRequest();
  // Asked for once: whether it comes to anything is up to the server.
  await assert.rejects(client.cancelRequest({ input: { requestId: id } }));
  assert.equal(await victim.ended, 'SIGKILL');
  await takeOver();
  const { last } = await follow(client, id);
  assert.equal(last.__typename, 'StreamFailed');
  const run = await storedRun(client, id);
  assert.equal(run.status, 'CANCELLED');
  for (const step of run.workflow.steps) assert.equal(step.status, 'CANCELLED', step.id);
  for (const request of await requestsOf(client, id)) assert.equal(request.status, 'CANCELLED');
  assert.equal(world.calls('second').length, 0, 'nothing more of it was begun');
  await insist(() => client.cancelRequest({ input: { requestId: id } }));
}

/** Each heir is the next one to die. */
async function dieInTurn(
  t: TestContext,
  world: World,
  { moments, passTime }: { moments: typeof MOMENTS; passTime: () => Promise<void> },
): Promise<void> {
  const start = async (index: number) => {
    const server = await world.start(moments[index]?.point);
    world.balancer.pointTo([server]);
    return server;
  };
  let victim = await start(0);
  for (const [index, { title }] of moments.entries())
    await t.test(`killed when ${title}`, async () => {
      const takeOver = async () => {
        victim = await start(index + 1);
        await passTime();
      };
      await dieInCancel({ world, victim, takeOver });
    });
}

test('embedded: a workflow that dies while it is cancelled is cancelled', {
  timeout: TIMEOUT_MS,
}, async t => {
  await dieInTurn(t, await createWorld(t, OPTIONS), { moments: MOMENTS, passTime: async () => {} });
});

test('Postgres: a workflow that dies while it is cancelled is cancelled', {
  skip: await postgresMissing(),
  timeout: TIMEOUT_MS,
}, async t => {
  const DATABASE_URL = await postgresTestUrl(t);
  const world = await createWorld(t, { ...OPTIONS, env: { ...OPTIONS.env, DATABASE_URL } });
  // What is written at each moment is the same.
  await dieInTurn(t, world, { moments: MOMENTS.slice(0, 1), passTime: () => passLeases(DATABASE_URL) });
});
