// Secrets, prompts and what other servers say, planted in every input of a real server that logs all it can; then its logs,
// metrics, errors, overviews, database and Redis are searched. What comes out anywhere else than is listed here is a leak.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCanaries, dumpDatabase } from './canaries/canaries.ts';
import {
  COMPLAINTS,
  useBrokenTransports,
  useCommands,
  useCredentials,
  useProviders,
  useRequests,
  useSockets,
} from './canaries/inputs.ts';
import { startCanaryServer } from './canaries/server.ts';
import { redisMissing } from './support/redis.ts';

const PROMPT = ['request_bodies.prompt', 'request_bodies.spec'];
/** Tokens pass Redis to the instances that their listeners are connected to. */
const STREAMED = ['evalsha mcplane:{…}:events', 'publish mcplane:{…}:events', 'xadd mcplane:{…}:events'];

/** Where what is kept on purpose is kept; nothing else may come out anywhere. */
const EXPECTED: Record<string, string[]> = {
  prompt: PROMPT,
  message: PROMPT,
  'system text': ['request_bodies.spec'],
  'stop sequence': ['request_bodies.spec'],
  metadata: ['request_bodies.spec'],
  'idempotency key': ['idempotency_keys.key'],
  answer: ['request_results.output', 'workflow_steps.output', ...(redisMissing() ? [] : STREAMED)],
  'prompt of a workflow': [...PROMPT, 'workflows.spec'],
  'prompt of a step': [...PROMPT, 'workflows.spec'],
  'parameter of a workflow': [...PROMPT, 'workflows.spec'],
  ...Object.fromEntries(COMPLAINTS.map(name => [`prompt that met ${name}`, PROMPT])),
};

const PROVIDER =
  'id kind source origin keyHint status statusReason deployments { id drainReason breaker { lastError history { detail } } }';
const OVERVIEWS = {
  providers: `{ providers { ${PROVIDER} } }`,
  dashboard: `{ dashboard {
    errorCodes { code requests } byProvider { key requests } byModel { key requests } providers { ${PROVIDER} }
    recentRequests(first: 50) { id status error { code message } provider { id } }
    recentFailures(first: 50) { id error { code message } }
  } }`,
  auditEvents: '{ auditEvents(first: 100) { nodes { action actorName subject reason data } } }',
};

test('what is planted is found only where it belongs', async t => {
  const canaries = createCanaries();
  const server = await startCanaryServer(t, canaries);
  await useCredentials(server);
  await useProviders(server);
  await useRequests(server);
  await useBrokenTransports(server);
  await useSockets(server);
  await useCommands(server);

  for (const [name, query] of Object.entries(OVERVIEWS)) {
    const { data, errors } = await server.send(query);
    assert.deepEqual(errors, undefined);
    canaries.search(name, JSON.stringify(data));
  }
  const metrics = await server.fetch('/metrics', { headers: { authorization: `Bearer ${server.token}` } });
  assert.match(metrics, /mcplane_/);
  canaries.search('metrics', metrics);
  server.process.kill('SIGTERM');
  assert.equal(await server.ended, 0);
  assert.match(server.output(), /attempt failed/);
  canaries.search('log', server.output());
  await dumpDatabase(server.database, canaries.search);

  const sorted = Object.entries(EXPECTED).map(([name, places]) => [name, places.toSorted()]);
  assert.deepEqual(canaries.found(), Object.fromEntries(sorted));
});
