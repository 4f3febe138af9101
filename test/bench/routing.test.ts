// What the simulation must show of routing, for several seeds. The figures are exact: time is virtual.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Summary } from '../../bench/routing/report.ts';
import { BASELINES, OURS, type Strategy } from '../../bench/routing/strategies.ts';
import { compare } from '../../bench/routing.ts';

for (const seed of [1, 2, 3]) {
  const summaries = compare(seed);
  const of = (strategy: Strategy): Summary => summaries.find(each => each.strategy === strategy)!;
  const ours = OURS.map(of);

  test(`every request is served, through the outage too (seed ${seed})`, () => {
    for (const { strategy, successRate } of ours)
      assert.ok(successRate >= 0.999, `${strategy} ${successRate}`);
  });

  test(`PERFORMANCE is at least twice as quick as round-robin and random (seed ${seed})`, () => {
    const { p95Ms } = of('PERFORMANCE');
    for (const name of ['round-robin', 'random'] as const)
      assert.ok(p95Ms < of(name).p95Ms / 2, `${name} ${p95Ms}`);
    assert.ok(p95Ms <= of('least-latency').p95Ms, `${p95Ms}`);
  });

  test(`COST is cheaper than all others, and than the baselines by half (seed ${seed})`, () => {
    const { usdPerThousand } = of('COST');
    for (const other of summaries)
      if (other.strategy !== 'COST') assert.ok(usdPerThousand < other.usdPerThousand, other.strategy);
    for (const name of BASELINES) assert.ok(usdPerThousand < of(name).usdPerThousand / 2, name);
  });

  test(`BALANCED is quicker and cheaper than round-robin and random (seed ${seed})`, () => {
    const { p95Ms, usdPerThousand } = of('BALANCED');
    for (const name of ['round-robin', 'random'] as const)
      assert.ok(p95Ms < of(name).p95Ms && usdPerThousand < of(name).usdPerThousand, name);
  });

  test(`a deployment that refuses at once attracts nobody (seed ${seed})`, () => {
    for (const { strategy, shares } of ours)
      assert.ok(shares['refusing/medium']! < 0.05, `${strategy} ${shares['refusing/medium']}`);
  });

  test(`a slow replica gets next to nothing (seed ${seed})`, () => {
    for (const { strategy, shares } of ours)
      assert.ok(shares['usual-replica/medium']! < 0.02, `${strategy} ${shares['usual-replica/medium']}`);
  });

  test(`a dead deployment gets probes only, and its traffic back within one open period (seed ${seed})`, () => {
    for (const { strategy, fragile } of ours) {
      assert.ok(fragile.during < 0.05, `${strategy} ${JSON.stringify(fragile)}`);
      assert.ok(fragile.after > fragile.before / 2, `${strategy} ${JSON.stringify(fragile)}`);
    }
  });
}

test('the same seed gives the same figures', () => {
  assert.deepEqual(compare(1), compare(1));
});
