// The rules of the breakers: for all deployments as settings, and under the same names for one provider or deployment.

import { z } from 'zod';
import type { ProviderSettings } from '../control/catalog.ts';
import { type BreakerRules, DEFAULT_BREAKER_RULES } from '../domain/breaker-rules.ts';
import { type Setting, setting } from './setting.ts';
import { decimal, integer } from './values.ts';

const DAY_MS = 86_400_000;

interface RuleSetting extends Setting<number, number> {
  readonly rule: keyof BreakerRules;
}

function rule(name: keyof BreakerRules, kind: z.ZodType<number>, description: string): RuleSetting {
  return {
    ...setting(`routing.breaker.${name}`, kind, DEFAULT_BREAKER_RULES[name], description),
    rule: name,
  };
}

export const BREAKER_SETTINGS = {
  MCPLANE_BREAKER_CONSECUTIVE_FAILURES: rule(
    'consecutiveFailures',
    integer(1, 1_000),
    'A circuit breaker opens after so many failures in a row.',
  ),
  MCPLANE_BREAKER_FAILURE_RATE: rule(
    'failureRate',
    decimal(0.01, 1),
    'It opens when this share of the calls in its window failed, 0.01 to 1.',
  ),
  MCPLANE_BREAKER_MINIMUM_CALLS: rule(
    'minimumCalls',
    integer(1, 1_000),
    'Calls it must have seen before it judges by the share; at most the window.',
  ),
  MCPLANE_BREAKER_WINDOW_SIZE: rule('windowSize', integer(1, 1_000), 'Calls in its window.'),
  MCPLANE_BREAKER_OPEN_FOR_MS: rule(
    'openForMs',
    integer(1, DAY_MS),
    'How long it stays open the first time; doubles each time that it opens again.',
  ),
  MCPLANE_BREAKER_MAX_OPEN_FOR_MS: rule(
    'maxOpenForMs',
    integer(1, DAY_MS),
    'The longest that it stays open before the next probe.',
  ),
  MCPLANE_BREAKER_OPEN_JITTER: rule(
    'openJitter',
    decimal(0, 1),
    'Share of the open time that chance may take off, so that instances do not probe in step.',
  ),
  MCPLANE_BREAKER_SOUND_AFTER_MS: rule(
    'soundAfterMs',
    integer(0, DAY_MS),
    'Closed for so long, its next open time is the first one again.',
  ),
  MCPLANE_BREAKER_SUCCESSES_TO_CLOSE: rule(
    'successesToClose',
    integer(1, 100),
    'Probes in a row that must succeed before it closes.',
  ),
  MCPLANE_BREAKER_PROBE_MAX_MS: rule(
    'probeMaxMs',
    integer(1, DAY_MS),
    'A probe without a sign of life for so long has failed.',
  ),
} as const;

type RuleName = keyof typeof BREAKER_SETTINGS;
const ROWS = Object.entries(BREAKER_SETTINGS) as [RuleName, RuleSetting][];

/** Some of the rules, as a provider or a deployment in the file has them. */
export function breakerSchema(group: { readonly error: string }): z.ZodType<Partial<BreakerRules>> {
  return z.strictObject(
    Object.fromEntries(ROWS.map(([, { rule: name, kind }]) => [name, kind.exactOptional()])),
    group,
  );
}

/** The rules of all deployments that have none of their own. */
export function toBreakerRules(values: Readonly<Record<RuleName, number>>): BreakerRules {
  const rules = ROWS.map(([name, row]) => [row.rule, values[name]]);
  return Object.fromEntries(rules) as unknown as BreakerRules;
}

/** The rules of each deployment, also of one that is not offered yet: its own, then its provider's, then those of all. */
export function breakerRulesOf(
  forAll: BreakerRules,
  providers: readonly Pick<ProviderSettings, 'id' | 'breaker' | 'models'>[],
): (deploymentId: string) => BreakerRules {
  const byId = new Map(providers.map(provider => [provider.id, provider]));
  return deploymentId => {
    const slash = deploymentId.indexOf('/');
    const provider = byId.get(deploymentId.slice(0, slash));
    const own = provider?.models.find(({ model }) => model === deploymentId.slice(slash + 1));
    return { ...forAll, ...provider?.breaker, ...own?.breaker };
  };
}

/** What is wrong with rules that are each right by themselves; undefined: nothing. */
export function contradictionIn(rules: BreakerRules): string | undefined {
  const { minimumCalls, windowSize, openForMs, maxOpenForMs } = rules;
  if (minimumCalls > windowSize)
    return `minimumCalls (${minimumCalls}) is more than windowSize (${windowSize})`;
  if (openForMs > maxOpenForMs) return `openForMs (${openForMs}) is more than maxOpenForMs (${maxOpenForMs})`;
  return undefined;
}
