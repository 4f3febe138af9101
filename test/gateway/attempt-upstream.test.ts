// The same attempts through a real adapter against a scripted provider on a real socket: what the breaker is told,
// and that the provider sees its connection close.

import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { DEFAULT_DEADLINES } from '../../src/domain/model.ts';
import { type AttemptFailed, type AttemptResult, runAttempt } from '../../src/gateway/attempt.ts';
import { createBreakers } from '../../src/gateway/breakers.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createOpenAIAdapter } from '../../src/providers/openai.ts';
import {
  comment,
  cut,
  endless,
  errorEvent,
  type Script,
  type Step,
  stall,
  startUpstream,
  status,
  text,
  type Upstream,
  withoutEnd,
} from '../support/upstream.ts';
import { CALL, ID } from './attempt-setup.ts';

interface Outcome {
  readonly result: AttemptResult;
  readonly told: 'success' | 'failure' | 'nothing';
  readonly upstream: Upstream;
}

async function attempt(
  t: TestContext,
  script: Script | readonly Step[],
  options: {
    deadlines?: Partial<typeof DEFAULT_DEADLINES>;
    signal?: AbortSignal;
    onToken?: () => void;
    onStarted?: () => void;
  } = {},
): Promise<Outcome> {
  const upstream = await startUpstream(t);
  upstream.enqueue(script);
  const adapter = createOpenAIAdapter({ baseUrl: `${upstream.url}/v1`, apiKey: 'sk-test' });
  t.after(() => adapter.close());
  const breakers = createBreakers({}, { clock: systemClock });
  const result = await runAttempt({
    adapter,
    call: CALL,
    permit: breakers.acquire(ID),
    deadlines: { ...DEFAULT_DEADLINES, ...options.deadlines },
    endsAtMs: systemClock.monotonic() + 20_000,
    signal: options.signal ?? new AbortController().signal,
    clock: systemClock,
    maxOutputBytes: 1_000,
    onToken: options.onToken ?? (() => {}),
    onStarted: options.onStarted,
  });
  const { calls, failures } = breakers.snapshot(ID);
  return { result, told: calls === 0 ? 'nothing' : failures > 0 ? 'failure' : 'success', upstream };
}

test('a complete answer is a success', async t => {
  const { result, told } = await attempt(t, [text('Hello'), text(' there')]);

  assert.equal(result.outcome, 'succeeded');
  assert.equal(result.textLength, 'Hello there'.length);
  assert.ok(result.timeToFirstTokenMs! <= result.durationMs);
  assert.equal(told, 'success');
});

const FAULTS: Record<string, [Script | readonly Step[], string, 'failure' | 'nothing']> = {
  'status 400': [status(400), 'PROVIDER_FAILED', 'nothing'],
  'status 401': [status(401), 'PROVIDER_FAILED', 'failure'],
  'status 404': [status(404), 'PROVIDER_FAILED', 'nothing'],
  'status 422': [status(422), 'PROVIDER_FAILED', 'nothing'],
  'status 429': [status(429, { 'retry-after': '2' }), 'PROVIDER_FAILED', 'nothing'],
  'status 500': [status(500), 'PROVIDER_FAILED', 'failure'],
  'status 503': [status(503), 'PROVIDER_FAILED', 'failure'],
  'a connection reset before the headers': [{ before: 'reset' }, 'PROVIDER_FAILED', 'failure'],
  'an answer cut in the middle': [[text('Hel'), cut()], 'STREAM_TRUNCATED', 'failure'],
  'an answer without its end marker': [[text('Hel'), withoutEnd()], 'STREAM_TRUNCATED', 'failure'],
  'an error event in the middle': [[text('Hel'), errorEvent('server_error')], 'PROVIDER_FAILED', 'failure'],
  'an endless answer': [[endless(text('and so on '))], 'BAD_RESPONSE', 'failure'],
};

for (const [name, [script, code, expected]] of Object.entries(FAULTS)) {
  test(`${name}: ${code}, and the breaker is told of ${expected}`, async t => {
    const { result, told } = await attempt(t, script);

    assert.equal(result.outcome, 'failed');
    assert.equal((result as AttemptFailed).code, code);
    assert.equal(told, expected);
  });
}

test('a provider that accepts and never answers is left at the first-token deadline', async t => {
  const { result, told, upstream } = await attempt(
    t,
    { before: 'never' },
    { deadlines: { firstTokenMs: 80 } },
  );

  assert.equal((result as AttemptFailed).code, 'TIMEOUT');
  assert.equal(told, 'failure');
  await upstream.requests[0]?.closed;
});

test('a provider that stalls while it sends keep-alives is left at the idle deadline', async t => {
  const steps = [text('Hel'), comment(), comment(), stall()];
  const { result, told, upstream } = await attempt(t, steps, { deadlines: { idleMs: 80 } });

  assert.equal((result as AttemptFailed).code, 'STREAM_STALLED');
  assert.equal(told, 'failure');
  await upstream.requests[0]?.closed;
});

test('a cancelled call closes the connection within 100 ms and is not counted', async t => {
  const caller = new AbortController();
  let cancelledAtMs = 0;
  const { result, told, upstream } = await attempt(t, [text('Hel'), stall()], {
    signal: caller.signal,
    onToken() {
      cancelledAtMs = performance.now();
      caller.abort();
    },
  });

  assert.equal(result.outcome, 'cancelled');
  assert.equal(told, 'nothing');
  const closedAtMs = await upstream.requests[0]!.closed;
  assert.ok(closedAtMs - cancelledAtMs < 100, `${closedAtMs - cancelledAtMs} ms`);
});

test('an endless answer is cut and its connection closed', async t => {
  const { result, upstream } = await attempt(t, [endless(text('and so on '))]);

  assert.ok(result.textLength <= 1_000);
  await upstream.requests[0]?.closed;
});

test('a call that is cancelled before its first token had been accepted, or not', async t => {
  const begun = new AbortController();
  const steps = [text(''), stall()];
  const accepted = await attempt(t, steps, { signal: begun.signal, onStarted: () => begun.abort() });
  const refused = await attempt(t, status(500));

  assert.deepEqual([accepted.result.outcome, accepted.result.accepted], ['cancelled', true]);
  assert.equal(refused.result.accepted, false);
});
