// What workflows may ask for.

import type { WorkflowBounds } from '../domain/workflow-step-input.ts';
import { limit } from './limit.ts';
import type { Limits } from './limit-settings.ts';

const HOUR_MS = 3_600_000;

export const WORKFLOW_SETTINGS = {
  MCPLANE_WORKFLOW_MAX_STEPS: limit('workflowMaxSteps', [1, 1_000], 100, 'Steps of a workflow.'),
  MCPLANE_WORKFLOW_MAX_DEPTH: limit(
    'workflowMaxDepth',
    [1, 1_000],
    20,
    'Steps of a workflow that wait for each other in a row.',
  ),
  MCPLANE_WORKFLOW_MAX_ITEMS: limit(
    'workflowMaxItems',
    [1, 10_000],
    1_000,
    'Elements of a list that a step is run for.',
  ),
  MCPLANE_WORKFLOW_MAX_PARALLEL: limit(
    'workflowMaxParallel',
    [1, 10_000],
    256,
    'Requests of one workflow at the same time.',
  ),
  MCPLANE_WORKFLOW_MAX_DEADLINE_MS: limit(
    'workflowMaxDeadlineMs',
    [1_000, 365 * 24 * HOUR_MS],
    30 * 24 * HOUR_MS,
    'Longest deadline of a workflow that a caller may ask for.',
  ),
} as const;

/** What may be asked of a workflow. */
export function workflowBoundsOf(limits: Limits): WorkflowBounds {
  return {
    maxSteps: limits.workflowMaxSteps,
    maxDepth: limits.workflowMaxDepth,
    maxItems: limits.workflowMaxItems,
    maxParallel: limits.workflowMaxParallel,
    maxDeadlineMs: limits.workflowMaxDeadlineMs,
    maxSchemaBytes: limits.maxSchemaBytes,
    maxTemplateBytes: limits.maxPromptBytes,
  };
}
