// What Dockerfile and compose.yaml promise, as far as it can be read off them. Building and running them needs a
// Docker engine and is not tested here.

import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { loadConfig, SETTING_NAMES, SETTINGS } from '../src/config.ts';

const packageJson = JSON.parse(readFileSync('package.json', 'utf8'));
const compose = parse(readFileSync('compose.yaml', 'utf8'), { merge: true });
const services: [string, Service][] = Object.entries(compose.services);
const servers = services.filter(([name]) => name.startsWith('server-')).map(([, service]) => service);

interface Service {
  readonly environment?: Record<string, string>;
  readonly secrets?: string[];
  readonly ports?: string[];
  readonly volumes?: string[];
  readonly networks: string[];
  readonly stop_grace_period: string;
  readonly depends_on: Record<string, { condition: string }>;
  readonly healthcheck?: { test: string[]; interval: string; timeout: string };
  readonly read_only?: boolean;
  readonly cap_drop?: string[];
}

/** The instructions of the Dockerfile, continued lines joined. */
const instructions = readFileSync('Dockerfile', 'utf8')
  .replace(/^#.*\n/gm, '')
  .replace(/\\\n\s*/g, '')
  .split('\n')
  .filter(line => line.trim() !== '');
const argumentsOf = (name: string) =>
  instructions.filter(line => line.startsWith(`${name} `)).map(line => line.slice(name.length + 1));
const finalStage = instructions.slice(instructions.findLastIndex(line => line.startsWith('FROM ')));

test('the image has the Node that the project pins', () => {
  assert.deepEqual(argumentsOf('ARG'), [`NODE_VERSION=${packageJson.devDependencies.node}`]);
  for (const image of argumentsOf('FROM')) assert.match(image, /^node:\$\{NODE_VERSION\}-slim( AS \w+)?$/);
});

test('its process is the server itself, by a user who is not root', () => {
  const last = (name: string) => finalStage.findLast(line => line.startsWith(`${name} `));
  assert.equal(last('CMD'), 'CMD ["node", "src/main.ts"]');
  assert.equal(last('ENTRYPOINT'), undefined);
  assert.match(last('USER') ?? '', /^USER [1-9]\d*:[1-9]\d*$/);
  assert.equal(last('STOPSIGNAL'), 'STOPSIGNAL SIGTERM');
});

test('its health check is a program that Node understands', async () => {
  const [, json] = /CMD (\[.*\])$/.exec(argumentsOf('HEALTHCHECK')[0]!)!;
  const [command, flag, script] = JSON.parse(json!);
  assert.deepEqual([command, flag], ['node', '-e']);
  assert.doesNotThrow(() => new Function(script));
  assert.match(script, /\/livez/);
});

test('it copies only what exists, lets everything else stay outside, and holds no secret', () => {
  const copied = argumentsOf('COPY')
    .filter(line => !line.startsWith('--from='))
    .flatMap(line => line.split(' ').slice(0, -1));
  assert.deepEqual(
    copied.filter(path => !existsSync(path)),
    [],
  );
  const [first, ...allowed] = readFileSync('.dockerignore', 'utf8')
    .split('\n')
    .filter(line => line && !line.startsWith('#'));
  assert.equal(first, '*');
  assert.deepEqual(allowed.map(line => line.slice(1)).sort(), [...new Set(copied)].sort());
  const secrets = SETTING_NAMES.filter(name => SETTINGS[name].secret);
  for (const name of secrets) assert.ok(!instructions.some(line => line.includes(`${name}=`)), name);
});

test('packages are installed from the lock file, without tools of development and without their scripts', () => {
  assert.deepEqual(
    argumentsOf('RUN').filter(line => line.startsWith('npm')),
    ['npm ci --omit=dev --ignore-scripts --no-audit --no-fund'],
  );
  // What is imported as a type alone is gone before it runs.
  const imported = globSync('src/**/*.{ts,js}').flatMap(path =>
    [...readFileSync(path, 'utf8').matchAll(/^(?:import|export) (?!type )[^;]*?from '([^.'][^']*)';/gm)].map(
      match => match[1]!,
    ),
  );
  const names = imported
    .filter(name => !name.startsWith('node:'))
    .map(name =>
      name
        .split('/')
        .slice(0, name.startsWith('@') ? 2 : 1)
        .join('/'),
    );
  assert.deepEqual(
    [...new Set(names)].filter(
      name => !(name in packageJson.dependencies) && name !== '@graphql-codegen/plugin-helpers',
    ),
    [],
  );
});

test('both instances run what one configuration describes, and are refused no setting', () => {
  assert.equal(servers.length, 2);
  for (const { environment = {}, secrets = [] } of servers) {
    const files: Record<string, string> = {
      '/run/secrets/database-url': 'postgres://mcplane:pass@postgres:5432/mcplane',
      '/run/secrets/jwt-secret-key': 'kP3vQ8zL1mN6xR2tY7wB4cF9hJ5gD0sA',
      '/run/secrets/admin-password': 'correct horse',
    };
    assert.deepEqual(secrets.map(name => `/run/secrets/${name}`).sort(), Object.keys(files).sort());
    const env = { ...environment, MCPLANE_WORKERS: '2', NODE_ENV: 'production' };
    const { config } = loadConfig(env, path => files[path] ?? assert.fail(`no secret is at ${path}`));
    assert.equal(config.database.kind, 'postgres');
    assert.equal(config.redis?.url, 'redis://redis:6379');
    assert.equal(config.admin?.username, 'admin');
  }
});

test('instances start when the stores are healthy, and have the time they take to stop', () => {
  const { shutdownGraceMs } = loadConfig({}).config.limits;
  for (const { depends_on, stop_grace_period, read_only, cap_drop } of servers) {
    assert.deepEqual(Object.values(depends_on), Array(2).fill({ condition: 'service_healthy' }));
    assert.match(stop_grace_period, /^\d+s$/);
    assert.ok(Number.parseInt(stop_grace_period, 10) * 1_000 >= shutdownGraceMs + 15_000);
    assert.deepEqual([read_only, cap_drop], [true, ['ALL']]);
  }
  for (const name of Object.keys(servers[0]!.depends_on))
    assert.equal(compose.services[name].healthcheck.test[0], 'CMD', name);
});

test('no password stands in the file, and only the servers are reached, from this machine alone', () => {
  const text = readFileSync('compose.yaml', 'utf8').replace(/^\s*#.*$/gm, '');
  assert.doesNotMatch(text, /(PASSWORD|SECRET|KEY)\w*:(?! \/run\/secrets\/)/);
  assert.doesNotMatch(text, /:\/\/[^/\s]*:[^/\s]*@/);
  for (const { file } of Object.values(compose.secrets) as { file: string }[])
    assert.match(file, /^\.\/secrets\//);
  for (const [name, { ports = [], networks }] of services) {
    assert.equal(ports.length, name.startsWith('server-') ? 1 : 0, name);
    for (const port of ports) assert.match(port, /^127\.0\.0\.1:\d+:4000$/);
    assert.ok(networks.every(network => network in compose.networks));
  }
  assert.deepEqual(compose.networks.stores, { internal: true });
});

test('images name their major version', () => {
  for (const [name, { image }] of Object.entries(compose.services as Record<string, { image: string }>))
    if (!name.startsWith('server-')) assert.match(image, /^[a-z]+:\d+$/);
});
