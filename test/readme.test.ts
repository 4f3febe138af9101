// What the README says of commands, settings and errors is what the code has.

import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { errorTable, faultTable, settingsTable } from '../src/config/reference.ts';
import { SETTING_NAMES, SETTINGS } from '../src/config.ts';
import { ERROR_CODES } from '../src/domain/errors.ts';
import { parseWorkflow } from '../src/domain/workflow-input.ts';
import { describeFaults } from '../src/gateway/fault-reference.ts';

const readme = readFileSync('README.md', 'utf8');

function section(name: string): string {
  const match = new RegExp(`<!-- ${name}:begin -->\n([\\s\\S]*?)\n?<!-- ${name}:end -->`).exec(readme);
  assert.ok(match, `README.md has a section ${name}`);
  return match[1]!;
}

test('the settings are those of the code', () => {
  assert.equal(section('settings'), settingsTable(), 'run `npm run codegen`');
  for (const name of SETTING_NAMES) assert.ok(section('settings').includes(SETTINGS[name].description));
});

test('the errors are those of the code', () => {
  assert.equal(section('errors'), errorTable(), 'run `npm run codegen`');
  for (const { meaning } of Object.values(ERROR_CODES)) assert.ok(section('errors').includes(meaning));
});

test('what happens when a provider fails is what the rules of the gateway say', () => {
  assert.equal(section('faults'), faultTable(describeFaults()), 'run `npm run codegen`');
});

test('every file and script that is named exists', () => {
  const paths = [...readme.matchAll(/`((?:src|test)\/[\w./-]+)`/g)].map(match => match[1]!);
  assert.ok(paths.length > 5);
  assert.deepEqual(
    paths.filter(path => !existsSync(path)),
    [],
  );
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
  const named = [...readme.matchAll(/`npm run (\w+)`/g)].map(match => match[1]!);
  assert.deepEqual(
    named.filter(name => !(name in scripts)),
    [],
  );
});

const yamlBlocks = [...readme.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, block]) => block!);

test('its workflow is accepted, and so are the examples', () => {
  const bounds = {
    maxSteps: 100,
    maxDepth: 20,
    maxItems: 100,
    maxParallel: 100,
    maxDeadlineMs: 1e9,
    maxSchemaBytes: 1e5,
    maxTemplateBytes: 1e5,
  };
  const examples = globSync('src/cli/workflows/*.yaml').map(path => readFileSync(path, 'utf8'));
  const texts = [...yamlBlocks.filter(block => block.startsWith('steps:')), ...examples];
  assert.ok(texts.length >= 4);
  for (const text of texts) {
    const { limits, ...workflow } = parse(text);
    const { steps } = parseWorkflow({ ...workflow, limits: { ...limits, maxCost: undefined } }, 'x', bounds);
    assert.ok(steps.length > 1);
  }
});

test('its configuration file is accepted', async () => {
  const { loadConfig } = await import('../src/config.ts');
  const yaml = yamlBlocks.find(block => block.includes('providers:')) ?? '';
  const env = { MCPLANE_CONFIG: 'mcplane.yaml', HOUSE_KEY: 'x', OPENAI_API_KEY: 'y' };
  const { config } = loadConfig(env, () => yaml);
  assert.deepEqual(
    config.providers.map(({ id }) => id),
    ['house', 'openai', 'ollama'],
  );
});
