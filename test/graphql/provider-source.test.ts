// Where a provider comes from, and what is shown of its key.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyHintOf } from '../../src/domain/key-hint.ts';
import { startTestApp } from '../support/app.ts';

const PROVIDERS = '{ providers { id source keyHint } }';

test('a provider says where it comes from, and to administrators how its key ends', async t => {
  const app = await startTestApp(t, {
    OPENAI_BASE_URL: 'http://127.0.0.1:9/v1',
    OPENAI_API_KEY: 'sk-0123456789abcdefWXYZ',
    ANTHROPIC_BASE_URL: 'http://127.0.0.1:9',
    MCPLANE_SIMULATED: 'on',
  });
  const { providers } = await app.ask(PROVIDERS);
  assert.deepEqual(providers, [
    { id: 'openai', source: 'ENVIRONMENT', keyHint: '…WXYZ' },
    // A key that means nothing is none.
    { id: 'anthropic', source: 'ENVIRONMENT', keyHint: null },
    { id: 'ollama', source: 'ENVIRONMENT', keyHint: null },
    { id: 'lmstudio', source: 'ENVIRONMENT', keyHint: null },
    { id: 'simulated', source: 'BUILT_IN', keyHint: null },
  ]);

  const user = await app.login('ute');
  const { errors } = await app.send(PROVIDERS, {}, user);
  assert.equal(errors?.[0]?.extensions.code, 'FORBIDDEN');
  assert.equal((await app.send('{ providers { id source } }', {}, user)).errors, undefined);
});

test('of a short key nothing is shown', () => {
  assert.deepEqual(['x'.repeat(19), `${'x'.repeat(16)}abcd`, undefined].map(keyHintOf), [
    '…',
    '…abcd',
    undefined,
  ]);
});
