// Every step of a request's life at which a server may die, and what its heirs make of the request then.

import assert from 'node:assert/strict';
import type { CrashPoint } from '../support/crash-hook.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { gate, type Step as ScriptStep, stall, status, text } from '../support/upstream.ts';
import { assertLedger } from './ledger.ts';
import { answerTo, countOf, followToEnd, stored, submitSurely, type World } from './world.ts';

export interface Step {
  readonly title: string;
  /** Where the server dies by itself. */
  readonly point?: Omit<CrashPoint, 'since'>;
  /** Or when it is killed: the provider has the call, the subscriber has text, the request is accepted. */
  readonly killedAt?: 'call' | 'text' | 'acceptance';
  /** Another request has the only place, so that this one goes through the queue. */
  readonly waits?: boolean;
  /** The first call fails, and is made again after a pause. */
  readonly fails?: boolean;
  /** What the ledger may say in the end, and how many calls the provider had then. */
  readonly ends: readonly { readonly outcomes: readonly string[]; readonly calls: number }[];
}

const ONCE = { outcomes: ['SUCCEEDED'], calls: 1 } as const;
const TWICE = { outcomes: ['LOST', 'SUCCEEDED'], calls: 2 } as const;
/** It died in the pause before the second call; whether the first one was in the ledger then depends on when. */
const BOOKED = { outcomes: ['FAILED', 'LOST', 'SUCCEEDED'], calls: 2 } as const;
const UNBOOKED = TWICE;
/** The dead one was about to call, or had just made the row: that it did not come to the call nobody knows. */
const NEVER_CALLED = { outcomes: ['LOST', 'SUCCEEDED'], calls: 1 } as const;

export const STEPS: readonly Step[] = [
  { title: 'before it is stored', point: { statement: 'accept', when: 'before' }, ends: [ONCE] },
  {
    title: 'in the commit that stores it',
    point: { statement: 'accept', when: 'during' },
    ends: [ONCE, NEVER_CALLED],
  },
  {
    title: 'stored, the answer to the client not yet sent',
    point: { statement: 'accept', when: 'after' },
    ends: [NEVER_CALLED],
  },
  { title: 'before the first token', killedAt: 'call', ends: [TWICE] },
  { title: 'in the middle of the answer', killedAt: 'text', ends: [TWICE] },
  {
    title: 'after a failure, before it is booked',
    fails: true,
    point: { statement: 'book', when: 'before' },
    ends: [UNBOOKED],
  },
  {
    title: 'in the commit that books a failure',
    fails: true,
    point: { statement: 'book', when: 'during' },
    ends: [UNBOOKED, BOOKED],
  },
  {
    title: 'with a failure booked, before the next call',
    fails: true,
    point: { statement: 'book', when: 'after' },
    ends: [BOOKED],
  },
  {
    title: 'after the last token, before the end is written',
    point: { statement: 'finish', when: 'before' },
    ends: [TWICE],
  },
  {
    title: 'in the commit of the end',
    point: { statement: 'finish', when: 'during' },
    ends: [ONCE, TWICE],
  },
  {
    title: 'right after the commit of the end',
    point: { statement: 'finish', when: 'after' },
    ends: [ONCE],
  },
  { title: 'while it waits', waits: true, killedAt: 'acceptance', ends: [ONCE] },
  {
    title: 'before it is claimed',
    waits: true,
    point: { statement: 'claim', when: 'before' },
    ends: [ONCE],
  },
  {
    title: 'in the commit of the claim',
    waits: true,
    point: { statement: 'claim', when: 'during' },
    ends: [ONCE],
  },
  { title: 'claimed, not routed', waits: true, point: { statement: 'claim', when: 'after' }, ends: [ONCE] },
  {
    title: 'claimed and routed, not called',
    waits: true,
    point: { statement: 'route', when: 'after' },
    ends: [NEVER_CALLED],
  },
];

/** Two installations at a time halve what is mostly waiting. */
export const LANES = [0, 1].map(lane => STEPS.filter((_step, index) => index % 2 === lane));

export function promptOf(step: Step): string {
  return step.title.replaceAll(/\W+/g, '-');
}

/** The point of the step, for the server that is to die. */
export function pointOf(step: Step): CrashPoint | undefined {
  return step.point && { ...step.point, since: promptOf(step) };
}

/** `takeOver`: the server is dead; resolves when those who live may have what it had. */
export async function dieAt(
  step: Step,
  world: World,
  victim: ServerProcess,
  takeOver: () => Promise<void>,
): Promise<void> {
  const prompt = promptOf(step);
  const client = world.client();
  const called = Promise.withResolvers<void>();
  const seen = Promise.withResolvers<void>();
  const free = Promise.withResolvers<void>();
  if (step.waits) await occupy(world, victim, { prompt: `before: ${step.title}`, until: free.promise });
  const tells: ScriptStep = { do: 'wait', until: async () => called.resolve() };
  if (step.fails) world.script(prompt, status(500));
  if (step.killedAt === 'call') world.script(prompt, [tells, stall()]);
  if (step.killedAt === 'text') world.script(prompt, [text('half an answer'), stall()]);

  const input = { prompt, idempotencyKey: prompt };
  const accepted = submitSurely(client, input);
  const followed = accepted.then(id =>
    followToEnd(client, id, event => event.__typename === 'TokenDelta' && seen.resolve()),
  );
  if (step.waits) await accepted;
  free.resolve(step.killedAt ? new Promise<never>(() => {}) : undefined);
  if (step.killedAt) {
    await { call: called.promise, text: seen.promise, acceptance: accepted }[step.killedAt];
    victim.process.kill('SIGKILL');
  }
  assert.equal(await victim.ended, 'SIGKILL');
  await takeOver();

  const { text: answer, restarts, last } = await followed;
  assert.equal(last.__typename, 'StreamCompleted', JSON.stringify(last));
  assert.equal(answer, answerTo(prompt));
  if (step.killedAt === 'text') assert.equal(restarts, 1);
  const id = await accepted;
  assert.equal(await submitSurely(client, input), id, 'the key is the same request again');
  assert.equal(await countOf(client, prompt), 1);
  const { outcomes, ...ended } = await stored(client, id);
  assert.deepEqual([ended.status, ended.output], ['SUCCEEDED', answerTo(prompt)]);
  const end = { outcomes, calls: world.calls(prompt).length };
  assertLedger(end.calls, end.outcomes);
  assert.ok(
    step.ends.some(({ outcomes, calls }) => String(outcomes) === String(end.outcomes) && calls === end.calls),
    JSON.stringify(end),
  );
}

/** Gives the server's only place to a request that runs until the promise settles; resolves when it runs. */
export async function occupy(
  world: World,
  server: ServerProcess,
  { prompt, until }: { prompt: string; until: Promise<unknown> },
): Promise<void> {
  const runs = Promise.withResolvers<void>();
  const tells: ScriptStep = { do: 'wait', until: async () => runs.resolve() };
  world.script(prompt, [tells, text('busy'), gate(until)]);
  await server.client.submitRequest({ input: { prompt } });
  await runs.promise;
}
