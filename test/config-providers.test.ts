// Which providers the environment and the file describe.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError, loadConfig } from '../src/config.ts';

function providersOf(env: Record<string, string>, yaml?: string) {
  const source = yaml === undefined ? env : { ...env, MCPLANE_CONFIG: 'mcplane.yaml' };
  return loadConfig(source, () => yaml ?? '').config.providers;
}

test('a key enables a provider', () => {
  const [openai] = providersOf({ OPENAI_API_KEY: 'sk-1' });
  assert.equal(openai?.id, 'openai');
  assert.equal(openai?.apiKey, 'sk-1');
  assert.equal(openai?.baseUrl, undefined);
  assert.equal(openai?.explicit, true);
});

test('a base URL alone enables a provider, with a key that means nothing', () => {
  const [anthropic] = providersOf({ ANTHROPIC_BASE_URL: 'http://127.0.0.1:9/' });
  assert.equal(anthropic?.id, 'anthropic');
  assert.equal(anthropic?.baseUrl, 'http://127.0.0.1:9');
  assert.ok(anthropic?.apiKey);
});

test('nothing is simulated beside a provider that was asked for', () => {
  assert.equal(loadConfig({ OLLAMA_HOST: '127.0.0.1:9' }).config.simulated, false);
});

test('OLLAMA_HOST is read as its own tools read it', () => {
  const hostOf = (value: string) =>
    providersOf({ OLLAMA_HOST: value }).find(({ id }) => id === 'ollama')?.baseUrl;
  assert.equal(hostOf('0.0.0.0'), 'http://127.0.0.1:11434');
  assert.equal(hostOf('gpu.example:8080'), 'http://gpu.example:8080');
  assert.equal(hostOf('https://gpu.example'), 'https://gpu.example');
});

test('the file adds endpoints of a kind, and variables stay the first one', () => {
  const yaml = `
providers:
  - { kind: openai, id: groq, baseUrl: "http://127.0.0.1:9/v1", apiKey: "\${env:GROQ_KEY}" }
  - { kind: openai, api: responses }
  - { kind: lmstudio, enabled: false }
`;
  const providers = providersOf({ OPENAI_API_KEY: 'sk-1', GROQ_KEY: 'sk-2' }, yaml);
  assert.deepEqual(
    providers.map(({ id, apiKey, api }) => [id, apiKey, api]),
    [
      ['groq', 'sk-2', undefined],
      ['openai', 'sk-1', 'responses'],
      ['ollama', undefined, undefined],
    ],
  );
});

test('every provider says where it comes from', () => {
  const yaml = `
providers:
  - { kind: anthropic, apiKey: sk-1 }
  - { kind: openai, id: groq, baseUrl: "http://127.0.0.1:9/v1" }
`;
  const providers = providersOf({ OPENAI_API_KEY: 'sk-1', OLLAMA_HOST: '127.0.0.1:9' }, yaml);
  assert.deepEqual(
    providers.map(({ id, source }) => [id, source]),
    [
      ['anthropic', 'FILE'],
      ['groq', 'FILE'],
      ['openai', 'ENVIRONMENT'],
      ['ollama', 'ENVIRONMENT'],
      ['lmstudio', 'BUILT_IN'],
    ],
  );
});

test('models, prices and aliases of the file end up with their provider', () => {
  const yaml = `
providers:
  - kind: openai
    apiKey: sk-1
    models: [first, { model: second, price: { input: 1, output: 2 } }]
models:
  openai/second: { quality: 0.9 }
aliases:
  fast: openai/first
  any: [openai/first, openai/second]
`;
  assert.deepEqual(providersOf({}, yaml)[0]?.models, [
    { model: 'first', aliases: ['fast', 'any'] },
    { model: 'second', price: { input: 1, output: 2 }, quality: 0.9, aliases: ['any'] },
  ]);
});

test('an alias for a provider that is not there is a problem', () => {
  assert.throws(
    () => providersOf({}, 'aliases:\n  fast: olama/llama\n'),
    (error: ConfigError) => error instanceof ConfigError && error.problems[0]?.fix === 'Did you mean ollama?',
  );
});

test('deadlines of the operator reach every provider, and their own ones win', () => {
  const yaml =
    'deadlines:\n  idleMs: 7\nproviders:\n  - { kind: openai, apiKey: sk-1, deadlines: { idleMs: 9 } }\n';
  const providers = providersOf({ MCPLANE_DEADLINE_TOTAL_MS: '8' }, yaml);
  assert.deepEqual(
    providers.map(({ id, deadlines }) => [id, deadlines]),
    [
      ['openai', { idleMs: 9, totalMs: 8 }],
      ['ollama', { idleMs: 7, totalMs: 8 }],
      ['lmstudio', { idleMs: 7, totalMs: 8 }],
    ],
  );
});
