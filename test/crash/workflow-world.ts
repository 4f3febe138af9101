// Workflows for servers that die: several shapes, what each must come to, and what must be true of it whatever was killed.

import assert from 'node:assert/strict';
import { type Client, isMcplaneError, type StreamEvent } from '../../src/sdk/client.ts';
import type { WorkflowInput } from '../../src/sdk/generated/graphql.ts';
import { scriptedTokens } from '../support/upstream.ts';
import { assertLedgerThrough, type LedgerRow } from './ledger.ts';
import { insist, type World } from './world.ts';

export interface Shape {
  readonly workflow: WorkflowInput;
  readonly taskType?: 'WORKFLOW';
  /** Prompts of its steps by the name of the request: each is answered once. */
  readonly prompts: Readonly<Record<string, string>>;
  readonly output: string;
}

/** The answer to a prompt: it depends on the whole of it, and says in few words which one it was. */
export function wordsFor(prompt: string): string[] {
  const [tag] = prompt.split(' ');
  return [`${tag} `, `of ${prompt.length} `, 'is done'];
}

export function answerFor(prompt: string): string {
  return wordsFor(prompt).join('');
}

/** Prompts that are answered with a plan. */
const plans = new Map<string, string>();

export function contentFor(prompt: string): string[] {
  const plan = plans.get(prompt);
  return plan === undefined ? wordsFor(prompt) : [plan.slice(0, 20), plan.slice(20)];
}

function ref(id: string): string {
  return `{{steps.${id}.output}}`;
}

export function chain(name: string, length: number): Shape {
  const ids = Array.from({ length }, (_, index) => `s${index}`);
  const prompts: Record<string, string> = {};
  for (const [index, id] of ids.entries())
    prompts[id] = index === 0 ? `${name}-${id}` : `${name}-${id} ${answerFor(prompts[ids[index - 1]!]!)}`;
  return {
    workflow: {
      steps: ids.map((id, index) => ({
        id,
        prompt: index === 0 ? `${name}-${id}` : `${name}-${id} ${ref(ids[index - 1]!)}`,
      })),
      output: `whole ${name}: ${ref(ids.at(-1)!)}`,
    },
    prompts,
    output: `whole ${name}: ${answerFor(prompts[ids.at(-1)!]!)}`,
  };
}

export function diamond(name: string): Shape {
  const top = `${name}-top`;
  const [left, right] = [`${name}-left ${answerFor(top)}`, `${name}-right ${answerFor(top)}`];
  const both = `${answerFor(left)} and ${answerFor(right)}`;
  const bottom = `${name}-bottom ${both}`;
  return {
    workflow: {
      steps: [
        { id: 'top', prompt: top },
        { id: 'left', prompt: `${name}-left ${ref('top')}` },
        { id: 'right', prompt: `${name}-right ${ref('top')}` },
        { id: 'both', kind: 'TRANSFORM', template: `${ref('left')} and ${ref('right')}` },
        { id: 'bottom', prompt: `${name}-bottom ${ref('both')}` },
      ],
    },
    prompts: { top, left, right, bottom },
    output: answerFor(bottom),
  };
}

export function fanOut(name: string, width: number): Shape {
  const list = Array.from({ length: width }, (_, index) => index);
  const prompts = list.map(item => `${name}-${item}`);
  return {
    workflow: {
      parameters: { list },
      steps: [
        {
          id: 'each',
          prompt: `${name}-{{item}}`,
          forEach: { items: 'parameters.list', joinWith: '\n', maxParallel: 200 },
        },
        { id: 'end', kind: 'TRANSFORM', template: ref('each') },
      ],
    },
    prompts: Object.fromEntries(prompts.map((prompt, item) => [`each[${item}]`, prompt])),
    output: prompts.map(answerFor).join('\n'),
  };
}

/** A model makes the steps. */
export function planned(name: string): Shape {
  const { workflow, prompts, output } = diamond(name);
  const steps = workflow.steps!.filter(({ kind }) => kind !== 'TRANSFORM');
  const input = `${name}-input`;
  const bottom = `${name}-bottom ${answerFor(prompts.left!)} ${answerFor(prompts.right!)}`;
  const plan = steps.map(({ id, prompt }) => ({
    id,
    title: id,
    prompt: id === 'bottom' ? `${name}-bottom ${ref('left')} ${ref('right')}` : prompt,
    dependsOn: [],
  }));
  assert.notEqual(output, '');
  plans.set(input, JSON.stringify({ steps: plan }));
  return {
    workflow: {},
    taskType: 'WORKFLOW',
    prompts: { plan: input, ...prompts, bottom },
    output: answerFor(bottom),
  };
}

export async function submit(client: Client, name: string, shape: Shape): Promise<string> {
  const { workflow, taskType, prompts } = shape;
  const input = {
    workflow,
    prompt: prompts.plan ?? name,
    ...(taskType && { taskType }),
    idempotencyKey: name,
  };
  return (await insist(() => client.submitRequest({ input }))).submitRequest.request.id;
}

export interface Told {
  readonly texts: ReadonlyMap<string, string>;
  readonly last: StreamEvent;
}

/** Each is some seconds of the client's own tries. */
const MOST_TRIES = 20;

/** Follows to the end, from server to server, and puts the text of each step together. */
export async function follow(client: Client, id: string): Promise<Told> {
  const texts = new Map<string, string>();
  let after: string | undefined;
  for (let tries = 1; ; tries += 1) {
    const events = client.follow(id, { after }).events();
    try {
      for await (const event of events) {
        after = event.cursor;
        if (event.__typename === 'TokenDelta') {
          assert.ok(event.step, `text of no step: ${event.text}`);
          texts.set(event.step, (texts.get(event.step) ?? '') + event.text);
        }
        if (event.__typename === 'StreamRestarted') {
          if (event.step == null) texts.clear();
          else texts.delete(event.step);
        }
        if (event.__typename === 'StreamCompleted' || event.__typename === 'StreamFailed')
          return { texts, last: event };
      }
    } catch (error) {
      if (!isMcplaneError(error) || !error.retryable || tries === MOST_TRIES) throw error;
    }
  }
}

interface StepRow {
  readonly id: string;
  readonly step: string;
  readonly prompt: string;
  readonly output: string | null;
  readonly status: string;
  readonly usage: { readonly outputTokens: number } | null;
  readonly attempts: readonly LedgerRow[];
}

/** The requests of its steps, as they are stored. */
export async function requestsOf(client: Client, workflow: string): Promise<StepRow[]> {
  const query = `query ($workflow: ID!, $after: String) {
    requests(first: 100, after: $after, filter: { workflow: $workflow }) {
      pageInfo { hasNextPage endCursor }
      nodes { id step prompt output status usage { outputTokens } attempts { outcome deploymentId } }
    } }`;
  const rows: StepRow[] = [];
  for (let after: string | undefined; ; ) {
    const { requests } = await insist(() =>
      client.query<
        { requests: { nodes: StepRow[]; pageInfo: { hasNextPage: boolean; endCursor: string } } },
        object
      >(query, { workflow, after }),
    );
    rows.push(...requests.nodes);
    if (!requests.pageInfo.hasNextPage) return rows;
    after = requests.pageInfo.endCursor;
  }
}

export interface Stored {
  readonly status: string;
  readonly output: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly workflow: {
    readonly steps: readonly {
      readonly id: string;
      readonly status: string;
      readonly tries: number;
      readonly output: string | null;
      readonly itemsEnded: number | null;
    }[];
  };
}

export async function storedRun(client: Client, id: string): Promise<Stored> {
  const query = `query ($id: ID!) { request(id: $id) {
    status output error { code message } workflow { steps { id status tries output itemsEnded } } } }`;
  const { request } = await insist(() => client.query<{ request: Stored }, object>(query, { id }));
  return request;
}

export interface Case {
  readonly world: World;
  readonly client: Client;
  readonly kills: readonly number[];
  readonly shape: Shape;
  readonly id: string;
}

/** It came to what it must, each of its steps by one request, and the ledger of each is true. Resolves with all outcomes. */
export async function assertWhole({ world, client, kills, shape, id }: Case, told: Told): Promise<string[]> {
  const run = await storedRun(client, id);
  assert.equal(run.status, 'SUCCEEDED', JSON.stringify(run.error));
  assert.equal(told.last.__typename, 'StreamCompleted');
  assert.equal(run.output, shape.output);
  for (const step of run.workflow.steps) {
    assert.equal(step.status, 'SUCCEEDED');
    assert.equal(told.texts.get(step.id), step.output, `what was told of ${step.id}`);
  }
  const requests = await requestsOf(client, id);
  const byName = (pairs: readonly (readonly [string, string])[]) => Object.fromEntries([...pairs].sort());
  assert.deepEqual(
    byName(requests.map(({ step, prompt }) => [step, prompt])),
    byName(Object.entries(shape.prompts)),
    'one request for each step, with the prompt that its results make',
  );
  assert.equal(requests.length, Object.keys(shape.prompts).length);
  for (const { step, prompt, output, attempts, usage } of requests) {
    const answer = contentFor(prompt).join('');
    assert.equal(output, answer, step);
    assert.equal(usage?.outputTokens, contentFor(prompt).flatMap(scriptedTokens).length);
    assert.equal(attempts.filter(({ outcome }) => outcome === 'SUCCEEDED').length, 1);
    assert.equal(attempts.at(-1)!.outcome, 'SUCCEEDED', 'what has succeeded is not begun again');
    if (told.texts.has(step)) assert.equal(told.texts.get(step), answer);
    assertLedgerThrough(kills, world.calls(prompt), attempts);
  }
  return requests.flatMap(({ attempts }) => attempts.map(({ outcome }) => outcome));
}
