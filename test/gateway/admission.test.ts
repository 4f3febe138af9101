import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAdmission } from '../../src/gateway/admission.ts';

test('runs up to its limit, then lets wait, then refuses with OVERLOADED', () => {
  const admission = createAdmission({ maxRunning: 1, maxQueued: 1 });
  assert.equal(admission.enter(), 'running');
  assert.equal(admission.enter(), 'queued');
  assert.throws(() => admission.enter(), { code: 'OVERLOADED', retryAfterMs: 1_000 });
  assert.deepEqual(admission.load(), { running: 1, queued: 1 });
});

test('starts the higher priority first, and equals in order of arrival', () => {
  const admission = createAdmission({ maxRunning: 1, maxQueued: 10 });
  const started: string[] = [];
  admission.enter();
  for (const [id, priority] of [
    ['low', 10],
    ['first', 50],
    ['second', 50],
    ['high', 90],
  ] as const) {
    assert.equal(admission.enter(), 'queued');
    admission.wait(id, priority, () => started.push(id));
  }
  for (let index = 0; index < 4; index += 1) admission.leave();
  assert.deepEqual(started, ['high', 'first', 'second', 'low']);
});

test('a newcomer never overtakes those who wait', () => {
  const admission = createAdmission({ maxRunning: 1, maxQueued: 10 });
  admission.enter();
  admission.enter();
  admission.leave();
  // One place is free, but one request holds a waiting place and is about to be put in line.
  assert.equal(admission.enter(), 'queued');
});

test('a withdrawn request does not start and its place is free again', () => {
  const admission = createAdmission({ maxRunning: 1, maxQueued: 1 });
  admission.enter();
  admission.enter();
  admission.wait('r1', 50, () => assert.fail('it was withdrawn'));
  assert.equal(admission.withdraw('r1'), true);
  assert.equal(admission.withdraw('r1'), false);
  admission.leave();
  assert.deepEqual(admission.load(), { running: 0, queued: 0 });
});
