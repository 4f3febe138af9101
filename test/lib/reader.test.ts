// Iterators written by hand: when they answer, and that leaving one ends what is waited for.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InTurn } from '../../src/lib/reader.ts';
import { createTopic } from '../../src/lib/topic.ts';

test('a second pull waits for the first, and both are settled by the end', async () => {
  const topic = createTopic<string>();
  const values = topic.subscribe();
  const pulls = [values.next(), values.next(), values.next(), values.next()];
  topic.publish('a', 'one');
  topic.publish('b', 'two');
  assert.equal((await pulls[0]!).value, 'one');
  assert.equal((await pulls[1]!).value, 'two');

  await values.return!();
  assert.deepEqual(
    (await Promise.all(pulls.slice(2))).map(({ done }) => done),
    [true, true],
  );
});

test('what comes within a turn wakes a reader once', async () => {
  const topic = createTopic<string>();
  const values = topic.subscribe();
  const pending = values.next();
  topic.publish('a', 'older');
  topic.publish('a', 'newer');
  assert.equal((await pending).value, 'newer');
});

/** Reads the first until its end, then the second. */
class Both extends InTurn<string> {
  readonly #second: AsyncIterator<string> | undefined;

  constructor(first: AsyncIterator<string>, second: AsyncIterator<string> | undefined) {
    super(first);
    this.#second = second;
  }

  protected given(value: string): string {
    return value.toUpperCase();
  }

  protected rest(): AsyncIterator<string> | undefined {
    return this.#second;
  }
}

async function* values(...all: string[]): AsyncGenerator<string> {
  yield* all;
}

test('one source is read to its end, then the other', async () => {
  const read: string[] = [];
  for await (const value of new Both(values('a', 'b'), values('c'))) read.push(value);
  for await (const value of new Both(values('d'), undefined)) read.push(value);
  assert.deepEqual(read, ['A', 'B', 'c', 'D']);
});

test('leaving ends the pull of whichever source is read, and the other is not begun', async () => {
  const topic = createTopic<string>();
  const inFirst = new Both(topic.subscribe(), values('never'));
  const inSecond = new Both(values(), topic.subscribe());
  const pulls = [inFirst.next(), inSecond.next()];
  await new Promise(resolve => setImmediate(resolve));
  assert.equal(topic.subscriberCount, 2);

  await inFirst.return();
  await inSecond.return();

  assert.deepEqual(
    (await Promise.all(pulls)).map(({ done }) => done),
    [true, true],
  );
  assert.equal((await inFirst.next()).done, true);
  assert.equal(topic.subscriberCount, 0);
});
