// What a server is told at its start, and how it complains.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { ConfigError, type ConfigProblem, ensureJwtSecret, loadConfig } from '../src/config.ts';

const GOOD_SECRET = 'kP3vQ8zL1mN6xR2tY7wB4cF9hJ5gD0sA';

/** The configuration with a `mcplane.yaml` of this content. */
function loadWithFile(yaml: string, env: Record<string, string> = {}) {
  return loadConfig({ MCPLANE_CONFIG: 'mcplane.yaml', ...env }, path => {
    if (path === 'mcplane.yaml') return yaml;
    return readFileSync(path, 'utf8');
  });
}

function problemsOf(load: () => unknown): readonly ConfigProblem[] {
  try {
    load();
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
  assert.fail('the configuration was accepted');
}

describe('without any setting', () => {
  test('a development server listens on loopback with an embedded database', () => {
    const { config } = loadConfig({});
    assert.equal(config.mode, 'development');
    assert.deepEqual(
      { ...config.http },
      {
        host: '127.0.0.1',
        port: 4000,
        corsOrigins: [],
        trustedProxies: [],
        unlimitedAddresses: ['127.0.0.0/8', '::1'],
      },
    );
    assert.equal(config.database.kind, 'embedded');
    assert.equal(config.limits.maxBodyBytes, 1_000_000);
  });

  test('local providers are looked for and answers are simulated', () => {
    const { config } = loadConfig({});
    assert.deepEqual(
      config.providers.map(({ id, explicit }) => [id, explicit]),
      [
        ['ollama', false],
        ['lmstudio', false],
      ],
    );
    assert.equal(config.simulated, true);
  });

  test('an empty variable is the same as none', () => {
    assert.deepEqual(
      loadConfig({ PORT: '', OPENAI_API_KEY: '', MCPLANE_NONSENSE: '' }).config,
      loadConfig({}).config,
    );
  });
});

describe('problems', () => {
  test('are told all at once, each with its variable and a fix', () => {
    const problems = problemsOf(() =>
      loadConfig({
        PORT: 'eighty',
        LOG_LEVEL: 'loud',
        JWT_SECRET_KEY: 'short',
        MCPLANE_ADMIN_USERNAME: 'ada',
      }),
    );
    assert.deepEqual(
      problems.map(({ where }) => where),
      ['PORT', 'LOG_LEVEL', 'JWT_SECRET_KEY', 'MCPLANE_ADMIN_PASSWORD'],
    );
    assert.ok(problems.every(({ fix }) => fix.length > 0));
  });

  test('an unknown variable of ours is one, with the name that was meant', () => {
    const [problem] = problemsOf(() => loadConfig({ MCPLANE_MAX_BODYBYTES: '5' }));
    assert.equal(problem?.where, 'MCPLANE_MAX_BODYBYTES');
    assert.equal(problem?.fix, 'Did you mean MCPLANE_MAX_BODY_BYTES?');
  });

  test('variables of the command line are none', () => {
    assert.doesNotThrow(() => loadConfig({ MCPLANE_URL: 'http://127.0.0.1:1', MCPLANE_API_KEY: 'x' }));
  });

  test('a configuration file that is named must be there', () => {
    const [problem] = problemsOf(() => loadConfig({ MCPLANE_CONFIG: '/nowhere/mcplane.yaml' }));
    assert.equal(problem?.where, 'MCPLANE_CONFIG');
    assert.match(problem?.problem ?? '', /ENOENT/);
  });

  test('in the file they have line and column', () => {
    const problems = problemsOf(() =>
      loadWithFile('http:\n  prot: 80\nlimits:\n  queryMaxDepth: deep\nproviders:\n  - kind: olama\n'),
    );
    assert.deepEqual(problems.map(({ where }) => where).sort(), [
      'mcplane.yaml:2:3 (http.prot)',
      'mcplane.yaml:4:18 (limits.queryMaxDepth)',
      'mcplane.yaml:6:11 (providers.0.kind)',
    ]);
    assert.equal(problems.find(({ where }) => where.includes('prot'))?.fix, 'Did you mean port?');
  });

  test("a variable's name in the file is answered with the name it has there", () => {
    const [problem] = problemsOf(() => loadWithFile('PORT: 80\n'));
    assert.equal(problem?.fix, 'Did you mean http.port?');
  });

  test('what is not YAML is one, at its place', () => {
    const [problem] = problemsOf(() => loadWithFile('http: {port: 1\n'));
    assert.match(problem?.where ?? '', /^mcplane\.yaml:\d+:\d+$/);
  });
});

describe('precedence', () => {
  test('a variable wins over the file, the file over the default', () => {
    const yaml = 'http:\n  port: 5001\n  host: 127.0.0.2\n';
    const { config, sources } = loadWithFile(yaml, { PORT: '5002' });
    assert.equal(config.http.port, 5002);
    assert.equal(config.http.host, '127.0.0.2');
    assert.deepEqual({ ...sources.PORT }, { source: 'environment', where: 'PORT', shown: '5002' });
    assert.deepEqual({ ...sources.HOST }, { source: 'file', where: 'mcplane.yaml:3:9', shown: '127.0.0.2' });
    assert.equal(sources.LOG_LEVEL.source, 'default');
  });

  test('a secret may come from a file of its own', () => {
    const path = join(mkdtempSync(join(tmpdir(), 'mcplane-config-')), 'secret');
    writeFileSync(path, `${GOOD_SECRET}\n`);
    const { config, sources } = loadConfig({ JWT_SECRET_KEY_FILE: path });
    assert.equal(config.jwt.secret, GOOD_SECRET);
    assert.equal(sources.JWT_SECRET_KEY.where, 'JWT_SECRET_KEY_FILE');
  });

  test('a second JWT secret is one of its own, as strong as the first', () => {
    const other = 'zT4nW8qR1yH6mV3xB9kL2cD7fG5jS0pA';
    const env = { JWT_SECRET_KEY: GOOD_SECRET, JWT_SECRET_KEY_PREVIOUS: other };
    assert.equal(loadConfig(env).config.jwt.previousSecret, other);
    assert.ok(!inspect(loadConfig(env).config).includes(other));
    for (const [previous, problem] of [
      [GOOD_SECRET, /the same as JWT_SECRET_KEY/],
      ['short', /32/],
    ] as const) {
      const [found, ...others] = problemsOf(() => loadConfig({ ...env, JWT_SECRET_KEY_PREVIOUS: previous }));
      assert.deepEqual([found?.where, others], ['JWT_SECRET_KEY_PREVIOUS', []]);
      assert.match(found!.problem, problem);
    }
  });
});

describe('secrets', () => {
  const secrets = {
    JWT_SECRET_KEY: GOOD_SECRET,
    OPENAI_API_KEY: 'sk-canary-openai',
    DATABASE_URL: 'postgres://ada:canary-database@127.0.0.1/mcplane',
    OPENAI_BASE_URL: 'http://proxy:canary-proxy@127.0.0.1:9/v1',
    MCPLANE_ADMIN_USERNAME: 'ada',
    MCPLANE_ADMIN_PASSWORD: 'canary-password',
    MCPLANE_SECRET_KEY: 'canary-secret-key',
  };
  const canaries = [GOOD_SECRET, /canary/];

  test('are there for those who use them, and in nothing that is printed', () => {
    const { config, sources } = loadConfig(secrets);
    assert.equal(config.jwt.secret, GOOD_SECRET);
    assert.equal(config.providers[0]?.apiKey, 'sk-canary-openai');
    for (const part of [
      config,
      config.jwt,
      config.database,
      config.admin,
      config.providers,
      config.providers[0],
      sources,
    ]) {
      const printed = `${JSON.stringify(part)} ${inspect(part, { depth: 9, showHidden: true })} ${part}`;
      for (const canary of canaries) assert.doesNotMatch(printed, new RegExp(canary));
    }
    assert.match(inspect(config.database), /postgres:\/\/ada:\[redacted\]@127\.0\.0\.1/);
  });

  test('are in no message, however wrong they are', () => {
    const wrong = {
      JWT_SECRET_KEY: 'canary',
      DATABASE_URL: 'mysql://a:canary@h/d',
      OPENAI_BASE_URL: 'ftp://a:canary@h',
    };
    const messages = problemsOf(() => loadConfig(wrong)).map(problem => JSON.stringify(problem));
    assert.equal(messages.length, 3);
    assert.doesNotMatch(messages.join(), /canary/);
  });

  test('the configuration cannot be changed after it was read', () => {
    const { config } = loadConfig({});
    assert.throws(() => Object.assign(config.http, { port: 1 }), TypeError);
  });

  test('development makes a secret of its own once, readable by nobody else', () => {
    const directory = join(mkdtempSync(join(tmpdir(), 'mcplane-secret-')), 'data');
    const first = ensureJwtSecret(directory);
    assert.ok(Buffer.byteLength(first) >= 32);
    assert.equal(ensureJwtSecret(directory), first);
    assert.equal(statSync(join(directory, 'jwt-secret')).mode & 0o777, 0o600);
  });
});

describe('production', () => {
  const production = {
    NODE_ENV: 'production',
    JWT_SECRET_KEY: GOOD_SECRET,
    DATABASE_URL: 'postgres://127.0.0.1/mcplane',
  };

  test('needs a secret and a database', () => {
    const problems = problemsOf(() => loadConfig({ NODE_ENV: 'production' }));
    assert.deepEqual(problems.map(({ where }) => where).sort(), ['DATABASE_URL', 'JWT_SECRET_KEY']);
  });

  test('runs on the embedded database only when it is told to', () => {
    const { DATABASE_URL: _, ...embedded } = production;
    assert.throws(() => loadConfig(embedded), ConfigError);
    assert.throws(() => loadConfig({ ...embedded, DATABASE_URL: 'memory:' }), ConfigError);
    assert.equal(loadConfig({ ...embedded, MCPLANE_ALLOW_EMBEDDED: '1' }).config.database.kind, 'embedded');
  });

  test('never simulates silently', () => {
    const { config } = loadConfig(production);
    assert.equal(config.simulated, false);
    assert.equal(loadConfig({ ...production, MCPLANE_SIMULATED: 'on' }).config.simulated, true);
  });

  test('refuses a key that stands in the file, and takes one that the file refers to', () => {
    const file = (key: string) => `providers:\n  - { kind: openai, id: mine, apiKey: "${key}" }\n`;
    const [problem] = problemsOf(() => loadWithFile(file('sk-plain'), production));
    assert.equal(problem?.where, 'mcplane.yaml:2:39 (providers.0.apiKey)');
    const { config } = loadWithFile(file(`\${env:MY_KEY}`), { ...production, MY_KEY: 'sk-mine' });
    assert.equal(config.providers.find(({ id }) => id === 'mine')?.apiKey, 'sk-mine');
  });
});

describe('workers', () => {
  const postgres = { DATABASE_URL: 'postgres://mcplane@127.0.0.1/mcplane' };

  test('are one, some, or as many as there are cores', () => {
    assert.equal(loadConfig({}).config.workers, 1);
    assert.equal(loadConfig({ ...postgres, MCPLANE_WORKERS: '4' }).config.workers, 4);
    assert.equal(loadConfig({ ...postgres, MCPLANE_WORKERS: 'AUTO' }).config.workers, 'auto');
    assert.equal(loadWithFile('workers: 2\n', postgres).config.workers, 2);
  });

  test('must be a sensible number', () => {
    for (const wrong of ['0', '-1', '1.5', 'many', '1000']) {
      const [problem] = problemsOf(() => loadConfig({ ...postgres, MCPLANE_WORKERS: wrong }));
      assert.equal(problem?.where, 'MCPLANE_WORKERS');
      assert.match(problem?.problem ?? '', /must be a whole number from 1 to 128, or auto/);
    }
  });

  test('more than one are refused on an embedded database', () => {
    for (const workers of ['2', 'auto'])
      for (const database of [{}, { DATABASE_URL: 'memory:' }]) {
        const [problem, ...others] = problemsOf(() => loadConfig({ ...database, MCPLANE_WORKERS: workers }));
        assert.equal(problem?.where, 'MCPLANE_WORKERS');
        assert.match(problem?.problem ?? '', /only one process can have an embedded database/);
        assert.match(problem?.fix ?? '', /DATABASE_URL/);
        assert.deepEqual(others, []);
      }
    assert.doesNotThrow(() => loadConfig({ MCPLANE_WORKERS: '1' }));
  });
});
