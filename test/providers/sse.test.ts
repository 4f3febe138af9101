// Server-sent events out of bytes that were cut anywhere.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createEventReader, MAX_EVENT_BYTES } from '../../src/providers/sse.ts';
import { faultOf } from '../support/provider-calls.ts';

/** The data of all events, read from these chunks. */
function read(chunks: readonly Uint8Array[]): string[] {
  const reader = createEventReader('provider');
  const data = chunks.flatMap(chunk => reader.read(Buffer.from(chunk)).map(event => event.data));
  reader.end();
  return data;
}

const bytes = (content: string) => [Buffer.from(content)];
function fault(act: () => unknown): string {
  try {
    act();
    return 'none';
  } catch (error) {
    return faultOf(error);
  }
}

test('reads the same events however the bytes are cut', async () => {
  const stream = Buffer.from(
    '\uFEFFdata: Grüße 😀\r\n\r\n: ping\n\nevent: x\ndata:one\ndata: two\n\ndata: {"a":1}\n\n',
  );

  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(stream.length), { maxLength: 20 }), async cuts => {
      const places = [0, ...cuts.sort((a, b) => a - b), stream.length];
      const chunks = places.slice(1).map((end, index) => stream.subarray(places[index], end));
      const data = read(chunks.filter(chunk => chunk.length > 0));
      assert.deepEqual(data, ['Grüße 😀', 'one\ntwo', '{"a":1}']);
    }),
  );
});

test('puts the replacement character where the bytes are not UTF-8', async () => {
  const stream = [Buffer.from('data: a'), Buffer.from([0xff, 0xc3]), Buffer.from('b\n\n')];

  assert.deepEqual(read(stream), ['a\uFFFD\uFFFDb']);
});

test('does not read an event that was not ended', async () => {
  assert.deepEqual(read(bytes('data: whole\n\ndata: half')), ['whole']);
});

test('refuses what is no event stream', async () => {
  for (const content of ['', '<html>\n\n</html>', '{"object":"chat.completion"}', ': only comments\n\n'])
    assert.equal(
      fault(() => read(bytes(content))),
      'bad-response',
    );
});

test('takes an event just below the limit, and refuses a larger one in any shape', async () => {
  const piece = Buffer.alloc(64_000, 'x');
  const large = Array<Buffer>(40).fill(piece);
  const below = Buffer.from(`data: ${'x'.repeat(MAX_EVENT_BYTES - 100)}\n\n`);

  assert.equal(read([below])[0]?.length, MAX_EVENT_BYTES - 100);
  assert.equal(
    fault(() => read([...bytes('data: 1\n\ndata: '), ...large, ...bytes('\n\n')])),
    'bad-response',
    'one line',
  );
  assert.equal(
    fault(() => read([...bytes('data: 1\n\nfoo'), ...large])),
    'bad-response',
    'no field',
  );
  const lines = Array<Buffer>(40).fill(Buffer.from(`data: ${'y'.repeat(60_000)}\n`));
  assert.equal(
    fault(() => read([...bytes('data: 1\n\n'), ...lines])),
    'bad-response',
    'many lines',
  );
});

test('gives out the events before an oversized one first', async () => {
  const chunks = [...bytes('data: first\n\n'), Buffer.from(`data: second\n\ndata: ${'x'.repeat(2_000_000)}`)];
  const reader = createEventReader('provider');
  const next = (chunk: Buffer) => reader.read(chunk).map(event => event.data);

  assert.deepEqual(next(chunks[0]!), ['first']);
  assert.deepEqual(next(chunks[1]!), ['second']);
  assert.equal(
    fault(() => next(Buffer.from('x'))),
    'bad-response',
  );
});
