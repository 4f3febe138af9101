// The command as its users meet it: a process with arguments, output and an exit code.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { summary } from '../../src/cli/ask.ts';
import { columns, printable } from '../../src/cli/terminal.ts';

const COMMAND = join(import.meta.dirname, '../../src/cli/mcplane.js');
const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'));
/** Some other Node, where the machine has one: the launcher must bridge it. */
const SYSTEM_NODE = '/usr/bin/node';

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function mcplane(
  args: readonly string[],
  options: { env?: Record<string, string>; node?: string } = {},
): Promise<Result> {
  // Nothing of the environment of the tests may reach the command, least of all somebody's keys.
  const env = {
    PATH: process.env.PATH ?? '',
    MCPLANE_DATA_DIR: mkdtempSync(join(tmpdir(), 'mcplane-cli-')),
    ...options.env,
  };
  const { promise, resolve } = Promise.withResolvers<Result>();
  const child = execFile(
    options.node ?? process.execPath,
    [COMMAND, ...args],
    { env },
    (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
  );
  child.stdin?.end();
  return promise;
}

test('--help names every command', async () => {
  const { code, stdout } = await mcplane(['--help']);
  assert.equal(code, 0);
  for (const name of [
    'start',
    'demo',
    'doctor',
    'ask',
    'admin',
    'key',
    'user',
    'audit',
    'secrets',
    'migrate',
    'config',
    'schema',
    'version',
  ])
    assert.match(stdout, new RegExp(`^  ${name}\\b`, 'm'));
});

test('every command has its own --help', async () => {
  const commands = [
    'start',
    'demo',
    'doctor',
    'ask',
    'admin create',
    'key create',
    'user export',
    'audit verify',
    'secrets rotate',
    'migrate',
    'config show',
    'schema print',
  ];
  for (const command of commands) {
    const { code, stdout } = await mcplane([...command.split(' '), '--help']);
    assert.equal(code, 0, command);
    assert.match(stdout, /--json/, command);
  }
});

test('the version is that of the package, as text and as JSON', async () => {
  assert.equal((await mcplane(['version'])).stdout, `${version}\n`);
  assert.equal((await mcplane(['--version'])).stdout, `${version}\n`);
  assert.equal(JSON.parse((await mcplane(['version', '--json'])).stdout).version, version);
});

test('it runs under the Node of the machine, however old', {
  skip: !existsSync(SYSTEM_NODE) && 'no other Node here',
}, async () => {
  const { code, stdout } = await mcplane(['version', '--json'], { node: SYSTEM_NODE });
  assert.equal(code, 0);
  assert.ok(Number(JSON.parse(stdout).node.split('.')[0]) >= 24);
});

test('a wrong call is explained and ends with 2', async () => {
  const { code, stderr } = await mcplane(['aks']);
  assert.equal(code, 2);
  assert.match(stderr, /unknown command 'aks'[\s\S]*Did you mean ask\?/);
});

test('schema print prints what is committed', async () => {
  const { stdout } = await mcplane(['schema', 'print']);
  assert.equal(stdout, readFileSync(join(import.meta.dirname, '../../schema.graphql'), 'utf8'));
});

test('config show says where values come from, and no secret', async () => {
  const env = { PORT: '4999', OPENAI_API_KEY: 'sk-canary' };
  const { stdout } = await mcplane(['config', 'show', '--sources'], { env });
  assert.match(stdout, /^PORT +4999 +environment \(PORT\)$/m);
  assert.match(stdout, /^OPENAI_API_KEY +\[redacted\] +environment/m);
  assert.doesNotMatch(stdout, /canary/);
  const json = JSON.parse((await mcplane(['config', 'show', '--json'], { env })).stdout);
  assert.equal(json.PORT.value, '4999');
});

test('a wrong configuration is told whole and ends with 1', async () => {
  const { code, stderr } = await mcplane(['config', 'show'], { env: { PORT: 'x', LOG_LEVEL: 'y' } });
  assert.equal(code, 1);
  assert.match(stderr, /2 problems[\s\S]*PORT[\s\S]*LOG_LEVEL/);
  assert.doesNotMatch(stderr, /at .*\.ts/);
});

test('ask without a server says how to get one', async () => {
  const { code, stderr } = await mcplane(['ask', 'hello'], { env: { MCPLANE_URL: 'http://127.0.0.1:1' } });
  assert.equal(code, 1);
  assert.match(stderr, /No server answers at http:\/\/127\.0\.0\.1:1[\s\S]*npm start/);
});

test('text of a model cannot command the terminal', () => {
  assert.equal(printable('a\u001b[2Jb\r\u0007\u009bc\n\td'), 'a[2Jbc\n\td');
});

test('the summary of an answer says what is estimated and what is unpriced', () => {
  const request = {
    id: 'req_1',
    provider: { id: 'house', kind: 'openai', simulated: false },
    servedModel: 'large',
    usage: { inputTokens: 3, outputTokens: 5, cachedInputTokens: 0, totalTokens: 8, estimated: true },
    cost: null,
    timeToFirstTokenMs: 120,
    durationMs: 2_340,
  };
  assert.equal(
    summary(request as never),
    'house · large · ~3 + ~5 tokens · unpriced · first token after 120 ms · 2.3 s · req_1',
  );
});

test('columns are as wide as their widest cell', () => {
  assert.equal(
    columns([
      ['a', 'b'],
      ['long', 'c'],
    ]),
    'a     b\nlong  c',
  );
});

test('audit verify tells where the log ends, and compares it with what was noted', async () => {
  const env = {
    MCPLANE_DATA_DIR: mkdtempSync(join(tmpdir(), 'mcplane-cli-')),
    MCPLANE_ADMIN_USERNAME: 'admin',
    MCPLANE_ADMIN_PASSWORD: 'correct horse battery staple',
  };
  await mcplane(['admin', 'create'], { env });

  const { code, stdout } = await mcplane(['audit', 'verify', '--json'], { env });
  const { sound, entries, head } = JSON.parse(stdout);
  assert.deepEqual([code, sound, entries, head.sequence], [0, true, 1, 1]);

  const same = await mcplane(['audit', 'verify', '--anchor', `1:${head.hash}`], { env });
  assert.deepEqual(
    [same.code, same.stdout],
    [0, `The audit log is sound up to entry 1. Anchor: 1:${head.hash}\n`],
  );
  const other = await mcplane(['audit', 'verify', '--anchor', `1:${'0'.repeat(64)}`], { env });
  assert.equal(other.code, 1);
  assert.match(other.stderr, /written anew/);
  assert.equal((await mcplane(['audit', 'verify', '--anchor', 'yesterday'], { env })).code, 2);
});

for (const command of ['start', 'migrate']) {
  test(`${command} says in a sentence that the database cannot be reached`, async () => {
    const { code, stderr } = await mcplane([command], {
      env: { DATABASE_URL: 'postgres://somebody:secret@127.0.0.1:9/none', OLLAMA_HOST: 'http://127.0.0.1:9' },
    });

    assert.equal(code, 1);
    assert.match(stderr, /Postgres at 127\.0\.0\.1:9\/none cannot be used: .*Check DATABASE_URL\.\n$/);
    assert.doesNotMatch(stderr, /\n {4}at |secret/);
  });
}
