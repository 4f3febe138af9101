// What every event log must do, whatever it is made of. Each implementation's test runs this suite.

import assert from 'node:assert/strict';
import { type TestContext, type TestOptions, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { newId } from '../../src/domain/ids.ts';
import { isLast, type LoggedEvent, type Position, type StreamEvent } from '../../src/domain/stream.ts';
import type { EventLog } from '../../src/events/event-log.ts';

const token = (text: string): StreamEvent => ({ type: 'token', text });
const COMPLETED: StreamEvent = { type: 'completed' };

/**
 * Reads until the last event, or `count` events. A log may end without a last event when it has to ask elsewhere and
 * finds nothing yet: it is asked again, as the gateway does.
 */
async function read(
  log: EventLog,
  requestId: string,
  after?: Position,
  count = Infinity,
): Promise<LoggedEvent[]> {
  const controller = new AbortController();
  const events: LoggedEvent[] = [];
  let last = after;
  while (events.length < count) {
    for await (const event of log.follow(requestId, last, controller.signal) ?? []) {
      events.push(event);
      last = event.position;
      if (events.length >= count || isLast(event.event)) {
        controller.abort();
        return events;
      }
    }
    await setImmediate();
  }
  return events;
}

async function holdsAnything(log: EventLog, requestId: string): Promise<boolean> {
  for await (const _event of log.follow(requestId, undefined, new AbortController().signal) ?? [])
    return true;
  return false;
}

function textOf(events: readonly LoggedEvent[]): string {
  return events.map(({ event }) => (event.type === 'token' ? event.text : '')).join('');
}

/** A log of its own for the test, which closes it. */
type CreateLog = (t: TestContext) => EventLog | Promise<EventLog>;

export function eventLogContract(name: string, createLog: CreateLog, options: TestOptions = {}): void {
  const contract = (title: string, story: (t: TestContext) => Promise<void>) =>
    test(`${name}: ${title}`, options, story);

  contract('a follower reads what was appended before it came and what is appended after', async t => {
    const log = await createLog(t);
    const id = newId();
    const writer = log.open(id, 1);
    writer.append(token('one '));
    const reading = read(log, id);
    await Promise.resolve();
    writer.append(token('two'));
    writer.append(COMPLETED);

    const events = await reading;
    assert.equal(textOf(events), 'one two');
    assert.deepEqual(events.at(-1), { position: { epoch: 1, sequence: 3, offset: 7 }, event: COMPLETED });
    await log.close();
  });

  contract("numbers events without gaps and counts the text's UTF-16 length", async t => {
    const log = await createLog(t);
    const id = newId();
    const writer = log.open(id, 1);
    const positions = [token('häß'), token('🙂'), COMPLETED].map(event => writer.append(event).position);

    assert.deepEqual(positions, [
      { epoch: 1, sequence: 1, offset: 3 },
      { epoch: 1, sequence: 2, offset: 5 },
      { epoch: 1, sequence: 3, offset: 5 },
    ]);
    assert.equal(writer.sequence(), 3);
    await log.close();
  });

  contract('of a request that is forgotten nothing is to be read any more', async t => {
    const log = await createLog(t);
    const id = newId();
    const writer = log.open(id, 1);
    writer.append(token('a secret'));
    writer.append(COMPLETED);
    await read(log, id);

    log.release(id);
    log.forget([id]);

    assert.equal(log.holdsRest(id, undefined), false);
    // Where others share it, it is gone a moment later.
    while (await holdsAnything(log, id)) await setImmediate();
    await log.close();
  });

  contract('many followers read the same events, each at its own pace', async t => {
    const log = await createLog(t);
    const id = newId();
    const writer = log.open(id, 1);
    const readers = Array.from({ length: 20 }, () => read(log, id));
    for (let index = 0; index < 50; index += 1) writer.append(token(`${index} `));
    writer.append(COMPLETED);

    const texts = (await Promise.all(readers)).map(textOf);
    assert.equal(new Set(texts).size, 1);
    assert.equal(texts[0], Array.from({ length: 50 }, (_, index) => `${index} `).join(''));
    await log.close();
  });

  contract('a follower that fell behind gets neighbouring tokens as one', async t => {
    const log = await createLog(t);
    const id = newId();
    const writer = log.open(id, 1);
    for (const text of ['a', 'b', 'c']) writer.append(token(text));
    writer.append(COMPLETED);

    const events = await read(log, id);
    assert.deepEqual(
      events.map(({ event }) => event),
      [token('abc'), COMPLETED],
    );
    assert.equal(events[0]!.position.sequence, 3);
    await log.close();
  });

  contract(
    'a follower that returns with any of its cursors has the same text as one that stayed',
    async t => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 200 }),
          fc.nat(),
          async (texts, cut) => {
            const log = await createLog(t);
            const id = newId();
            const writer = log.open(id, 1);
            const first = texts.slice(0, cut % (texts.length + 1));
            for (const text of first) writer.append(token(text));
            const before = first.length === 0 ? [] : await read(log, id, undefined, 1);
            for (const text of texts.slice(first.length)) writer.append(token(text));
            writer.append(COMPLETED);

            const after = await read(log, id, before.at(-1)?.position);
            assert.equal(textOf(before) + textOf(after), texts.join(''));
            assert.equal(after.filter(({ event }) => event.type === 'completed').length, 1);
            await log.close();
          },
        ),
        { numRuns: 60 },
      );
    },
  );

  contract('an abort ends a waiting follower at once', async t => {
    const log = await createLog(t);
    const id = newId();
    log.open(id, 1);
    const controller = new AbortController();
    const iterator = log.follow(id, undefined, controller.signal)![Symbol.asyncIterator]();
    const pending = iterator.next();
    controller.abort();
    assert.deepEqual(await pending, { done: true, value: undefined });
    await log.close();
  });

  contract("a later epoch ends the earlier writer's right to append", async t => {
    const log = await createLog(t);
    const id = newId();
    const zombie = log.open(id, 1);
    zombie.append(token('old'));
    const owner = log.open(id, 2);
    owner.append({ type: 'restarted', attempt: 2, reason: 'taken over' });
    owner.append(token('new'));

    assert.throws(() => zombie.append(token('late')));
    assert.throws(() => log.open(id, 2));
    owner.append(COMPLETED);
    assert.equal(textOf(await read(log, id)), 'oldnew');
    await log.close();
  });

  contract('knows nothing of a request it never saw', async t => {
    const log = await createLog(t);
    const events: LoggedEvent[] = [];
    for await (const event of log.follow(newId(), undefined, new AbortController().signal) ?? [])
      events.push(event);
    assert.deepEqual(events, []);
    await log.close();
  });

  contract('knows when it holds the rest of a story, the end included', async t => {
    const log = await createLog(t);
    const id = newId();
    assert.equal(log.holdsRest(id, undefined), false);
    const writer = log.open(id, 2);
    const first = writer.append(token('one'));
    assert.equal(log.holdsRest(id, undefined), false);
    writer.append(COMPLETED);

    assert.equal(log.holdsRest(id, undefined), true);
    assert.equal(log.holdsRest(id, first.position), true);
    assert.equal(log.holdsRest(id, { epoch: 1, sequence: 7, offset: 30 }), false);
    await log.close();
  });

  contract('a follower that comes with more than the log has yet gets only what it has not', async t => {
    const log = await createLog(t);
    const id = newId();
    const writer = log.open(id, 1);
    writer.append(token('one '));
    const reading = read(log, id, { epoch: 1, sequence: 3, offset: 12 });
    await setImmediate();
    writer.append(token('two '));
    await setImmediate();
    writer.append(token('six '));
    await setImmediate();
    writer.append(token('ten'));
    writer.append(COMPLETED);

    const events = await reading;
    assert.equal(textOf(events), 'ten');
    assert.deepEqual(
      events.map(({ position }) => position.sequence),
      [4, 5],
    );
    await log.close();
  });

  contract('a cursor of an earlier epoch is followed when the later one begins anew', async t => {
    const log = await createLog(t);
    const id = newId();
    const owner = log.open(id, 2);
    owner.append({ type: 'restarted', attempt: 2, reason: 'taken over' });
    owner.append(token('new'));
    owner.append(COMPLETED);

    const events = await read(log, id, { epoch: 1, sequence: 7, offset: 30 });
    assert.deepEqual(
      events.map(({ event }) => event.type),
      ['restarted', 'token', 'completed'],
    );
    await log.close();
  });
}
