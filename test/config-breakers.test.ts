// The rules of the breakers: for all by variables or the file, for one provider or deployment by the file.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { breakerRulesOf, ConfigError, loadConfig } from '../src/config.ts';
import { DEFAULT_BREAKER_RULES } from '../src/domain/breaker-rules.ts';

function rulesOf(yaml: string, env: Record<string, string> = {}) {
  const { config } = loadConfig({ MCPLANE_CONFIG: 'mcplane.yaml', ...env }, () => yaml);
  return breakerRulesOf(config.routing.breaker, config.providers);
}

const problemsOf = (yaml: string, env: Record<string, string> = {}) => {
  try {
    rulesOf(yaml, env);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems.map(({ where, problem, fix }) => `${where}: ${problem} ${fix}`);
  }
  return assert.fail('it was accepted');
};

test('without a word of it all breakers have the rules of the code', () => {
  assert.deepEqual(rulesOf('')('openai/any'), DEFAULT_BREAKER_RULES);
});

test('a deployment wins over its provider, that over the variables, and those over the rest of the file', () => {
  const of = rulesOf(
    `
routing: { breaker: { openForMs: 1000, failureRate: 0.25, windowSize: 40 } }
providers:
  - kind: openai
    apiKey: sk-1
    breaker: { consecutiveFailures: 3, successesToClose: 4 }
    models: [{ model: own, breaker: { consecutiveFailures: 1 } }, plain]
  - { kind: anthropic, apiKey: sk-2 }
models:
  anthropic/slow: { breaker: { probeMaxMs: 120000 } }
`,
    { MCPLANE_BREAKER_FAILURE_RATE: '0.75' },
  );

  const all = { ...DEFAULT_BREAKER_RULES, openForMs: 1_000, failureRate: 0.75, windowSize: 40 };
  assert.deepEqual(of('openai/own'), { ...all, consecutiveFailures: 1, successesToClose: 4 });
  assert.deepEqual(of('openai/plain'), { ...all, consecutiveFailures: 3, successesToClose: 4 });
  assert.deepEqual(of('anthropic/slow'), { ...all, probeMaxMs: 120_000 });
  assert.deepEqual(of('anthropic/listed later'), all);
  assert.deepEqual(of('simulated/small'), all);
});

test('mistakes are told with their place', () => {
  const provider = (breaker: string) => `providers: [{ kind: openai, apiKey: sk-1, breaker: ${breaker} }]`;
  const mistakes: [yaml: string, words: RegExp][] = [
    ['routing: { breaker: { openForMs: 0 } }', /1:\d+ \(routing\.breaker\.openForMs\): .* from 1 to/],
    ['routing: { breaker: { openForMS: 5 } }', /routing\.breaker\.openForMS.*openForMs\?/],
    ['routing: { breaker: 5 }', /routing\.breaker.*group/],
    [provider('{ failureRate: 50 }'), /providers\.0\.breaker\.failureRate.* from 0\.01 to 1/],
    [
      provider('{ openForMs: 60000 }'),
      /providers\.0\.breaker.*openForMs \(60000\) is more than maxOpenForMs \(30000\)/,
    ],
    [
      `${provider('{ windowSize: 40 }')}\nmodels: { openai/m: { breaker: { minimumCalls: 50 } } }`,
      /2:\d+ \(models\.openai\/m\.breaker\).*minimumCalls \(50\) is more than windowSize \(40\)/,
    ],
  ];

  for (const [yaml, words] of mistakes) assert.match(problemsOf(yaml).join('\n'), words, yaml);
  assert.match(
    problemsOf('', { MCPLANE_BREAKER_OPEN_FOR_MS: '40000' }).join('\n'),
    /MCPLANE_BREAKER_OPEN_FOR_MS: contradicts itself: openForMs \(40000\)/,
  );
});
