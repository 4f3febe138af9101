// The keys of stored providers at rest: what is in the database, what a start needs to read it, and what is not believed.

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { sql } from 'kysely';
import { loadConfig } from '../../src/config.ts';
import { startTestApp } from '../support/app.ts';
import { openTestDatabase } from '../support/database.ts';
import { submit } from '../support/requests.ts';
import { startUpstream } from '../support/upstream.ts';
import { answerOf, CREATE, KEY, OTHER_KEY, refusal, start } from './setup.ts';

const SECRET = { MCPLANE_SECRET_KEY: 'x3Vq8mZt1LrKc0PwYb7NfHs5DgJu9EaQ' };
const OTHER_SECRET = 'G7uTz2Wk9QxRb4MnVc1LpYh8Dj6SaFe0';

/** One database for servers that are started one after the other. */
async function startInstallation(t: TestContext) {
  const { store, db } = await openTestDatabase(t);
  const open = async () => ({ ...store, close: async () => {} });
  return {
    db,
    store,
    start: (env: Record<string, string> = {}) => start(t, { ...SECRET, ...env }, open),
    /** What a start says that fails. */
    async refused(env: Record<string, string>) {
      const error = await startTestApp(t, env, open).then(
        () => assert.fail('it started'),
        (thrown: Error) => thrown,
      );
      assert.equal(error.name, 'ConfigError');
      return error.message;
    },
  };
}

type Installation = Awaited<ReturnType<typeof startInstallation>>;

/** Everything that is in the database, as text. */
async function dumpOf({ db }: Installation): Promise<string> {
  const { rows } = await sql<{ name: string }>`
    select table_name as name from information_schema.tables where table_schema = 'public'`.execute(db);
  const tables = await Promise.all(
    rows.map(({ name }) =>
      sql<{ row: string }>`select to_jsonb(t)::text as row from ${sql.table(name)} t`.execute(db),
    ),
  );
  return tables.flatMap(table => table.rows.map(({ row }) => row)).join('\n');
}

describe('a stored key', () => {
  test('is not in the database, and works after a restart', async t => {
    const installation = await startInstallation(t);
    const before = await installation.start();
    await before.create();
    await before.create({ id: 'other', apiKey: OTHER_KEY });
    const dump = await dumpOf(installation);
    assert.match(dump, /"provider_id": ?"other"/);
    for (const key of [KEY, OTHER_KEY])
      for (const form of [key, Buffer.from(key).toString('base64'), Buffer.from(key).toString('hex')])
        assert.ok(!dump.includes(form));

    await before.app.close(0);
    const after = await installation.start();
    assert.equal(await answerOf(after, 'vllm/alpha'), 'echo: Hello');
    assert.equal(before.upstream.modelCalls[0]?.headers.authorization, `Bearer ${KEY}`);
  });

  test('that was moved to another provider is not sent to anybody', async t => {
    const installation = await startInstallation(t);
    const before = await installation.start();
    await before.create();
    await before.create({ id: 'other', apiKey: OTHER_KEY });
    await sql`update provider_keys as one set (version, master_key_id, data_key, ciphertext) =
      (select version, master_key_id, data_key, ciphertext from provider_keys two
       where two.provider_id <> one.provider_id)`.execute(installation.db);
    const asked = before.upstream.requests.length;

    const after = await installation.start();
    const { providers } = await after.ask('{ providers { id status statusReason keyHint } }');
    const stored = providers.filter(({ id }: { id: string }) => ['vllm', 'other'].includes(id));
    const defect = 'its stored key cannot be decrypted; give it a new one';
    assert.deepEqual(
      stored.map(({ status, statusReason, keyHint }: Record<string, string>) => [
        status,
        statusReason,
        keyHint,
      ]),
      [
        ['MISCONFIGURED', defect, null],
        ['MISCONFIGURED', defect, null],
      ],
    );
    await assert.rejects(submit(after, { prompt: 'Hello', model: 'vllm/alpha' }));
    assert.equal(before.upstream.requests.length, asked);
  });

  test('is not sent to where somebody has changed the address in the database', async t => {
    const installation = await startInstallation(t);
    const before = await installation.start();
    const thief = await startUpstream(t);
    await before.create();
    await sql`update stored_providers set base_url = ${`${thief.url}/v1`}`.execute(installation.db);

    const after = await installation.start();
    const { providers } = await after.ask('{ providers { id status } }');
    assert.equal(providers.find(({ id }: { id: string }) => id === 'vllm').status, 'MISCONFIGURED');
    assert.equal(thief.connections, 0);
  });

  test('is not the one before, put back', async t => {
    const installation = await startInstallation(t);
    const before = await installation.start();
    await before.create();
    const [first] = await installation.store.storedProviders.keys();
    await before.update({ apiKey: OTHER_KEY });
    const { version, dataKey, ciphertext } = first!.key;
    await sql`update provider_keys set version = ${version}, data_key = ${dataKey}, ciphertext = ${ciphertext}`.execute(
      installation.db,
    );

    const after = await installation.start();
    const { providers } = await after.ask('{ providers { id status } }');
    assert.equal(providers.find(({ id }: { id: string }) => id === 'vllm').status, 'MISCONFIGURED');
  });

  test('that cannot be decrypted is replaced by a new one', async t => {
    const installation = await startInstallation(t);
    const before = await installation.start();
    await before.create();
    await sql`update provider_keys set ciphertext = 'AAAA'`.execute(installation.db);

    const after = await installation.start();
    const repaired = await after.update({ apiKey: OTHER_KEY });
    assert.deepEqual([repaired.status, repaired.keyHint], ['AVAILABLE', '…wxyz']);
  });
});

describe('a start', () => {
  test('fails when the secret is missing that the stored keys need', async t => {
    const installation = await startInstallation(t);
    const before = await installation.start();
    await before.create();
    await before.create({ id: 'other' });
    await before.create({ id: 'keyless', apiKey: null });
    // Development on the embedded database makes one of its own, which is another one.
    assert.match(
      await installation.refused({ DATABASE_URL: 'postgres://unused' }),
      /MCPLANE_SECRET_KEY is missing, and encrypts the keys of the stored providers other, vllm\n.*Set it to what it was/,
    );
  });

  test('fails when it is another secret, and says what to do', async t => {
    const installation = await startInstallation(t);
    const before = await installation.start();
    await before.create();
    const message = await installation.refused({ MCPLANE_SECRET_KEY: OTHER_SECRET });
    assert.match(
      message,
      /MCPLANE_SECRET_KEY is not the one that encrypted the key of the stored provider vllm\n/,
    );
    assert.match(
      message,
      /set MCPLANE_SECRET_KEY_PREVIOUS to what it was, start, and run `mcplane secrets rotate`/,
    );
    assert.doesNotMatch(message, new RegExp(`${OTHER_SECRET}|${SECRET.MCPLANE_SECRET_KEY}`));
  });

  test('needs no secret while no key is stored', async t => {
    const installation = await startInstallation(t);
    const before = await installation.start();
    await before.create({ apiKey: null });
    await startTestApp(t, { DATABASE_URL: 'postgres://unused' }, async () => ({
      ...installation.store,
      close: async () => {},
    }));
  });

  test('leaves out what the configuration has under the same id, until that is gone', async t => {
    const installation = await startInstallation(t);
    const before = await installation.start();
    await before.create();
    await before.create({ id: 'openai' });
    const sources = async ({ ask }: Pick<typeof before, 'ask'>) => {
      const { providers } = await ask('{ providers { id source } }');
      return providers.find(({ id }: { id: string }) => id === 'openai').source;
    };
    assert.equal(await sources(before), 'STORED');
    assert.equal(
      await sources(await installation.start({ OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' })),
      'ENVIRONMENT',
    );
    assert.equal(await sources(await installation.start()), 'STORED');
  });
});

describe('without a secret', () => {
  test('no key is stored, and it is said what to do', async t => {
    const app = await start(t, { DATABASE_URL: 'postgres://unused' });
    const [code, message] = await refusal(app, CREATE, app.input);
    assert.equal(code, 'CONFLICT');
    assert.match(
      String(message),
      /nothing to encrypt it with. Set MCPLANE_SECRET_KEY on every instance, .*openssl/,
    );
    assert.deepEqual(await app.store.storedProviders.revisions(), []);
    assert.equal((await app.create({ apiKey: null })).keyHint, null);
  });
});

describe('the secret', () => {
  const production = {
    NODE_ENV: 'production',
    DATABASE_URL: 'postgres://db.example.com/mcplane',
    JWT_SECRET_KEY: 'kV9x2LqT7wPz4RbN8sYc1GmD5hJf0EaU',
  };
  const problem = (env: Record<string, string>) => {
    try {
      loadConfig(env);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  };

  test('is not a weak one in production', () => {
    assert.equal(problem({ ...production, ...SECRET }), undefined);
    assert.equal(problem(production), undefined);
    for (const weak of ['short', 'x'.repeat(40), 'change-me-change-me-change-me-0123'])
      assert.match(
        String(problem({ ...production, MCPLANE_SECRET_KEY: weak })),
        /MCPLANE_SECRET_KEY (is|contains|repeats)/,
      );
    assert.equal(problem({ MCPLANE_SECRET_KEY: 'short' }), undefined);
  });

  test('comes before the previous one', () => {
    assert.match(
      String(problem({ MCPLANE_SECRET_KEY_PREVIOUS: OTHER_SECRET })),
      /MCPLANE_SECRET_KEY is missing, while MCPLANE_SECRET_KEY_PREVIOUS is set/,
    );
    const previous = { ...production, ...SECRET, MCPLANE_SECRET_KEY_PREVIOUS: 'short' };
    assert.equal(problem(previous), undefined);
  });
});
