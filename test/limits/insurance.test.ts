// What operators hear when each instance has to judge by itself: once that it does, once that it does no longer.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Actor } from '../../src/domain/access.ts';
import { openRedis } from '../../src/events/redis-connection.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createCallerLimits } from '../../src/limits/limits.ts';
import { LIMIT_SCRIPTS } from '../../src/limits/scripts.ts';
import { createSharing } from '../../src/limits/sharing.ts';
import { createCountingMeter, redisMissing, startRedis } from '../support/redis.ts';

const NONE = { requestsPerMinute: 0, tokensPerMinute: 0, concurrentRequests: 0 };
const ADA: Actor = {
  userId: 'ada',
  username: 'ada',
  role: 'USER',
  credential: { kind: 'session', id: 's' },
};

test('an outage of Redis is told once, and so is its end', { skip: redisMissing() }, async t => {
  const server = await startRedis(t);
  const quiet = { info() {}, warn() {} };
  const redis = openRedis({
    url: server.url,
    meter: createCountingMeter(),
    log: quiet,
    scripts: Object.values(LIMIT_SCRIPTS),
  });
  t.after(() => redis.close());
  const lines: string[] = [];
  const say = (_fields: object, line: string) => void lines.push(line);
  let judgesAlone = Promise.withResolvers<void>();
  let judgesTogether = Promise.withResolvers<void>();
  const sharing = createSharing({
    redis,
    clock: systemClock,
    timeoutMs: 50,
    meter: { insured: alone => (alone ? judgesAlone : judgesTogether).resolve() },
    log: { info: say, warn: say },
  });
  t.after(() => sharing.close());
  const limits = createCallerLimits({
    settings: { user: { ...NONE, requestsPerMinute: 100 }, apiKey: NONE, address: NONE },
    clock: systemClock,
    sharing,
    leaseMs: 30_000,
    instances: () => 1,
    meter: { refused() {} },
  });
  t.after(() => limits.close());
  const submit = (requestId: string) =>
    limits.admit({
      requestId,
      actor: ADA,
      part: 'whole',
      address: undefined,
      inputTokens: 1,
      outputTokens: 1,
      outputIsAsked: false,
    });
  await judgesTogether.promise;
  await submit('before');
  assert.deepEqual(lines, []);

  judgesAlone = Promise.withResolvers();
  judgesTogether = Promise.withResolvers();
  await server.kill();
  for (const id of ['a', 'b', 'c', 'd']) await submit(id);
  await judgesAlone.promise;
  assert.match(lines.join('\n'), /^Redis does not answer in time: .*$/);
  await server.start();
  await judgesTogether.promise;
  await submit('after');

  assert.equal(lines.length, 2);
  assert.match(lines[1]!, /^Redis answers: /);
});
