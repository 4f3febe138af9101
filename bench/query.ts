// Queries per second over HTTP, against a node:http server that answers the same bytes without doing anything.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { type OwnServer, startOurs } from './gateway/ours.ts';
import { startServer } from './gateway/processes.ts';
import { mediansOf, table } from './measure/figures.ts';
import { repeat } from './measure/load.ts';
import { higher } from './measure/ratios.ts';
import type { BenchOptions, BenchResult } from './run.ts';

const GATEWAY = join(import.meta.dirname, 'gateway');
const ROUNDS = 5;
const CALLERS = 16;
const QUERIES = 1_500;

interface Query {
  readonly name: string;
  readonly body: string;
  readonly url: string;
  readonly token: string;
}

export async function run({ rounds: wanted = ROUNDS }: BenchOptions): Promise<BenchResult> {
  await using stack = new AsyncDisposableStack();
  const provider = await startServer({
    name: 'provider',
    args: [join(GATEWAY, 'upstream.ts')],
  });
  stack.defer(() => provider.stop());
  const ours = await startOurs({ name: 'mcplane', upstream: provider.url });
  stack.defer(() => ours.stop());
  const dispatcher = new Agent({ connections: CALLERS });
  stack.defer(() => dispatcher.close());
  const found = new Map<string, { perSecond: number; floorPerSecond: number }[]>();
  const queries = await queriesOf(ours, dispatcher);
  const floors = await Promise.all(queries.map(query => floorFor(query, dispatcher, stack)));
  for (let round = 0; round <= wanted; round += 1)
    for (const [index, query] of queries.entries()) {
      const perSecond = await measure(query, dispatcher);
      const floorPerSecond = await measure(floors[index]!, dispatcher);
      // The first round warms up.
      if (round > 0) found.set(query.name, [...(found.get(query.name) ?? []), { perSecond, floorPerSecond }]);
    }
  const figures = [...found].map(([name, rounds]) => {
    const medians = mediansOf(rounds);
    return { name, toFloor: medians.perSecond / medians.floorPerSecond, ...medians };
  });
  const rows = figures.map(({ name, toFloor, perSecond, floorPerSecond }) => [
    name,
    `${toFloor.toFixed(2)} x`,
    perSecond.toFixed(0),
    floorPerSecond.toFixed(0),
  ]);
  const head = ['query', '/ node:http', 'per second', 'node:http per second'];
  const text = `Medians of ${wanted} interleaved rounds, ${CALLERS} callers.\n\n${table(head, rows)}`;
  const ratios = figures.map(({ name, toFloor }) =>
    higher(`${name} / node:http`, toFloor, { target: name === 'request' ? 0.35 : undefined }),
  );
  return { json: { benchmark: 'query', rounds: wanted, figures }, text, ratios };
}

async function queriesOf({ url, token }: OwnServer, dispatcher: Agent): Promise<Query[]> {
  const query = (name: string, text: string, variables: object = {}): Query => ({
    name,
    body: JSON.stringify({ query: text, variables }),
    url: `${url}/graphql`,
    token,
  });
  const submit = query(
    'submit',
    'mutation ($input: SubmitRequestInput!) { submitRequest(input: $input) { request { id } } }',
    { input: { prompt: 'tokens=16 every=0' } },
  );
  let id = '';
  for (let made = 0; made < 60; made += 1)
    id = JSON.parse(await send(submit, dispatcher)).data.submitRequest.request.id;
  const fields = 'id status taskType createdAt cost servedModel';
  return [
    query('viewer', '{ viewer { id username role } }'),
    query('request', `query ($id: ID!) { request(id: $id) { ${fields} } }`, { id }),
    query('requests(first: 50)', `{ requests(first: 50) { edges { cursor node { ${fields} } } } }`),
    query('providers', '{ providers { id kind status deployments { id breaker { state failureRate } } } }'),
  ];
}

async function send({ url, token, body }: Query, dispatcher: Agent): Promise<string> {
  const answer = await request(url, {
    method: 'POST',
    dispatcher,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body,
  });
  const text = await answer.body.text();
  if (answer.statusCode !== 200) throw new Error(`${url} answered ${answer.statusCode}: ${text}`);
  return text;
}

async function floorFor(query: Query, dispatcher: Agent, stack: AsyncDisposableStack): Promise<Query> {
  const directory = mkdtempSync(join(tmpdir(), 'mcplane-bench-'));
  stack.defer(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'answer.json');
  writeFileSync(file, await send(query, dispatcher));
  const floor = await startServer({ name: 'node:http', args: [join(GATEWAY, 'floor.ts'), file] });
  stack.defer(() => floor.stop());
  return { ...query, url: floor.url };
}

async function measure(query: Query, dispatcher: Agent): Promise<number> {
  const startMs = performance.now();
  await repeat(() => send(query, dispatcher), CALLERS, QUERIES);
  return QUERIES / ((performance.now() - startMs) / 1_000);
}
