import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromGlobalId, idOf, newId, toGlobalId } from '../../src/domain/ids.ts';
import { formatCursor, parseCursor } from '../../src/domain/stream.ts';

test('ids made in a row sort in the order they were made and never repeat', () => {
  const ids = Array.from({ length: 10_000 }, () => newId());
  assert.deepEqual([...ids].sort(), ids);
  assert.equal(new Set(ids).size, ids.length);
  assert.match(ids[0]!, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('a global id names its kind and comes back as the same id', () => {
  const id = newId();
  assert.match(toGlobalId('request', id), /^req_[0-9a-f]{32}$/);
  assert.deepEqual(fromGlobalId(toGlobalId('request', id)), { kind: 'request', id });
  assert.equal(idOf('user', toGlobalId('request', id)), undefined);
  for (const junk of ['', 'req_', 'req_xyz', id, `req_${id}`, `zzz_${id.replaceAll('-', '')}`])
    assert.equal(fromGlobalId(junk), undefined);
});

test('a cursor comes back as its position', () => {
  fc.assert(
    fc.property(fc.nat(9_999), fc.nat(), fc.nat(), (epoch, sequence, offset) => {
      const id = newId();
      assert.deepEqual(parseCursor(id, formatCursor(id, { epoch, sequence, offset })), {
        epoch,
        sequence,
        offset,
      });
    }),
  );
});

test('a cursor of another request, a changed one and junk do not parse', () => {
  const id = newId();
  const cursor = formatCursor(id, { epoch: 1, sequence: 12, offset: 345 });
  assert.equal(parseCursor(newId(), cursor), undefined);
  for (let index = 0; index < cursor.length; index += 1) {
    const other = cursor[index] === 'A' ? 'B' : 'A';
    assert.equal(parseCursor(id, cursor.slice(0, index) + other + cursor.slice(index + 1)), undefined);
  }
  for (const junk of ['', ' ', 'null', '1.12.345', '{}', 'a'.repeat(10_000), "' or 1=1", '\0', `${cursor}=`])
    assert.equal(parseCursor(id, junk), undefined);
});
