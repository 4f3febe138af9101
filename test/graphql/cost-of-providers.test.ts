import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestApp } from '../support/app.ts';

test('everything about providers, deployments, breakers and their history is within the default cost', async t => {
  const { ask } = await startTestApp(t);
  const { providers } = await ask(`{ providers { id kind status statusReason local simulated deployments {
    id model contextWindow maxOutputTokens local simulated
    breaker { state failureRate calls failures since retryAt lastError history { from to at cause detail } }
  } } }`);
  assert.ok(providers.length > 0);
});
