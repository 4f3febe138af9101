// Several instances as their users see them: streams, feeds and orders, whichever instance one is connected to.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Client, createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { idOf } from '../src/domain/ids.ts';
import { comparePositions, type Position, parseCursor } from '../src/domain/stream.ts';
import { BOUNDLESS_CALLERS, type Data, type TestApp, until } from './support/app.ts';
import { startInstances } from './support/instances.ts';
import { redisMissing, startRedis } from './support/redis.ts';
import { REQUEST, readStream, STREAM, submit, textOf } from './support/requests.ts';
import { gate, type Step, startUpstream, text } from './support/upstream.ts';

const skip = redisMissing();
const ROOM = {
  ...BOUNDLESS_CALLERS,
  MCPLANE_WS_MAX_SUBSCRIPTIONS: '200',
};
const SUBSCRIBERS = 200;
const STEPS = 8;
const PIECES_PER_STEP = 3;

/** Numbers from 0 below `end`, the same in each run. */
function createRandom(seed: number): (end: number) => number {
  let state = seed;
  return end => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * end);
  };
}

/** Answers that wait at each step until the test lets them go on; `name` is in each of their pieces. */
function createAnswers() {
  const gates = Array.from({ length: STEPS }, () => Promise.withResolvers<void>());
  const piecesOf = (name: string, step: number) =>
    Array.from({ length: PIECES_PER_STEP }, (_, piece) => `${name}.${step}.${piece} `);
  const steps = gates.map((_, step) => step);
  return {
    release: (step: number) => gates[step]!.resolve(),
    script: (name: string): Step[] =>
      steps.flatMap(step => [gate(gates[step]!.promise), ...piecesOf(name, step).map(text)]),
    upTo: (name: string, step: number) =>
      steps
        .filter(other => other <= step)
        .flatMap(other => piecesOf(name, other))
        .join(''),
    whole: (name: string) => steps.flatMap(step => piecesOf(name, step)).join(''),
  };
}

/** What one subscriber has, and the proof that nothing is missing or double in it. */
function createReader(id: string) {
  const requestId = idOf('request', id)!;
  let last: Position | undefined;
  const reader = {
    id,
    cursor: undefined as string | undefined,
    text: '',
    restarts: 0,
    attempts: [] as number[],
    end: undefined as Data,
    take(event: Data) {
      const position = parseCursor(requestId, event.cursor)!;
      const where = `${JSON.stringify(event)} at ${JSON.stringify(position)} after ${JSON.stringify(last)}`;
      assert.ok(!reader.end, where);
      assert.ok(!last || comparePositions(position, last) > 0, `out of order: ${where}`);
      if (event.__typename === 'StreamRestarted') {
        assert.equal(event.keepThrough, null);
        reader.text = '';
        reader.restarts += 1;
      } else if (event.__typename === 'TokenDelta') reader.text += event.text;
      else if (event.__typename === 'AttemptStarted') reader.attempts.push(event.attempt);
      else reader.end = event;
      if (event.__typename === 'TokenDelta') assert.equal(position.offset, reader.text.length, where);
      last = position;
      reader.cursor = event.cursor;
    },
  };
  return reader;
}
type Reader = ReturnType<typeof createReader>;

interface Connection {
  readonly client: Client;
  /** Breaks the socket, if there is one at the moment, with all that follow through it. */
  cut(): void;
}

function connect(t: TestContext, { url, adminToken }: TestApp): Connection {
  let isUp = false;
  const client = createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${adminToken}` },
    retryAttempts: 0,
    on: {
      connected: () => {
        isUp = true;
      },
      closed: () => {
        isUp = false;
      },
    },
  });
  t.after(() => client.dispose());
  return {
    client,
    cut() {
      if (isUp) client.terminate();
      isUp = false;
    },
  };
}

interface Crowd {
  readonly connections: readonly Connection[];
  readonly random: (end: number) => number;
  visits: number;
}

/** Follows to the end, at another instance again and again, always behind the last event seen. */
async function wander(reader: Reader, crowd: Crowd): Promise<void> {
  const { connections, random } = crowd;
  while (!reader.end) {
    crowd.visits += 1;
    const variables = { id: reader.id, after: reader.cursor };
    let left = 1 + random(8);
    try {
      const events = connections[random(connections.length)]!.client.iterate<Data>({
        query: STREAM,
        variables,
      });
      for await (const { data, errors } of events) {
        assert.deepEqual(errors, undefined);
        reader.take(data.tokenStream);
        left -= 1;
        if (left === 0) break;
      }
    } catch (error) {
      // Its socket was cut.
      if ((error as { code?: number }).code !== 4499) throw error;
    }
  }
}

test('200 subscribers who wander between two instances miss nothing and get nothing twice, also when one is taken over', {
  skip,
}, async t => {
  const redis = await startRedis(t);
  const upstreams = [await startUpstream(t), await startUpstream(t)] as const;
  const answers = [createAnswers(), createAnswers()] as const;
  for (const [index, upstream] of upstreams.entries())
    upstream.answerWith(({ body }) => answers[index]!.script(`${body.messages.at(-1).content}${index}`));
  const { first, second, declareDead } = await startInstances(t, { ...ROOM, REDIS_URL: redis.url }, [
    { OPENAI_BASE_URL: `${upstreams[0].url}/v1` },
    { OPENAI_BASE_URL: `${upstreams[1].url}/v1` },
  ]);
  const taken = await Promise.all(['a', 'b', 'c', 'd'].map(prompt => submit(first, { prompt })));
  const kept = await Promise.all(['y', 'z'].map(prompt => submit(second, { prompt })));
  const names = new Map([...taken, ...kept].map((id, index) => [id, 'abcdyz'[index]!]));
  await until(() => upstreams[1].modelCalls.length === kept.length, 'the second one runs its own');

  const ids = [...taken, ...kept];
  const readers = Array.from({ length: SUBSCRIBERS }, (_, index) => createReader(ids[index % ids.length]!));
  const connections = Array.from({ length: 8 }, (_, index) => connect(t, index % 2 === 0 ? first : second));
  const crowd: Crowd = { connections, random: createRandom(20_261_122), visits: 0 };
  const wandering = Promise.all(readers.map(reader => wander(reader, crowd)));
  const beforeTakeover = new Map<string, string>();
  const all = (holds: (reader: Reader) => boolean, what: string) =>
    Promise.race([until(() => readers.every(holds), what), wandering]);
  const cutSomebody = () => connections[crowd.random(connections.length)]!.cut();

  for (let step = 0; step < STEPS / 2; step += 1) {
    answers[0].release(step);
    answers[1].release(step);
    cutSomebody();
    await all(({ id, text }) => {
      const index = taken.includes(id) ? 0 : 1;
      return text === answers[index].upTo(`${names.get(id)}${index}`, step);
    }, `everybody has step ${step}`);
    if (step === 0) for (const { id, cursor } of readers) beforeTakeover.set(id, cursor!);
  }

  // The first one hangs, is taken for dead, and goes on talking to those who follow there.
  await first.freeze();
  await declareDead(first);
  answers[0].release(STEPS / 2);
  cutSomebody();
  await until(() => upstreams[1].modelCalls.length === ids.length, 'the second one has taken them over');
  for (let step = STEPS / 2; step < STEPS - 1; step += 1) {
    answers[0].release(step);
    answers[1].release(step);
    cutSomebody();
  }
  await all(
    ({ id, restarts }) => restarts === (taken.includes(id) ? 1 : 0),
    'everybody knows of the takeover',
  );
  answers[1].release(STEPS - 1);
  await wandering;

  for (const { id, text, restarts, end, attempts } of readers) {
    assert.equal(text, answers[1].whole(`${names.get(id)}1`));
    assert.equal(restarts, taken.includes(id) ? 1 : 0);
    assert.deepEqual(attempts, taken.includes(id) ? [1, 2] : [1]);
    assert.equal(end.__typename, 'StreamCompleted');
    assert.equal(end.request.output, text);
  }
  assert.ok(crowd.visits > 3 * SUBSCRIBERS, `${crowd.visits} visits`);
  t.diagnostic(`${crowd.visits} visits of ${SUBSCRIBERS} subscribers`);

  // Fenced by Redis without a heartbeat; with the next one it starts anew.
  await Promise.all(upstreams[0].modelCalls.map(({ closed }) => closed));
  first.thaw();
  await until(() => first.ids.length === 2, 'the first one has come back under another id');
  const { request } = await first.ask(REQUEST, { id: taken[0] });
  const outcomes = request.attempts.map(({ outcome }: { outcome: string }) => outcome);
  assert.deepEqual(outcomes, ['LOST', 'SUCCEEDED']);
  for (const app of [first, second])
    for (const id of ids)
      assert.equal(textOf(await readStream(app, id)), answers[1].whole(`${names.get(id)}1`));
  // Who left before the takeover and comes back when all is over is told the same.
  for (const app of [first, second])
    for (const id of taken) {
      const late = createReader(id);
      late.take({
        __typename: 'TokenDelta',
        cursor: beforeTakeover.get(id),
        text: answers[0].upTo(`${names.get(id)}0`, 0),
      });
      for (const event of await readStream(app, id, late.cursor)) late.take(event);
      assert.deepEqual([late.text, late.restarts], [answers[1].whole(`${names.get(id)}1`), 1]);
    }
});
