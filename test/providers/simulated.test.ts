// The simulated provider keeps the seam's contract, repeats itself exactly, and fails on demand.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { modelData } from '../../src/control/model-data.ts';
import { createPriceBook } from '../../src/control/prices.ts';
import type { ProviderCall, ProviderEvent } from '../../src/providers/provider.ts';
import { ProviderError } from '../../src/providers/provider-error.ts';
import { createSimulatedAdapter } from '../../src/providers/simulated.ts';
import { createTestClock } from '../support/clock.ts';

const adapter = createSimulatedAdapter({ delayFactor: 0 });
const never = new AbortController().signal;

function ask(prompt: string, overrides: Partial<ProviderCall> = {}): ProviderCall {
  return {
    model: 'fast',
    system: undefined,
    messages: [{ role: 'USER', content: prompt }],
    maxOutputTokens: 4_096,
    temperature: undefined,
    stop: [],
    requestId: 'request',
    ...overrides,
  };
}

/** All events, and the error that ended them. */
async function collect(call: ProviderCall, signal = never) {
  const events: ProviderEvent[] = [];
  let error: unknown;
  try {
    await adapter.stream(call, signal, event => void events.push(event));
  } catch (thrown) {
    error = thrown;
  }
  const text = events.map(event => (event.type === 'token' ? event.text : '')).join('');
  const finished = events.find(event => event.type === 'finished');
  return { events, text, finished, error };
}

describe('an answer', () => {
  test('starts, streams words and finishes with its usage', async () => {
    const { events, text, finished } = await collect(ask('How are you?'));

    assert.deepEqual(
      events.slice(0, 2).map(event => event.type),
      ['connected', 'started'],
    );
    assert.equal(events.at(-1), finished);
    assert.match(text, /^\[simulated\] You asked: “How are you\?”\./);
    assert.deepEqual(finished?.usage, {
      inputTokens: 3,
      cachedInputTokens: 0,
      cacheWriteTokens: 0,
      outputTokens: events.filter(event => event.type === 'token').length,
      estimated: false,
    });
  });

  test('is the same for the same model and messages, and another for others', async () => {
    const first = await collect(ask('one'));
    const lorem = (seedWord: string) => collect(ask(`[[words:20]] ${seedWord}`));

    assert.deepEqual(await collect(ask('one')), first);
    assert.notEqual((await collect(ask('one', { model: 'smart' }))).text, first.text);
    assert.notEqual((await lorem('a')).text, (await lorem('b')).text);
  });

  test('obeys the modes', async () => {
    assert.equal((await collect(ask('[[echo]] äöü  😀\n\nx '))).text, '[simulated] äöü  😀\n\nx ');
    assert.deepEqual(JSON.parse((await collect(ask('[[json]] say "hi"'))).text), {
      label: '[simulated]',
      model: 'fast',
      prompt: 'say "hi"',
    });
    const words = (await collect(ask('[[words:200]]'))).text.split(' ');
    assert.equal(words.length, 1 + 200);
  });

  test('ends at the limit and at a stop sequence', async () => {
    const limited = await collect(ask('[[words:50]]', { maxOutputTokens: 7 }));
    assert.equal(limited.finished?.reason.unified, 'length');
    assert.equal(limited.finished?.usage?.outputTokens, 7);

    const stopped = await collect(ask('[[echo]] one two three', { stop: ['three', ' two'] }));
    assert.equal(stopped.text, '[simulated] one');
    assert.equal(stopped.finished?.reason.unified, 'stop');
  });

  test('continues what the assistant has begun', async () => {
    const whole = (await collect(ask('Tell me more'))).text;
    const begun = whole.slice(0, 40);
    const rest = await collect(
      ask('', {
        messages: [
          { role: 'USER', content: 'Tell me more' },
          { role: 'ASSISTANT', content: begun },
        ],
      }),
    );
    assert.equal(begun + rest.text, whole);
  });

  test('cuts a word without an end into tokens of a bounded size', async () => {
    const { events, text } = await collect(ask(`[[echo]] ${'x'.repeat(1_000)}`));
    assert.equal(text, `[simulated] ${'x'.repeat(1_000)}`);
    assert.ok(events.every(event => event.type !== 'token' || event.text.length <= 13));
  });
});

describe('a scripted fault', () => {
  const refusals = [
    ['429', 'rate-limit', 429],
    ['500', 'server', 500],
    ['529', 'server', 529],
    ['401', 'credentials', 401],
    ['404', 'unknown-model', 404],
    ['422', 'bad-request', 422],
    ['connection', 'connection', undefined],
    ['context', 'context-length', 400],
    ['refusal', 'content-policy', 400],
    ['nonsense', 'bad-request', undefined],
  ] as const;
  for (const [name, fault, status] of refusals) {
    test(`${name} is thrown as ${fault} before anything is said`, async () => {
      const { events, error } = await collect(ask(`[[fail:${name}]] hello`));
      assert.ok(error instanceof ProviderError);
      assert.deepEqual([error.fault, error.status], [fault, status]);
      assert.equal(error.retryAfterMs, name === '429' ? 1_000 : undefined);
      assert.ok(events.every(event => event.type === 'connected'));
    });
  }

  for (const [name, fault] of [
    ['cut', 'truncated'],
    ['malformed', 'bad-response'],
  ] as const) {
    test(`${name} ends half of the answer as ${fault}`, async () => {
      const { text, finished, error } = await collect(ask(`[[echo]][[fail:${name}]] one two three`));
      assert.ok(error instanceof ProviderError);
      assert.equal(error.fault, fault);
      assert.equal(text, '[simulated] one');
      assert.equal(finished, undefined);
    });
  }

  test('speaks to one model only when it names it', async () => {
    const prompt = '[[fail:500@fast]] hello';
    assert.ok((await collect(ask(prompt))).error instanceof ProviderError);
    assert.equal((await collect(ask(prompt, { model: 'smart' }))).error, undefined);
  });

  test('is met by an unknown model and by a prompt that is too long', async () => {
    const faultOf = async (call: ProviderCall) => ((await collect(call)).error as ProviderError).fault;
    assert.equal(await faultOf(ask('x', { model: 'toString' })), 'unknown-model');
    assert.equal(await faultOf(ask('x'.repeat(40_000), { model: 'local' })), 'context-length');
  });
});

describe('an abort', () => {
  test('ends a wait of any kind at once, with its reason', async () => {
    for (const prompt of ['hello', '[[fail:hang]]', '[[fail:stall]]', '[[fail:slow]]']) {
      // A clock that never moves: whatever is waited for never comes by itself.
      const waiting = createSimulatedAdapter({ clock: createTestClock() });
      const controller = new AbortController();
      const reason = new Error('enough');
      const events: ProviderEvent[] = [];
      const answer = waiting.stream(ask(prompt), controller.signal, event => void events.push(event));
      assert.deepEqual(events, [{ type: 'connected' }]);
      controller.abort(reason);
      await assert.rejects(answer, reason, prompt);
    }
  });

  test('ends a stall in the middle of the answer', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const stalled = collect(ask('[[echo]][[fail:stall]] one two three'), controller.signal);
    // Without delays everything up to the stall is over after a few turns of the event loop.
    for (let turn = 0; turn < 50; turn += 1) await new Promise(resolve => setImmediate(resolve));
    controller.abort(reason);
    const { text, error } = await stalled;
    assert.equal(text, '[simulated] one');
    assert.equal(error, reason);
  });

  test('before the start throws the reason and nothing else', async () => {
    const reason = new Error('enough');
    const { events, error } = await collect(ask('hello'), AbortSignal.abort(reason));
    assert.deepEqual(events, []);
    assert.equal(error, reason);
  });
});

test('takes the time that its model takes', async () => {
  const clock = createTestClock();
  const paced = createSimulatedAdapter({ clock });
  const arrivals: number[] = [];
  const reading = paced.stream(ask('[[words:90]]'), never, event => {
    if (event.type === 'token') arrivals.push(clock.monotonic());
  });
  let over = false;
  void reading.then(() => (over = true));
  while (!over) {
    clock.advance(1);
    await new Promise(resolve => setImmediate(resolve));
  }

  const [first = 0] = arrivals;
  const lengthMs = arrivals.at(-1)! - first;
  assert.ok(first > 40 && first < 400, `first token after ${first} ms`);
  assert.ok(lengthMs > 700 && lengthMs < 1_500, `90 words at 90 a second took ${lengthMs} ms`);
});

test('lists models of which price, size and quality are known', async () => {
  const prices = createPriceBook();
  const models = await adapter.listModels(never);
  assert.deepEqual(
    models.map(model => model.model),
    ['fast', 'smart', 'local'],
  );
  for (const { model, contextWindow, maxOutputTokens } of models) {
    const { capabilities } = modelData('simulated', model);
    assert.deepEqual(
      [capabilities.contextWindow, capabilities.maxOutputTokens],
      [contextWindow, maxOutputTokens],
      model,
    );
    assert.equal(prices.priceOf('simulated', model, new Date())?.source, 'simulated');
  }
});
