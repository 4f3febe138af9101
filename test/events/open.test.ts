// The event log as the server opens it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../src/config.ts';
import { newId } from '../../src/domain/ids.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { openEvents } from '../../src/wiring.ts';
import { redisMissing, startRedis } from '../support/redis.ts';
import { COMPLETED, readOnce, readToEnd, textOf, token } from './redis-setup.ts';

const skip = redisMissing();
const log = createLog({ level: 'silent', pretty: false });

function open(environment: Record<string, string>) {
  const metrics = createMetrics();
  const { config } = loadConfig({ DATABASE_URL: 'memory:', ...environment });
  const fenced: string[] = [];
  const opened = openEvents(config, { log, metrics, onFenced: requestId => fenced.push(requestId) });
  return { ...opened, fenced, scrape: async () => (await metrics.exposition()).body };
}

test('without REDIS_URL the log is of this process alone', async () => {
  const { events, signals, ping, close, scrape } = open({});
  const id = newId();
  const writer = events.open(id, 1);
  writer.append(token('alone'));
  writer.append(COMPLETED);
  signals.send({ type: 'work-queued' });

  assert.equal(textOf(await readOnce(events, id)), 'alone');
  assert.equal(ping, undefined);
  assert.doesNotMatch(await scrape(), /mcplane_redis/);
  await close();
});

test('with Redis, two instances share streams and signals, and say so in their metrics', {
  skip,
}, async t => {
  const { url } = await startRedis(t);
  const { hostname, port } = new URL(url);
  const [one, two] = [open({ REDIS_URL: url }), open({ REDIS_HOST: hostname, REDIS_PORT: port })];
  const id = newId();
  const heard = new Promise(resolve =>
    two.signals.onSignal(signal => {
      if (signal.type === 'cancel-wished') resolve(signal.requestId);
    }),
  );
  const writer = one.events.open(id, 1);
  writer.append(token('shared'));
  writer.append(COMPLETED);
  one.events.release(id);

  assert.equal(textOf(await readToEnd(two.events, id)), 'shared');
  await two.ping!();
  one.signals.send({ type: 'cancel-wished', requestId: id });
  assert.equal(await heard, id);
  const metrics = await one.scrape();
  assert.match(metrics, /^mcplane_redis_up 1$/m);
  assert.match(metrics, /^mcplane_stream_mirrored_entries_total 3$/m);
  await Promise.all([one.close(), two.close()]);
});

test('closing writes the last events', { skip }, async t => {
  const { url } = await startRedis(t);
  const [one, two] = [open({ REDIS_URL: url }), open({ REDIS_URL: url })];
  while (
    await one.ping!().then(
      () => false,
      () => true,
    )
  )
    await new Promise(resolve => setTimeout(resolve, 5));
  const id = newId();
  const writer = one.events.open(id, 1);
  writer.append(token('to the end'));
  writer.append(COMPLETED);
  await one.close();

  assert.equal(textOf(await readToEnd(two.events, id)), 'to the end');
  await two.close();
});

test('a Redis that is not there delays nothing, at the start and at the end', { skip }, async t => {
  const server = await startRedis(t);
  await server.kill();
  const { events, ping, close, scrape } = open({ REDIS_URL: server.url });
  const id = newId();
  const writer = events.open(id, 1);
  writer.append(token('alone'));
  writer.append(COMPLETED);

  assert.equal(textOf(await readOnce(events, id)), 'alone');
  await assert.rejects(ping!);
  assert.match(await scrape(), /^mcplane_redis_up 0$/m);
  await close();
});
