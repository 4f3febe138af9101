// Providers that send far more than anybody wants: what of it we take is bounded in bytes, whatever the shape.

import assert from 'node:assert/strict';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type TestContext, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { until } from '../support/app.ts';
import { endless, raw, type Script, type Step, startUpstream, text, wire } from '../support/upstream.ts';
import { ANSWER, PART } from './fault-row.ts';
import { endpointOf, run, startWith } from './fault-world.ts';

interface Flood {
  readonly name: string;
  readonly script: Script | readonly Step[];
  readonly alone: string;
  /** It ends by time, not by size: the bytes it may take until then depend on the machine. */
  readonly byTime?: boolean;
}

const block = 'x'.repeat(64_000);
const unending = (bytes: string) => endless(raw(bytes));
const chunkOf2GB = wire('80000000\r\n');

const FLOODS: readonly Flood[] = [
  { name: 'one line', script: [text(PART), unending(block)], alone: 'BAD_RESPONSE' },
  { name: 'one line of data', script: [text(PART), raw('data: '), unending(block)], alone: 'BAD_RESPONSE' },
  {
    name: 'one event of many lines',
    script: [text(PART), unending(`data: ${block}\n`)],
    alone: 'BAD_RESPONSE',
  },
  {
    name: 'one chunk of 2 GB',
    script: [text(PART), chunkOf2GB, endless(wire(block))],
    alone: 'BAD_RESPONSE',
  },
  {
    name: 'one chunk of 2 GB full of events',
    script: [text(PART), chunkOf2GB, endless(wire(`data: ${JSON.stringify(delta(block))}\n\n`))],
    alone: 'BAD_RESPONSE',
  },
  {
    name: 'JSON',
    script: { headers: { 'content-type': 'application/json' }, steps: [unending(`["${block}",`)] },
    alone: 'BAD_RESPONSE',
  },
  { name: 'events of text', script: [endless(text(block))], alone: 'BAD_RESPONSE' },
  {
    name: 'the page of an error',
    script: { status: 500, steps: [unending(`<p>${block}`)] },
    alone: 'PROVIDER_FAILED',
  },
  {
    name: 'headers',
    script: { preface: 'HTTP/1.1 200 OK\r\n', before: { dribble: `a: ${block}\r\n`, everyMs: 0 } },
    alone: 'BAD_RESPONSE',
  },
  { name: 'keep-alives', script: [unending(`: ${block}\n\n`)], alone: 'TIMEOUT', byTime: true },
  { name: 'empty events', script: [unending('data: {}\n\n'.repeat(1_000))], alone: 'TIMEOUT', byTime: true },
];

function delta(content: string): object {
  return { choices: [{ index: 0, delta: { content } }] };
}

/** The limit of a line is 1 MB; what the sockets of both sides and the reader hold beside it is a few more. */
const MAX_TAKEN_BYTES = 8_000_000;
const MAX_GROWTH_BYTES = 100_000_000;

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

function held(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function startFlooded(t: TestContext) {
  const upstreams = await Promise.all(FLOODS.map(() => startUpstream(t)));
  const deadlines = { firstTokenMs: 1_000 };
  const endpoints = upstreams.map(({ url }, index) =>
    endpointOf('openai', url, { id: `p${index}`, deadlines }),
  );
  const app = await startWith(t, endpoints, []);
  return { app, upstreams };
}

test('a provider that sends without end', async t => {
  const { app, upstreams } = await startFlooded(t);
  await run(app, 'sound/m');
  for (const [index, { name, script, alone, byTime }] of FLOODS.entries())
    await t.test(`${name}: ${alone}`, async t => {
      const upstream = upstreams[index]!;
      upstream.answerWith(() => script);
      collectGarbage();
      const before = held();
      const lag = monitorEventLoopDelay();
      lag.enable();

      const flooded = run(app, `p${index}/m`);
      const neighbour = await run(app, 'sound/m');
      assert.equal((await flooded).end, alone);
      await until(() => upstream.openCalls === 0, 'the connection is closed');

      lag.disable();
      collectGarbage();
      const grown = held() - before;
      t.diagnostic(`took ${upstream.bytesSent} bytes, keeps ${grown}, loop ${lag.max / 1e6} ms at most`);
      assert.equal(neighbour.request.output, ANSWER);
      if (!byTime) assert.ok(upstream.bytesSent < MAX_TAKEN_BYTES, `${upstream.bytesSent} bytes were taken`);
      assert.ok(grown < MAX_GROWTH_BYTES, `${grown} bytes are kept`);
    });
});
