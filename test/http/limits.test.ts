// The limits of the transports: every one is a setting, and what it is without one stands in two places.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMIT_SETTINGS } from '../../src/config/limit-settings.ts';
import { loadConfig } from '../../src/config.ts';
import { DEFAULT_HTTP_LIMITS } from '../../src/http/limits.ts';
import { httpLimits } from '../../src/wiring-http.ts';

const leaves = (value: object): number[] =>
  Object.values(value).flatMap(each => (typeof each === 'object' ? leaves(each) : [each]));

test('the transports are limited as their own defaults say when nothing is set', () => {
  assert.deepEqual(httpLimits(loadConfig({}).config), DEFAULT_HTTP_LIMITS);
});

test('no limit of the transports is out of the reach of settings', () => {
  // Each gets a number that no other has.
  const names = Object.keys(LIMIT_SETTINGS);
  const limits = Object.fromEntries(
    Object.values(LIMIT_SETTINGS).map((row, index) => [row.limit, 1_000_000 + index]),
  );

  const reached = leaves(httpLimits({ limits } as unknown as ReturnType<typeof loadConfig>['config']));

  assert.equal(new Set(reached).size, leaves(DEFAULT_HTTP_LIMITS).length);
  assert.ok(reached.every(value => value >= 1_000_000 && value < 1_000_000 + names.length));
});
