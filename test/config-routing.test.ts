// What the file says of routing: aliases with shares and fallbacks, weights, tags, limits.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError, loadConfig } from '../src/config.ts';
import { offeredDeployments } from '../src/control/offer.ts';
import { createPriceBook } from '../src/control/prices.ts';

const PROVIDERS = `
providers:
  - { kind: openai, apiKey: sk-1, onlyModels: true, models: [first, second, third] }
`;

function deploymentsOf(yaml: string) {
  const { providers } = loadConfig({ MCPLANE_CONFIG: 'mcplane.yaml' }, () => PROVIDERS + yaml).config;
  return offeredDeployments(providers[0]!, undefined, createPriceBook(), new Date());
}

const problemOf = (yaml: string) => {
  try {
    deploymentsOf(yaml);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems[0]!;
  }
  return assert.fail('the file was accepted');
};

test('fallbacks stand one after the other behind the deployments of an alias', () => {
  const deployments = deploymentsOf(`
aliases:
  careful: { deployments: [openai/second], fallbacks: [openai/third, openai/first] }
`);

  assert.deepEqual(
    deployments.map(({ model, aliases, aliasPlaces }) => [model, aliases, aliasPlaces]),
    [
      ['first', ['careful'], [{ alias: 'careful', rank: 2 }]],
      ['second', ['careful'], [{ alias: 'careful', rank: 0 }]],
      ['third', ['careful'], [{ alias: 'careful', rank: 1 }]],
    ],
  );
});

test('shares of an alias reach its deployments, and a deployment may stand in several aliases', () => {
  const [first, second] = deploymentsOf(`
aliases:
  trial: { shares: { openai/first: 9, openai/second: 1 } }
  free: [openai/first, openai/second]
  strict: { fallbacks: [openai/second] }
`);

  assert.deepEqual(first?.aliases, ['trial', 'free']);
  assert.deepEqual(first?.aliasPlaces, [{ alias: 'trial', rank: 0, weight: 9 }]);
  assert.deepEqual(second?.aliasPlaces, [
    { alias: 'trial', rank: 0, weight: 1 },
    { alias: 'strict', rank: 1 },
  ]);
});

test('weight, tags and the limit of calls come from the model or from the overrides', () => {
  const [first, second] = deploymentsOf(`
models:
  openai/first: { weight: 0.5, maxConcurrency: 4, tags: [eu, gpu] }
`);

  assert.deepEqual([first?.weight, first?.maxConcurrency, first?.tags], [0.5, 4, ['eu', 'gpu']]);
  assert.deepEqual([second?.weight, second?.maxConcurrency, second?.tags], [undefined, undefined, undefined]);
});

test('mistakes in routing settings are told with their place', () => {
  const mistakes: [yaml: string, where: RegExp, words: RegExp][] = [
    ['aliases: { fast: 5 }', /aliases\.fast/, /a deployment id, a list of them, or a group/],
    ['aliases: { fast: { fallback: [openai/first] } }', /aliases\.fast\.fallback/, /fallbacks/],
    ['aliases: { fast: { shares: { openai/first: -1 } } }', /shares/, /a number from 0/],
    ['aliases: { fast: { shares: { opnai/first: 1 } } }', /aliases\.fast/, /openai/],
    ['models: { openai/first: { weight: -1 } }', /weight/, /a number from 0/],
    ['models: { openai/first: { maxConcurrency: 0 } }', /maxConcurrency/, /a whole number from 1/],
  ];
  for (const [yaml, where, words] of mistakes) {
    const problem = problemOf(yaml);
    assert.match(problem.where, where, yaml);
    assert.match(`${problem.problem} ${problem.fix}`, words, yaml);
  }
});
