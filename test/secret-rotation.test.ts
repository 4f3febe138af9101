// Replacing the secret that signs tokens, on instances that restart one after the other: nobody has to log in again.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestApp } from './support/app.ts';

const [OLD, NEW] = ['kP3vQ8zL1mN6xR2tY7wB4cF9hJ5gD0sA', 'zT4nW8qR1yH6mV3xB9kL2cD7fG5jS0pA'];

test('a login lives through the replacement of the secret, and ends when the old one is gone', async t => {
  const before = await startTestApp(t, { JWT_SECRET_KEY: OLD });
  const restarted = (env: Record<string, string>) => startTestApp(t, env, async () => before.store);
  const announced = await restarted({ JWT_SECRET_KEY: OLD, JWT_SECRET_KEY_PREVIOUS: NEW });
  const swapped = await restarted({ JWT_SECRET_KEY: NEW, JWT_SECRET_KEY_PREVIOUS: OLD });
  const after = await restarted({ JWT_SECRET_KEY: NEW });
  const statusesOf = (token: string) =>
    Promise.all(
      [before, announced, swapped, after].map(
        async ({ send }) => (await send('{ viewer { id } }', {}, token)).status,
      ),
    );

  const old = await announced.login('anna');
  assert.deepEqual(await statusesOf(old), [200, 200, 200, 401]);
  const fresh = await swapped.login('berta');
  assert.deepEqual(await statusesOf(fresh), [401, 200, 200, 200]);
});
