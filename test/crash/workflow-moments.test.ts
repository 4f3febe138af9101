// kill -9 between what is written of a workflow and what is done: the heir finds out where it was, and does nothing twice.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CrashPoint } from '../support/crash-hook.ts';
import { postgresMissing, postgresTestUrl } from '../support/database.ts';
import { redisMissing, startRedis } from '../support/redis.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { text } from '../support/upstream.ts';
import { someOf } from './random.ts';
import { occupy } from './steps.ts';
import {
  answerFor,
  assertWhole,
  chain,
  contentFor,
  follow,
  type Shape,
  storedRun,
  submit,
} from './workflow-world.ts';
import { createWorld, insist, passLeases, type World, type WorldOptions } from './world.ts';

interface Moment {
  readonly title: string;
  readonly at: Omit<CrashPoint, 'since'>;
  /** The text from which on it counts. */
  readonly since: (shape: Shape, name: string) => string;
}

const afterStep = (step: string) => (shape: Shape) => answerFor(shape.prompts[step]!);
const MOMENTS: readonly Moment[] = [
  {
    title: 'the first step is written down, and not requested',
    at: { statement: 'advance', when: 'after' },
    since: (_shape, name) => name,
  },
  {
    title: 'a step has ended, and that is not written',
    at: { statement: 'advance', when: 'before' },
    since: afterStep('s0'),
  },
  {
    title: 'in the commit of an end and the next beginning',
    at: { statement: 'advance', when: 'during' },
    since: afterStep('s0'),
  },
  {
    title: 'the next step is written down, and not requested',
    at: { statement: 'advance', when: 'after' },
    since: afterStep('s0'),
  },
  {
    title: 'in the commit of the request of a step',
    at: { statement: 'accept', when: 'during' },
    since: afterStep('s0'),
  },
  {
    title: 'all steps have ended, and the workflow has not',
    at: { statement: 'advance', when: 'after' },
    since: afterStep('s2'),
  },
  {
    title: 'before the end of the workflow is written',
    at: { statement: 'finish', when: 'before' },
    since: shape => shape.output,
  },
  {
    title: 'in the commit of the end of the workflow',
    at: { statement: 'finish', when: 'during' },
    since: shape => shape.output,
  },
];

const OPTIONS: WorldOptions = { answer: prompt => contentFor(prompt).map(text) };
/** With one death more each workflow would fail: the one that it meets is the only one that is counted. */
const LAST_LIFE = { MCPLANE_MAX_DEATHS: '2' };
const TIMEOUT_MS = 480_000;

interface Dying {
  readonly name: string;
  readonly world: World;
  readonly kills: number[];
  readonly victim: ServerProcess;
  /** The server is dead; resolves when those who live may have what it had. */
  readonly takeOver: () => Promise<void>;
}

/** Where the server is to die that meets the workflow of that name. */
function pointOf({ at, since }: Moment, name: string): CrashPoint {
  return { ...at, since: since(chain(name, 3), `${name}-`) };
}

async function dieAt({ name, world, kills, victim, takeOver }: Dying): Promise<void> {
  const shape = chain(name, 3);
  const client = world.client();
  const submitted = submit(client, `${name}-`, shape);
  const told = submitted.then(id => follow(client, id));
  assert.equal(await victim.ended, 'SIGKILL');
  kills.push(performance.now());
  await takeOver();
  const outcomes = await assertWhole({ world, client, kills, shape, id: await submitted }, await told);
  // It died between two steps, not in one.
  for (const prompt of Object.values(shape.prompts)) assert.equal(world.calls(prompt).length, 1, prompt);
  assert.ok(outcomes.filter(outcome => outcome === 'LOST').length <= 1, String(outcomes));
}

/** Waits for a person, and then makes one step. */
const PATIENT: Shape = {
  workflow: {
    steps: [
      { id: 'ask', kind: 'APPROVAL', prompt: 'May it go on?' },
      { id: 's0', prompt: 'patient-s0', dependsOn: ['ask'] },
    ],
  },
  prompts: { s0: 'patient-s0' },
  output: answerFor('patient-s0'),
};

async function assertPatient(world: World, id: string): Promise<void> {
  const client = world.client();
  await insist(() => client.decideStep({ input: { requestId: id, step: 'ask', approved: true } }));
  assert.equal((await follow(client, id)).last.__typename, 'StreamCompleted');
  assert.equal((await storedRun(client, id)).output, PATIENT.output);
}

test('embedded: a workflow that is killed at any moment does nothing twice', {
  timeout: TIMEOUT_MS,
}, async t => {
  const world = await createWorld(t, { ...OPTIONS, env: LAST_LIFE });
  const kills: number[] = [];
  const nameOf = (index: number) => `m${index}`;
  const moments = someOf(MOMENTS);
  const start = async (index: number) => {
    const moment = moments[index];
    const server = await world.start(moment && pointOf(moment, nameOf(index)));
    world.balancer.pointTo([server]);
    return server;
  };
  // Each heir is the next one to die.
  let server = await start(0);
  const patient = await submit(world.client(), 'patient', PATIENT);
  for (const [index, { title }] of moments.entries()) {
    let passed = false;
    await t.test(`killed when ${title}`, async () => {
      const takeOver = async () => {
        server = await start(index + 1);
      };
      await dieAt({ name: nameOf(index), world, kills, victim: server, takeOver });
      passed = true;
    });
    assert.ok(passed, 'the next one begins where this one ends');
  }
  await assertPatient(world, patient);
});

/** Those between two statements; what a torn commit does is the same for all statements. */
const BETWEEN = MOMENTS.filter(({ at }) => at.statement === 'advance' && at.when !== 'during');

test('two instances: the other one goes on with the workflow of the dead', {
  skip: (await postgresMissing()) || redisMissing(),
  timeout: TIMEOUT_MS,
}, async t => {
  const databaseUrl = await postgresTestUrl(t);
  const REDIS_URL = (await startRedis(t)).url;
  const world = await createWorld(t, {
    ...OPTIONS,
    env: { ...LAST_LIFE, DATABASE_URL: databaseUrl, REDIS_URL, MCPLANE_MAX_RUNNING_REQUESTS: '1' },
  });
  const heir = await world.start();
  const kills: number[] = [];
  for (const [index, moment] of BETWEEN.entries()) {
    await t.test(`killed when ${moment.title}`, async () => {
      const name = `m${index}`;
      // The heir is busy before there is another one, so that the workflow is where it is meant to be.
      const dead = Promise.withResolvers<void>();
      await occupy(world, heir, { prompt: `beside: ${name}`, until: dead.promise });
      const victim = await world.start(pointOf(moment, name));
      world.balancer.pointTo([victim, heir]);
      const takeOver = async () => {
        dead.resolve();
        await passLeases(databaseUrl);
      };
      await dieAt({ name, world, kills, victim, takeOver });
    });
  }
});
