// One server, and for each row of a table of faults a faulty provider of its own, so that the rows do not disturb each
// other. Plays every row with a sound provider behind the faulty one and with nobody else to ask, and holds what is
// true after any fault.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { BreakerRules } from '../../src/domain/breaker-rules.ts';
import { idOf } from '../../src/domain/ids.ts';
import type { ModelRequest } from '../../src/domain/request.ts';
import { comparePositions, parseCursor } from '../../src/domain/stream.ts';
import { type Data, startTestApp, type TestApp, until } from '../support/app.ts';
import { REQUEST, readStream, submit } from '../support/requests.ts';
import { startUpstream, text, type Upstream } from '../support/upstream.ts';
import { ANSWER, type FaultRow, type Kind, MAX_ANSWER_BYTES, OWN } from './fault-row.ts';

/** A row that is played by a provider of one kind: to requests that have a second provider, and to those that do not. */
export interface Case {
  readonly row: FaultRow;
  readonly kind: Kind;
  readonly id: string;
  readonly upstream: Upstream;
}

export interface World {
  readonly app: TestApp;
  readonly cases: readonly Case[];
}

const BREAKERS = '{ providers { deployments { id breaker { state failures } } } }';
const TERMINAL = ['StreamCompleted', 'StreamFailed'];
const QUESTION = 'What is the answer?';

/** One endpoint of `mcplane.yaml` with the one model `m`. */
export function endpointOf(kind: Kind, url: string, rest: { id: string; deadlines?: object }): object {
  return {
    kind: kind === 'anthropic' ? 'anthropic' : 'openai',
    ...(kind === 'responses' && { api: 'responses' }),
    baseUrl: kind === 'anthropic' ? url : `${url}/v1`,
    onlyModels: true,
    models: ['m'],
    ...rest,
  };
}

/** A server with these endpoints, and for each id in `first` an alias `<id>-then-sound` that goes on to `sound`. */
export async function startWith(
  t: TestContext,
  endpoints: readonly object[],
  first: readonly string[],
  breakerRules?: Partial<BreakerRules>,
): Promise<TestApp> {
  const sound = await startUpstream(t);
  sound.answerWith(() => [text('The answer '), text('is 42.')]);
  const directory = await mkdtemp(join(tmpdir(), 'mcplane-'));
  t.after(() => rm(directory, { recursive: true }));
  const path = join(directory, 'mcplane.yaml');
  const file = {
    providers: [endpointOf('openai', sound.url, { id: 'sound' }), ...endpoints],
    aliases: Object.fromEntries(
      first.map(id => [`${id}-then-sound`, { deployments: [`${id}/m`], fallbacks: ['sound/m'] }]),
    ),
    ...(breakerRules && { routing: { breaker: breakerRules } }),
  };
  // YAML includes JSON.
  await writeFile(path, JSON.stringify(file));
  const env = {
    MCPLANE_CONFIG: path,
    MCPLANE_SIMULATED: 'off',
    MCPLANE_MAX_ANSWER_BYTES: String(MAX_ANSWER_BYTES),
    // Here nearly every request is retried.
    MCPLANE_RETRY_BUDGET_MIN_PER_SECOND: '1000',
  };
  return startTestApp(t, env);
}

/** The providers `<id>` (the alias `<id>-then-sound` goes on to `sound`) and `<id>-alone` for each row. */
async function startWorld(t: TestContext, rows: readonly FaultRow[]): Promise<World> {
  const cases: Case[] = [];
  for (const [index, row] of rows.entries())
    for (const kind of kindsOf(row)) {
      const upstream = await startUpstream(t);
      const script = row.scripts?.[kind] ?? row.script;
      upstream.answerWith(() => script);
      cases.push({ row, kind, upstream, id: `${kind}-${index}` });
    }
  const endpoints = cases.flatMap(({ row, kind, upstream, id }) => {
    const url = row.endpoint === 'https' ? upstream.url.replace('http:', 'https:') : upstream.url;
    const { deadlines = {} } = row;
    return [
      endpointOf(kind, url, { id, deadlines }),
      endpointOf(kind, url, { id: `${id}-alone`, deadlines }),
    ];
  });
  const app = await startWith(
    t,
    endpoints,
    cases.map(({ id }) => id),
  );
  return { app, cases };
}

/** Before the stream begins, the kinds of providers do not differ. */
function kindsOf({ script, kinds }: FaultRow): readonly Kind[] {
  return kinds ?? (Array.isArray(script) ? ['openai', 'responses', 'anthropic'] : ['openai']);
}

/** What a client has in the end that obeys the events. */
export function shownBy(events: readonly Data[]): string {
  let shown = '';
  for (const event of events)
    shown = event.__typename === 'StreamRestarted' ? '' : shown + (event.text ?? '');
  return shown;
}

export interface Ended {
  readonly events: readonly Data[];
  readonly request: Data;
  /** SUCCEEDED, or the code of the error. */
  readonly end: string;
}

/** Runs one request to its end and holds what is true after any fault. */
export async function run(app: TestApp, model: string, deadlines?: object): Promise<Ended> {
  const id = await submit(app, { prompt: QUESTION, model, deadlines });
  const events = await readStream(app, id);
  const { request } = await app.ask(REQUEST, { id });
  const [stored] = await app.store.requests.byIds([idOf('request', id)!]);
  assert.ok(stored);
  const last = events.at(-1);

  assert.deepEqual(
    events.filter(event => TERMINAL.includes(event.__typename)),
    [last],
    'one terminal event, and it is the last',
  );
  withoutGap(stored, events);
  assert.equal(stored.status, last.request.status, 'the row agrees with the stream');
  assert.equal(stored.status, request.status);
  assert.equal(stored.error?.code, last.error?.code);
  assert.equal(stored.attemptCount, request.attempts.length);
  assert.equal(last.request.output ?? '', shownBy(events), 'what was shown is what is kept');
  assert.equal(request.output, last.request.output);
  const started = events.filter(event => event.__typename === 'AttemptStarted');
  assert.deepEqual(
    started.map(event => [event.attempt, event.deployment]),
    request.attempts.map((attempt: Data) => [attempt.number, attempt.deployment.id]),
    'every attempt is recorded, in order',
  );
  return { events, request, end: last.error?.code ?? request.status };
}

/** The numbers go up to the one that is stored; only text may come joined, and then no letter of it is missing. */
function withoutGap({ id, lastSequence }: ModelRequest, events: readonly Data[]): void {
  let offset = 0;
  let before = { epoch: 1, sequence: 0, offset: 0 };
  for (const event of events) {
    const position = parseCursor(id, event.cursor);
    assert.ok(position, 'the cursor is one of this request');
    assert.ok(comparePositions(before, position) < 0, 'events are in order');
    const isText = event.__typename === 'TokenDelta';
    if (!isText) assert.equal(position.sequence, before.sequence + 1, 'no event is missing');
    if (event.__typename === 'StreamRestarted') offset = 0;
    offset += event.text?.length ?? 0;
    assert.equal(position.offset, offset, 'no text is missing');
    before = position;
  }
  assert.equal(before.sequence, lastSequence);
}

export async function breakersOf(app: TestApp, ...deploymentIds: string[]): Promise<FaultRow['breaker'][]> {
  const { providers } = await app.ask(BREAKERS);
  const deployments: Data[] = providers.flatMap((provider: Data) => provider.deployments);
  return deploymentIds.map(deploymentId => {
    const { breaker } = deployments.find(({ id }) => id === deploymentId);
    if (breaker.state !== 'CLOSED') return 'opened';
    return breaker.failures > 0 ? 'counted' : 'not counted';
  });
}

async function withSecond({ app }: World, { row, id, upstream }: Case): Promise<void> {
  const { events, request, end } = await run(app, `${id}-then-sound`, row.wishes);
  const isOwn = row.withSecond === 'first';
  const isRescued = row.withSecond === 'second' || row.withSecond === 'begun again';

  const faulty = Array(isRescued && isAskedAgain(row, events) ? 2 : 1).fill(`${id}/m`);
  assert.equal(end, isOwn || isRescued ? 'SUCCEEDED' : row.withSecond);
  assert.deepEqual(
    request.attempts.map((attempt: Data) => attempt.deployment.id),
    isRescued ? [...faulty, 'sound/m'] : faulty,
  );
  if (isOwn) assert.equal(request.output, OWN);
  if (isRescued) assert.equal(request.output, ANSWER);
  assert.equal(
    events.filter(event => event.__typename === 'StreamRestarted').length,
    row.withSecond === 'begun again' ? 1 : 0,
  );
  assert.equal(upstream.modelCalls.length, Math.min(faulty.length, row.callsAlone));
}

/** A fault that may pass is given a second chance, unless the provider is busy or a part of its answer was shown. */
function isAskedAgain({ callsAlone, cooldown }: FaultRow, events: readonly Data[]): boolean {
  const second = events.findIndex(event => event.attempt === 2);
  return callsAlone === 2 && !cooldown && !events.slice(0, second).some(event => event.text);
}

async function alone({ app }: World, { row, id, upstream }: Case): Promise<void> {
  const before = upstream.modelCalls.length;
  const { events, request, end } = await run(app, `${id}-alone/m`, row.wishes);

  assert.equal(end, row.alone);
  assert.equal(upstream.modelCalls.length - before, row.callsAlone);
  if (row.alone === 'SUCCEEDED') assert.equal(request.output, OWN);
  if (row.finishReason) assert.equal(request.finishReason, row.finishReason);
  if (row.usageEstimated) assert.equal(request.usage.estimated, true);
  if (row.retryAfterMs) assert.equal(events.at(-1).error.retryAfterMs, row.retryAfterMs);
}

async function neighbour({ app }: Pick<World, 'app'>): Promise<void> {
  const { end, request } = await run(app, 'sound/m');
  assert.equal(end, 'SUCCEEDED');
  assert.equal(request.output, ANSWER);
  assert.equal(request.attempts.length, 1);
}

/** The provider itself works again, unless it is kept away: nothing of the fault is left in the connections to it. */
async function recovered({ app }: World, { row, id, upstream }: Case): Promise<void> {
  if (row.breaker === 'opened' || row.cooldown || row.endpoint || row.deadlines) return neighbour({ app });
  upstream.answerWith(() => [text(OWN)]);
  const { end, request } = await run(app, `${id}-alone/m`);
  assert.equal(end, 'SUCCEEDED');
  assert.equal(request.output, OWN);
}

async function play(world: World, each: Case): Promise<void> {
  const { row, id, upstream } = each;
  // Not before: the server would learn it from the first look at the provider's list, and never call it.
  if (row.endpoint === 'closed port') await upstream.close();
  await withSecond(world, each);
  await Promise.all([alone(world, each), neighbour(world)]);
  const breakers = await breakersOf(world.app, `${id}/m`, `${id}-alone/m`);
  assert.deepEqual(breakers, [row.breaker, row.breaker]);
  await until(() => upstream.openCalls === 0, 'every call to the faulty provider is over');
  await recovered(world, each);
}

/** Tests that play each table, row by row. */
export function playTables(tables: Readonly<Record<string, readonly FaultRow[]>>): void {
  for (const [place, faults] of Object.entries(tables))
    test(`a provider that fails ${place}`, { concurrency: 8 }, async t => {
      const world = await startWorld(t, faults);
      const rows = world.cases.map(each =>
        t.test(`${each.row.name}: ${each.row.withSecond}; alone ${each.row.alone} (${each.kind})`, () =>
          play(world, each),
        ),
      );
      await Promise.all(rows);
    });
}
