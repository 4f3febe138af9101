// mollitia 0.1.1 has defects that matter to a gateway. One test or more for each shows that the wrapper contains it;
// the comment above names what the library does by itself.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { BreakerError, Circuit, circuits, modules } from 'mollitia';
import { DEFAULT_BREAKER_RULES } from '../../src/domain/breaker-rules.ts';
import { BreakerRefusedError, createBreakers } from '../../src/gateway/breakers.ts';
import { DeploymentBreaker } from '../../src/gateway/deployment-breaker.ts';
import { fail, ID, mockedClock, mockTime, overloaded, setUp, state, succeed } from './breaker-setup.ts';

// 1. `close()` leaves the timer of the open state running.
test('a reset breaker stays closed when the old open time is over', t => {
  const { breakers, tick, changes } = setUp(t);
  fail(breakers, 5);

  breakers.reset(ID, 'fixed');
  tick(3_600_000);

  assert.equal(state(breakers), 'CLOSED');
  assert.deepEqual(changes(), ['CLOSED>OPEN', 'OPEN>CLOSED']);
});

test('a breaker that opened again after a reset keeps the new open time, not the old one', t => {
  const { breakers, tick } = setUp(t);
  fail(breakers, 5);
  tick(3_000);
  breakers.reset(ID, 'fixed');
  fail(breakers, 5);

  tick(4_999);
  assert.equal(state(breakers), 'OPEN');
  tick(1);
  assert.equal(state(breakers), 'HALF_OPEN');
});

// 2. `execute()` awaits its state and then overwrites what happened meanwhile.
test('a reset in the same turn as a call is not lost', async t => {
  const { breakers } = setUp(t);
  fail(breakers, 4);
  const permit = breakers.acquire(ID);

  permit.fail(overloaded);
  breakers.reset(ID, 'fixed');
  const next = breakers.acquire(ID);
  await Promise.resolve();

  assert.equal(state(breakers), 'CLOSED');
  next.fail(overloaded);
  assert.equal(breakers.snapshot(ID).failures, 1);
});

test('admission is decided in the same turn: a second probe is refused before the first has begun', t => {
  const { breakers, tick } = setUp(t);
  fail(breakers, 5);
  tick(5_000);

  const admitted = Array.from({ length: 10 }, () => {
    try {
      return breakers.acquire(ID);
    } catch {
      return undefined;
    }
  });

  assert.equal(admitted.filter(Boolean).length, 1);
});

// 3. A probe that hangs keeps the circuit half-open for ever.
test('a probe that hangs for longer than its limit opens the circuit again', t => {
  const { breakers, tick } = setUp(t);
  fail(breakers, 5);
  tick(5_000);
  const hanging = breakers.acquire(ID);

  tick(60_000);
  assert.equal(state(breakers), 'OPEN');
  assert.equal(breakers.snapshot(ID).lastError, 'The probe took too long.');

  tick(10_000);
  assert.equal(breakers.admits(ID), true);
  hanging.succeed();
  succeed(breakers, 1);
  assert.equal(state(breakers), 'HALF_OPEN', 'what the hanging probe brings in the end does not count');
});

test('a long probe that shows life is not a hanging one', t => {
  const { breakers, tick } = setUp(t);
  fail(breakers, 5);
  tick(5_000);
  const probe = breakers.acquire(ID);

  for (let minute = 0; minute < 5; minute += 1) {
    tick(30_000);
    probe.alive();
    tick(30_000);
  }
  assert.equal(state(breakers), 'HALF_OPEN');

  probe.succeed();
  succeed(breakers, 1);
  assert.equal(state(breakers), 'CLOSED');
});

test('half-open without traffic stays half-open', t => {
  const { breakers, tick, changes } = setUp(t);
  fail(breakers, 5);
  tick(5_000);

  tick(24 * 3_600_000);

  assert.deepEqual(changes(), ['CLOSED>OPEN', 'OPEN>HALF_OPEN']);
  assert.equal(breakers.admits(ID), true);
});

// 4. Results of calls begun while closed land in the half-open window, whose check for equality is then missed.
test('what ends after the state changed does not count, whatever the state is by then', t => {
  const { breakers, tick, changes } = setUp(t);
  const old = Array.from({ length: 6 }, () => breakers.acquire(ID));
  fail(breakers, 5);

  old[0]!.succeed();
  old[1]!.fail(overloaded);
  tick(5_000);
  old[2]!.fail(overloaded);
  old[3]!.succeed();
  old[4]!.succeed();
  assert.equal(state(breakers), 'HALF_OPEN', 'neither opened nor closed by calls that are no probes');

  succeed(breakers, 2);
  old[5]!.fail(overloaded);
  assert.equal(breakers.snapshot(ID).failures, 0);
  assert.deepEqual(changes(), ['CLOSED>OPEN', 'OPEN>HALF_OPEN', 'HALF_OPEN>CLOSED']);
});

// 5. `onError: () => false` records a success.
test('cancelled probes neither close nor open the circuit, and hand their slot back', t => {
  const { breakers, tick } = setUp(t);
  fail(breakers, 5);
  tick(5_000);

  for (let cancelled = 0; cancelled < 10; cancelled += 1) breakers.acquire(ID).ignore();

  assert.equal(state(breakers), 'HALF_OPEN');
  assert.equal(breakers.admits(ID), true);
});

test('ignored calls leave no trace while closed: they dilute no rate and break no row of failures', t => {
  const { breakers } = setUp(t);
  fail(breakers, 4);

  for (let cancelled = 0; cancelled < 50; cancelled += 1) breakers.acquire(ID).ignore();
  assert.equal(breakers.snapshot(ID).calls, 4);

  fail(breakers, 1);
  assert.equal(state(breakers), 'OPEN');
});

// 6. An error of the library is not an instance of its own class.
test('a refusal is an instance of its class and of the library class, in both states that refuse', t => {
  const { breakers, tick } = setUp(t);
  const refusal = () => {
    try {
      breakers.acquire(ID);
    } catch (error) {
      return error;
    }
  };
  fail(breakers, 5);
  const open = refusal();
  tick(5_000);
  breakers.acquire(ID);
  const halfOpen = refusal();

  for (const error of [open, halfOpen]) {
    assert.ok(error instanceof BreakerRefusedError);
    assert.ok(error instanceof BreakerError);
    assert.equal(error.name, 'BreakerRefusedError');
  }
  assert.equal((halfOpen as BreakerRefusedError).state, 'HALF_OPEN');
});

// 7. A threshold of 100 % switches the breaker off, and a synchronous throw uses up a half-open slot.
test('a threshold of 100 % opens when all calls failed', t => {
  const { breakers } = setUp(t, { failureRate: 1, consecutiveFailures: 1_000 });

  fail(breakers, 9);
  assert.equal(state(breakers), 'CLOSED');
  fail(breakers, 1);

  assert.equal(state(breakers), 'OPEN');
});

test('a probe that throws before it began hands its slot back', async t => {
  const tick = mockTime(t);
  const deps = { clock: mockedClock, random: () => 0, onChange: () => {} };
  const breaker = new DeploymentBreaker(ID, DEFAULT_BREAKER_RULES, deps);
  const throwing = () => {
    throw new RangeError('no call was made');
  };
  const circuit = new Circuit({ func: throwing, options: { modules: [breaker] } });
  breaker.condemn('down');
  tick(5_000);

  await assert.rejects(circuit.execute(), RangeError);
  await assert.rejects(circuit.execute(), RangeError);

  assert.equal(breaker.current, 'HALF_OPEN');
  assert.equal(breaker.admits(), true);
});

// 8. `off()` keeps the first listener, disposables remove a wrong one, and a listener that throws ends the process.
test('a listener that throws harms neither the others nor the breaker', t => {
  mockTime(t);
  const errors: unknown[] = [];
  const seen: string[] = [];
  const breakers = createBreakers(
    {},
    {
      clock: mockedClock,
      onTransition: () => {
        throw new Error('listener');
      },
      onListenerError: error => errors.push(error),
    },
  );
  breakers.onTransition(({ to }) => seen.push(to));

  fail(breakers, 5);

  assert.equal(state(breakers), 'OPEN');
  assert.deepEqual(seen, ['OPEN']);
  assert.equal(errors.length, 1);
});

test('each listener is taken away by its own function, the first one too', t => {
  const { breakers } = setUp(t);
  const seen: string[] = [];
  const stops = ['first', 'second', 'third'].map(name => breakers.onTransition(() => seen.push(name)));

  stops[0]!();
  stops[0]!();
  stops[2]!();
  fail(breakers, 5);

  assert.deepEqual(seen, ['second']);
});

// 9. Timers keep the process alive, and the library remembers every circuit and module for ever.
test('a process with an open breaker and a probe under way ends at once', () => {
  const program = `
    import { createBreakers } from './src/gateway/breakers.ts';
    import { systemClock } from './src/lib/clock.ts';
    const breakers = createBreakers({}, { clock: systemClock, onTransition: () => { throw new Error('listener'); } });
    breakers.openProvider(['a/open', 'a/probed'], 'down');
    breakers.probeEarly('a/probed');
    breakers.acquire('a/probed');
    process.on('exit', () => console.log(breakers.snapshot('a/open').state, breakers.snapshot('a/probed').state));
  `;
  const startedAtMs = performance.now();

  const child = spawnSync(process.execPath, ['--input-type=module-typescript', '--eval', program], {
    encoding: 'utf8',
    timeout: 30_000,
  });

  assert.equal(child.stderr, '');
  assert.equal(child.stdout, 'OPEN HALF_OPEN\n');
  assert.equal(child.status, 0);
  assert.ok(performance.now() - startedAtMs < 4_000, 'the open time alone would be 5 s');
});

test('one circuit and one module for each deployment, however many calls there are', t => {
  const { breakers, tick } = setUp(t);
  const before = [circuits.length, modules.length] as const;

  succeed(breakers, 1_000);
  fail(breakers, 5);
  tick(5_000);
  breakers.reset(ID, 'fixed');
  succeed(breakers, 1, 'openai/other');

  assert.deepEqual([circuits.length, modules.length], [before[0] + 2, before[1] + 2]);
});

// 10. `circuit.fn(f)` changes the function for calls that are prepared already.
test('calls that run at the same time each have an outcome of their own', t => {
  const { breakers } = setUp(t);

  const first = breakers.acquire(ID);
  const second = breakers.acquire(ID);
  second.fail(overloaded);
  first.succeed();

  const { calls, failures } = breakers.snapshot(ID);
  assert.deepEqual([calls, failures], [2, 1]);
});

// A promise-only library judges a whole stream: the call lasts until the permit is settled.
test('a call runs inside the circuit until its permit is settled', async t => {
  const { breakers } = setUp(t);
  const permit = breakers.acquire(ID);
  const circuit = circuits.at(-1)!;
  let running: Promise<unknown> | undefined;
  circuit.on('execute', (_circuit, call) => {
    running = call;
  });
  permit.ignore();

  const observed = breakers.acquire(ID);
  const order: string[] = [];
  const ended = running!.then(() => order.push('circuit'));
  order.push('permit');
  observed.succeed();
  await ended;

  assert.deepEqual(order, ['permit', 'circuit']);
});
