// The setup link where several instances share an empty database: each prints one, and says which of them works.

import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { ADMIN } from './support/app.ts';
import { postgresMissing, postgresTestUrl } from './support/database.ts';
import { spawnServer, temporaryDirectory } from './support/server-process.ts';

const skip = await postgresMissing();

/** Starts a server without an administrator; resolves with what it printed about that. */
async function linkOf(t: TestContext, env: Record<string, string>) {
  const child = spawnServer(temporaryDirectory(t), {
    ...env,
    MCPLANE_ADMIN_USERNAME: '',
    MCPLANE_ADMIN_PASSWORD: '',
  });
  t.after(() => void child.kill('SIGKILL'));
  child.stdout!.resume();
  let before = '';
  for await (const line of createInterface({ input: child.stderr! })) {
    const [, url, token] = /^ {2}(http.+)\/setup#token=(.+)$/.exec(line) ?? [];
    if (url && token) {
      child.stderr!.resume();
      return { url, token, announcement: before };
    }
    before = line;
  }
  assert.fail('no link was printed');
}

test('the link of the instance that was started last works, at any instance, and the others say so', {
  skip,
}, async t => {
  const env = {
    DATABASE_URL: await postgresTestUrl(t),
    JWT_SECRET_KEY: 'aGVsbG8gdGhpcyBpcyBmb3IgdGVzdHMgb25seSwgNDggYnl0ZXM',
  };
  const first = await linkOf(t, env);
  const second = await linkOf(t, env);
  for (const { announcement } of [first, second]) assert.match(announcement, /the one started last/);
  const setUp = async ({ token }: { token: string }) => {
    const response = await fetch(`${first.url}/setup`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token, ...ADMIN }),
    });
    return response.status;
  };
  assert.equal(await setUp(first), 401);
  assert.equal(await setUp(second), 201);
});
