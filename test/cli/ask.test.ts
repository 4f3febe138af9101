// `mcplane ask` and `mcplane key` against a whole server.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { ADMIN, startTestApp } from '../support/app.ts';
import { submit } from '../support/requests.ts';
import { gate, startUpstream, text } from '../support/upstream.ts';

const COMMAND = join(import.meta.dirname, '../../src/cli/mcplane.js');

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function mcplane(args: readonly string[], env: Record<string, string>, stdin = ''): Promise<Result> {
  const { promise, resolve } = Promise.withResolvers<Result>();
  const child = execFile(
    process.execPath,
    [COMMAND, ...args],
    { env: { PATH: process.env.PATH ?? '', ...env } },
    (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
  );
  child.stdin?.end(stdin);
  return promise;
}

/** What makes a provider of each kind known: its address alone. */
const ADDRESSES = {
  openai: (url: string) => ({ OPENAI_BASE_URL: `${url}/v1` }),
  anthropic: (url: string) => ({ ANTHROPIC_BASE_URL: url }),
  ollama: (url: string) => ({ OLLAMA_HOST: url }),
  lmstudio: (url: string) => ({ LMSTUDIO_BASE_URL: url }),
} as const;

for (const [provider, address] of Object.entries(ADDRESSES)) {
  test(`${provider} answers by its address alone: the text goes to stdout, who gave it to stderr`, async t => {
    const upstream = await startUpstream(t, { kind: provider as keyof typeof ADDRESSES });
    const { url } = await startTestApp(t, address(upstream.url));
    upstream.enqueue([text('Hello'), text(' world')]);
    const login = { MCPLANE_URL: url, MCPLANE_USERNAME: ADMIN.username, MCPLANE_PASSWORD: ADMIN.password };
    const { code, stdout, stderr } = await mcplane(['ask', 'Say', 'hello'], login);
    assert.equal(stderr.match(/req_[0-9a-f]{32}/)?.length, 1);
    assert.match(stderr, new RegExp(`^${provider} · .+ tokens · .+ · first token after \\d+ ms`));
    assert.equal(stdout, 'Hello world\n');
    assert.equal(code, 0);
  });
}

test('an API key made by the command is a credential for it, and JSON is one object', async t => {
  const { url, adminToken } = await startTestApp(t);
  const key = await mcplane(['key', 'create', 'laptop', '--json'], {
    MCPLANE_URL: url,
    MCPLANE_TOKEN: adminToken,
  });
  const { secret } = JSON.parse(key.stdout);
  const { stdout } = await mcplane(
    ['ask', '--json'],
    { MCPLANE_URL: url, MCPLANE_API_KEY: secret },
    'from stdin\n',
  );
  const answer = JSON.parse(stdout);
  assert.equal(answer.status, 'SUCCEEDED');
  assert.match(answer.output, /from stdin/);
  assert.equal(answer.provider.simulated, true);
});

test('a key made for some purposes is good for them alone', async t => {
  const { url, adminToken } = await startTestApp(t);
  const admin = { MCPLANE_URL: url, MCPLANE_TOKEN: adminToken };
  const create = ['key', 'create', 'laptop', '--json', '--scope'];

  const both = await mcplane([...create, 'submit', '--scope', 'READ'], admin);
  const { secret, apiKey } = JSON.parse(both.stdout);
  assert.deepEqual(apiKey.scopes, ['SUBMIT', 'READ']);
  const asked = await mcplane(['ask', '--json', 'hello'], { MCPLANE_URL: url, MCPLANE_API_KEY: secret });
  assert.equal(JSON.parse(asked.stdout).status, 'SUCCEEDED');

  const made = await mcplane([...create, 'READ'], { MCPLANE_URL: url, MCPLANE_API_KEY: secret });
  assert.equal(made.code, 1);
  assert.match(made.stderr, /^FORBIDDEN: .*needs an API key with the scope MANAGE/);
  const wrong = await mcplane([...create, 'write'], admin);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /Allowed are SUBMIT, READ, MANAGE, METRICS, ADMIN/);
});

test('without a credential it says exactly what to do', async t => {
  const { url } = await startTestApp(t);
  const { code, stderr } = await mcplane(['ask', 'hello'], { MCPLANE_URL: url });
  assert.equal(code, 1);
  assert.match(stderr, /setup link[\s\S]*mcplane admin create[\s\S]*MCPLANE_USERNAME[\s\S]*MCPLANE_API_KEY/);
});

test('a refusal is told by its code and ends with 1', async t => {
  const { url, adminToken } = await startTestApp(t);
  const env = { MCPLANE_URL: url, MCPLANE_TOKEN: adminToken };
  const { code, stdout, stderr } = await mcplane(['ask', 'hello', '--model', 'no-such-model'], env);
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /^BAD_USER_INPUT: .*no-such-model/);
});

describe('with a schema', () => {
  const SCHEMA = 'type: object\nproperties: { name: { type: string } }\nrequired: [name]\n';

  async function inFile(t: TestContext, content: string): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'mcplane-'));
    t.after(() => rm(directory, { recursive: true }));
    const path = join(directory, 'schema');
    await writeFile(path, content);
    return path;
  }

  for (const [format, content] of [
    ['YAML', SCHEMA],
    ['JSON', JSON.stringify({ type: 'object', properties: { name: {} }, required: ['name'] })],
  ] as const)
    test(`in ${format} it prints the JSON and nothing else`, async t => {
      const { url, adminToken } = await startTestApp(t);
      const env = { MCPLANE_URL: url, MCPLANE_TOKEN: adminToken };

      const { code, stdout, stderr } = await mcplane(
        ['ask', 'Who?', '--schema', await inFile(t, content)],
        env,
      );

      assert.match(JSON.parse(stdout).name, /^\[simulated\] /);
      assert.match(stderr, /^simulated · /);
      assert.equal(code, 0);
    });

  test('an answer that is none is not printed', async t => {
    const { url, adminToken } = await startTestApp(t);
    const env = { MCPLANE_URL: url, MCPLANE_TOKEN: adminToken };
    const path = await inFile(t, SCHEMA);

    const { code, stdout, stderr } = await mcplane(['ask', '[[echo]] Ada', '--schema', path], env);

    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^BAD_RESPONSE: The answer is not JSON/);
  });

  for (const [what, content, message] of [
    ['that is broken', '{"type": ', /is neither JSON nor YAML/],
    ['without one', '', /holds no JSON Schema/],
  ] as const)
    test(`a file ${what} is told before anything is asked`, async t => {
      const { code, stdout, stderr } = await mcplane(
        ['ask', 'Who?', '--schema', await inFile(t, content)],
        {},
      );

      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, message);
    });

  test('a file that is not there is told too', async () => {
    const { code, stderr } = await mcplane(['ask', 'Who?', '--schema', '/nowhere/schema.json'], {});

    assert.equal(code, 2);
    assert.equal(stderr, '/nowhere/schema.json cannot be read (ENOENT)\n');
  });
});

test('a request that has to wait says so once, with its place', async t => {
  const upstream = await startUpstream(t);
  const app = await startTestApp(t, {
    OPENAI_BASE_URL: `${upstream.url}/v1`,
    MCPLANE_MAX_RUNNING_REQUESTS: '1',
  });
  const go = Promise.withResolvers<void>();
  upstream.enqueue([gate(go.promise), text('first')], [text('second')]);
  await submit(app, { prompt: 'busy' });
  await upstream.nextRequest();
  const child = spawn(process.execPath, [COMMAND, 'ask', 'hello'], {
    env: { PATH: process.env.PATH ?? '', MCPLANE_URL: app.url, MCPLANE_TOKEN: app.adminToken },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', chunk => {
    stderr += chunk;
    if (stderr.includes('number 1 in the queue')) go.resolve();
  });
  const [code] = await once(child, 'close');
  assert.equal(code, 0);
  assert.equal(stderr.match(/in the queue/g)?.length, 1);
});

test('an interrupt cancels the request at the server', async t => {
  const upstream = await startUpstream(t);
  const { url, adminToken, ask } = await startTestApp(t, { OPENAI_BASE_URL: `${upstream.url}/v1` });
  upstream.enqueue([text('Hello'), gate(new Promise<void>(() => {}))]);
  const child = spawn(process.execPath, [COMMAND, 'ask', 'a long story'], {
    env: { PATH: process.env.PATH ?? '', MCPLANE_URL: url, MCPLANE_TOKEN: adminToken },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGINT');
  const [code] = await once(child, 'exit');
  assert.equal(code, 130);
  const { requests } = await ask('{ requests { nodes { status output } } }');
  assert.deepEqual(requests.nodes, [{ status: 'CANCELLED', output: 'Hello' }]);
});
