// Who is turned away, by which limit.

import { Counter, Gauge, type Registry } from 'prom-client';

export interface LimitMetrics {
  /** By the name that the limit has among the settings. */
  refused(limit: string): void;
  /** Whether this instance judges the limits of callers alone although there is a Redis. */
  insured(isInsured: boolean): void;
}

export function createLimitMetrics(registry: Registry): LimitMetrics {
  const registers = [registry];
  const refusals = new Counter({
    name: 'mcplane_limit_refusals_total',
    help: 'What was refused because its caller was over a limit, by the limit.',
    labelNames: ['limit'],
    registers,
  });
  const insured = new Gauge({
    name: 'mcplane_limits_insured',
    help: '1 while Redis does not answer in time and this instance lets in its own share of the limits of callers.',
    registers,
  });
  return {
    refused: limit => refusals.inc({ limit }),
    insured: isInsured => insured.set(isInsured ? 1 : 0),
  };
}
