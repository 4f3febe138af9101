// From the configuration to workflows: they run on the gateway, and the gateway runs them.

import { workflowBoundsOf } from './config/workflow-settings.ts';
import type { Config } from './config.ts';
import { newId } from './domain/ids.ts';
import type { Gateway } from './gateway/gateway.ts';
import { systemClock } from './lib/clock.ts';
import type { Store } from './store/store.ts';
import type { Log } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { redactorOf } from './wiring.ts';
import { createWorkflows, type Workflows } from './workflows/workflows.ts';

interface WorkflowsParts {
  readonly store: Store;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly gateway: () => Gateway;
}

export function openWorkflows(config: Config, { store, log, metrics, gateway }: WorkflowsParts): Workflows {
  const { limits } = config;
  return createWorkflows({
    store,
    log,
    clock: systemClock,
    gateway,
    steps: () => gateway().steps,
    bounds: workflowBoundsOf(limits),
    maxPromptBytes: limits.maxPromptBytes,
    redact: redactorOf(config),
    newId,
    onStepEnded: metrics.stepEnded,
  });
}
