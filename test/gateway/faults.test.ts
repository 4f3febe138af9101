// What the whole gateway does about each fault of a provider, over real sockets: one server, and for each row of
// fault-rows.ts a faulty provider of its own, so that the rows do not disturb each other.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { idOf } from '../../src/domain/ids.ts';
import { type Data, startTestApp, type TestApp, until } from '../support/app.ts';
import { REQUEST, readStream, submit } from '../support/requests.ts';
import { startUpstream, text, type Upstream } from '../support/upstream.ts';
import { ANSWER, FAULTS, type FaultRow, MAX_ANSWER_BYTES, OWN } from './fault-rows.ts';

type Kind = 'openai' | 'anthropic';

/** A row that is played by a provider of one kind: to requests that have a second provider, and to those that do not. */
interface Case {
  readonly row: FaultRow;
  readonly kind: Kind;
  readonly id: string;
  readonly upstream: Upstream;
}

interface World {
  readonly app: TestApp;
  readonly cases: readonly Case[];
}

const BREAKERS = '{ providers { deployments { id breaker { state failures } } } }';
const TERMINAL = ['StreamCompleted', 'StreamFailed'];

function endpointOf({ row, kind, upstream }: Case, id: string): object {
  const base = row.endpoint === 'https' ? upstream.url.replace('http:', 'https:') : upstream.url;
  return {
    kind,
    id,
    baseUrl: kind === 'openai' ? `${base}/v1` : base,
    onlyModels: true,
    models: ['m'],
    deadlines: row.deadlines ?? {},
  };
}

/** The providers `<id>` (the alias `<id>-then-sound` goes on to `sound`) and `<id>-alone` for each row. */
async function startWorld(t: TestContext, rows: readonly FaultRow[]): Promise<World> {
  const sound = await startUpstream(t);
  sound.answerWith(() => [text('The answer '), text('is 42.')]);
  const cases: Case[] = [];
  // Before the stream begins, the kinds of providers do not differ.
  for (const [index, row] of rows.entries())
    for (const kind of Array.isArray(row.script)
      ? (['openai', 'anthropic'] as const)
      : (['openai'] as const)) {
      const upstream = await startUpstream(t);
      const script = kind === 'anthropic' ? (row.messagesScript ?? row.script) : row.script;
      upstream.answerWith(() => script);
      cases.push({ row, kind, upstream, id: `${kind}-${index}` });
    }
  const directory = await mkdtemp(join(tmpdir(), 'mcplane-'));
  t.after(() => rm(directory, { recursive: true }));
  const path = join(directory, 'mcplane.yaml');
  const soundEndpoint = { kind: 'openai', id: 'sound', baseUrl: `${sound.url}/v1`, onlyModels: true };
  const file = {
    providers: [
      { ...soundEndpoint, models: ['m'] },
      ...cases.flatMap(each => [endpointOf(each, each.id), endpointOf(each, `${each.id}-alone`)]),
    ],
    aliases: Object.fromEntries(
      cases.map(({ id }) => [`${id}-then-sound`, { deployments: [`${id}/m`], fallbacks: ['sound/m'] }]),
    ),
  };
  // YAML includes JSON.
  await writeFile(path, JSON.stringify(file));
  const app = await startTestApp(t, {
    MCPLANE_CONFIG: path,
    MCPLANE_SIMULATED: 'off',
    MCPLANE_MAX_ANSWER_BYTES: String(MAX_ANSWER_BYTES),
  });
  return { app, cases };
}

/** What a client has in the end that obeys the events. */
function shownBy(events: readonly Data[]): string {
  let shown = '';
  for (const event of events)
    shown = event.__typename === 'StreamRestarted' ? '' : shown + (event.text ?? '');
  return shown;
}

interface Ended {
  readonly events: readonly Data[];
  readonly request: Data;
  /** SUCCEEDED, or the code of the error. */
  readonly end: string;
}

/** Runs one request to its end and holds what is true after any fault. */
async function run({ app }: World, { row }: Case, model: string): Promise<Ended> {
  const id = await submit(app, { prompt: 'What is the answer?', model, deadlines: row.wishes });
  const events = await readStream(app, id);
  const { request } = await app.ask(REQUEST, { id });

  assert.deepEqual(
    events.filter(event => TERMINAL.includes(event.__typename)),
    [events.at(-1)],
    'one terminal event, and it is the last',
  );
  assert.equal(new Set(events.map(event => event.cursor)).size, events.length, 'no cursor comes twice');
  const [stored] = await app.store.requests.byIds([idOf('request', id)!]);
  const last = events.at(-1);
  assert.equal(stored?.status, last.request.status, 'the row agrees with the stream');
  assert.equal(stored?.status, request.status);
  assert.equal(stored?.error?.code, last.error?.code);
  assert.equal(stored?.attemptCount, request.attempts.length);
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

async function breakersOf({ app }: World, ...deploymentIds: string[]): Promise<FaultRow['breaker'][]> {
  const { providers } = await app.ask(BREAKERS);
  const deployments: Data[] = providers.flatMap((provider: Data) => provider.deployments);
  return deploymentIds.map(deploymentId => {
    const { breaker } = deployments.find(({ id }) => id === deploymentId);
    if (breaker.state !== 'CLOSED') return 'opened';
    return breaker.failures > 0 ? 'counted' : 'not counted';
  });
}

async function withSecond(world: World, each: Case): Promise<void> {
  const { row, id, upstream } = each;
  const { events, request, end } = await run(world, each, `${id}-then-sound`);
  const isOwn = row.withSecond === 'first';
  const isRescued = row.withSecond === 'second' || row.withSecond === 'begun again';

  assert.equal(end, isOwn || isRescued ? 'SUCCEEDED' : row.withSecond);
  assert.deepEqual(
    request.attempts.map((attempt: Data) => attempt.deployment.id),
    isRescued ? [`${id}/m`, 'sound/m'] : [`${id}/m`],
  );
  if (isOwn) assert.equal(request.output, OWN);
  if (isRescued) assert.equal(request.output, ANSWER);
  assert.equal(
    events.filter(event => event.__typename === 'StreamRestarted').length,
    row.withSecond === 'begun again' ? 1 : 0,
  );
  assert.equal(upstream.modelCalls.length, Math.min(1, row.callsAlone));
}

async function alone(world: World, each: Case): Promise<void> {
  const { row, id, upstream } = each;
  const before = upstream.modelCalls.length;
  const { events, request, end } = await run(world, each, `${id}-alone/m`);

  assert.equal(end, row.alone);
  assert.equal(upstream.modelCalls.length - before, row.callsAlone);
  if (row.alone === 'SUCCEEDED') assert.equal(request.output, OWN);
  if (row.usageEstimated) assert.equal(request.usage.estimated, true);
  if (row.retryAfterMs) assert.equal(events.at(-1).error.retryAfterMs, row.retryAfterMs);
}

for (const [place, faults] of Object.entries(FAULTS))
  test(`a provider that fails ${place}`, { concurrency: 4 }, async t => {
    const world = await startWorld(t, faults);
    const rows = world.cases.map(each =>
      t.test(`${each.row.name}: ${each.row.withSecond}; alone ${each.row.alone} (${each.kind})`, async () => {
        // Not before: the server would learn it from the first look at the provider's list, and never call it.
        if (each.row.endpoint === 'closed port') await each.upstream.close();
        await withSecond(world, each);
        await alone(world, each);
        const breakers = await breakersOf(world, `${each.id}/m`, `${each.id}-alone/m`);
        assert.deepEqual(breakers, [each.row.breaker, each.row.breaker]);
        await until(() => each.upstream.openCalls === 0, 'every call to the faulty provider is over');
        // The others go on as if nothing had been.
        const { end, request } = await run(world, { ...each, row: { ...each.row, wishes: {} } }, 'sound/m');
        assert.equal(end, 'SUCCEEDED');
        assert.equal(request.attempts.length, 1);
      }),
    );
    await Promise.all(rows);
  });
