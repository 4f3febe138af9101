// How rows find together, whatever they are: here they are texts, and what writes them is told by the test when to end.

import assert from 'node:assert/strict';
import test from 'node:test';
import { groupCommit, type Row, type Write } from '../../src/store/group-commit.ts';

interface Statement {
  readonly values: readonly string[];
  end(): void;
  fail(error: Error): void;
}

/** Statements as they are sent; `sent` resolves with the next one. Each answers its rows in capitals. */
function createDatabase() {
  const sent: Statement[] = [];
  const readers: ((statement: Statement) => void)[] = [];
  const write: Write<string, string> = rows => {
    const { promise, resolve, reject } = Promise.withResolvers<string[]>();
    const values = rows.map(row => row.value);
    const statement = { values, end: () => resolve(values.map(each => each.toUpperCase())), fail: reject };
    const reader = readers.shift();
    if (reader) reader(statement);
    else sent.push(statement);
    return promise;
  };
  const next = () => {
    const { promise, resolve } = Promise.withResolvers<Statement>();
    const statement = sent.shift();
    if (statement) resolve(statement);
    else readers.push(resolve);
    return promise;
  };
  return { write, next };
}

/** As the database refuses it. */
function refusal(code: string): Error {
  return Object.assign(new Error(`refused with ${code}`), { code });
}

function refusing(isBad: (value: string) => boolean, sizes: number[] = []): Write<string, string> {
  return async (rows: readonly Row<string>[]) => {
    sizes.push(rows.length);
    if (rows.some(({ value }) => isBad(value))) throw refusal('22P02');
    return rows.map(({ value }) => value);
  };
}

test('a row goes at once, and those that come meanwhile go together when it is done', async () => {
  const { write, next } = createDatabase();
  const commit = groupCommit(value => value, write);

  const first = commit('a');
  const alone = await next();
  const others = ['b', 'c', 'd'].map(commit);
  alone.end();
  const together = await next();
  together.end();

  assert.deepEqual(alone.values, ['a']);
  assert.deepEqual(together.values, ['b', 'c', 'd']);
  assert.deepEqual(await Promise.all([first, ...others]), ['A', 'B', 'C', 'D']);
});

test('a statement has at most 500 rows', async () => {
  const sizes: number[] = [];
  const commit = groupCommit(
    value => value,
    refusing(() => false, sizes),
  );

  await Promise.all(Array.from({ length: 1_201 }, (_, index) => commit(`${index}`)));

  assert.deepEqual(sizes, [500, 500, 201]);
});

test('a statement has at most 4 MB, but for a row that is larger by itself', async () => {
  const megabytes: number[] = [];
  const commit = groupCommit<number, void>(
    value => 'x'.repeat(value * 1024 * 1024),
    async rows => {
      megabytes.push(rows.reduce((sum, { value }) => sum + value, 0));
      return rows.map(() => undefined);
    },
  );

  await Promise.all([1, 2, 2, 8, 1, 3, 1].map(commit));

  assert.deepEqual(megabytes, [3, 2, 8, 4, 1]);
});

test('a large row does not hold up the small ones behind it', async () => {
  const { write, next } = createDatabase();
  const commit = groupCommit(value => value, write);
  const large = 'x'.repeat(8 * 1024 * 1024);

  const slow = commit(large);
  const statementOfSlow = await next();
  const quick = commit('small');
  (await next()).end();

  assert.equal(await quick, 'SMALL');
  statementOfSlow.end();
  assert.equal((await slow).length, large.length);
});

test('rows that the database refuses fail alone', async () => {
  const sizes: number[] = [];
  const bad = new Set(['3', '77']);
  const commit = groupCommit(
    value => value,
    refusing(value => bad.has(value), sizes),
  );

  const results = await Promise.allSettled(Array.from({ length: 100 }, (_, index) => commit(`${index}`)));

  const failed = results.flatMap(({ status }, index) => (status === 'rejected' ? [`${index}`] : []));
  assert.deepEqual(failed, [...bad]);
  assert.ok(sizes.length < 30, `${sizes.length} statements`);
});

test('when the database cannot be reached all fail after one try, and the next ones are tried again', async () => {
  const { write, next } = createDatabase();
  const commit = groupCommit(value => value, write);

  const lost = Promise.allSettled(['a', 'b', 'c'].map(commit));
  (await next()).fail(refusal('57P01'));
  const results = await lost;
  const later = commit('d');
  (await next()).end();

  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'rejected', 'rejected'],
  );
  assert.equal(await later, 'D');
});

test('a statement that loses a deadlock is sent again', async () => {
  const { write, next } = createDatabase();
  const commit = groupCommit(value => value, write);

  const both = Promise.all(['a', 'b'].map(commit));
  (await next()).fail(refusal('40P01'));
  const again = await next();
  again.end();

  assert.deepEqual(again.values, ['a', 'b']);
  assert.deepEqual(await both, ['A', 'B']);
});

test('what cannot be encoded, or is refused by its answer, fails for its caller only', async () => {
  const commit = groupCommit<string, string>(
    value => {
      if (value === 'circular') throw new TypeError('cannot be encoded');
      return value;
    },
    async rows => rows.map(({ value }) => (value === 'foreign' ? new Error('belongs to another') : value)),
  );

  const [good, circular, foreign, alsoGood] = await Promise.allSettled(
    ['good', 'circular', 'foreign', 'also good'].map(commit),
  );

  assert.deepEqual(good, { status: 'fulfilled', value: 'good' });
  assert.match(String(circular?.status === 'rejected' && circular.reason), /cannot be encoded/);
  assert.match(String(foreign?.status === 'rejected' && foreign.reason), /belongs to another/);
  assert.deepEqual(alsoGood, { status: 'fulfilled', value: 'also good' });
});
