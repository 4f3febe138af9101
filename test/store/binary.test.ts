import assert from 'node:assert/strict';
import test from 'node:test';
import { sql } from 'kysely';
import { newId } from '../../src/domain/ids.ts';
import { texts, timestamps, uuids } from '../../src/store/binary.ts';
import { onBothStores } from './both-stores.ts';

onBothStores(open => {
  test('arrays read as what they were made of', async t => {
    const { db } = await open(t);
    const ids = [newId(), undefined, newId()];
    const times = [new Date('2026-03-01T12:00:00.123Z'), new Date('1970-01-01T00:00:00.001Z'), undefined];
    const words = ['', undefined, 'Grüße, "{}" \\ 😀'];

    const { rows } = await sql`
      select * from unnest(${uuids(ids)}::uuid[], ${timestamps(times)}::timestamptz[], ${texts(words)}::text[])
        as t (id, time, word)`.execute(db);

    const expected = ids.map((id, index) => ({
      id: id ?? null,
      time: times[index] ?? null,
      word: words[index] ?? null,
    }));
    assert.deepEqual(rows, expected);
  });

  test('an array without elements is one, and what Postgres cannot hold in a text is replaced', async t => {
    const { db } = await open(t);

    const { rows } = await sql`
      select ${uuids([])}::uuid[] as ids, ${texts(['a\0b', 'c\ud800'])}::text[] as words`.execute(db);

    assert.deepEqual(rows, [{ ids: [], words: ['a\uFFFDb', 'c\uFFFD'] }]);
  });
});

test('what is no id or no time is refused as Postgres refuses it', () => {
  const refused = { code: '22P02' };

  for (const id of ['', 'no id', `${newId()}0`, newId().replace('-', '0'), 'x'.repeat(36)])
    assert.throws(() => uuids([newId(), id]), refused, id);
  assert.throws(() => timestamps([new Date(Number.NaN)]), refused);
});
