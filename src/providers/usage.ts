// What providers report as usage, made ours: every number checked, none negative, the cached part inside the input.
// Undefined means that the report cannot be used and the gateway must estimate.

import type { Usage } from '../domain/usage.ts';

export interface ReportedUsage {
  /** All input tokens, cached ones included. */
  readonly input: unknown;
  readonly cached?: unknown;
  readonly cacheWrite?: unknown;
  readonly output: unknown;
}

/** No context window comes near; a larger figure is a defect and would be billed. */
const MAX_TOKENS = 100_000_000;

export function toUsage(
  { input, cached, cacheWrite, output }: ReportedUsage,
  hasText: boolean,
): Usage | undefined {
  if (!isCount(input) || !isCount(output)) return undefined;
  // A prompt has tokens, and so has an answer that we hold in hands: zero is "not counted".
  if (input === 0 || (output === 0 && hasText)) return undefined;
  const cachedInputTokens = isCount(cached) ? Math.min(cached, input) : 0;
  const cacheWriteTokens = isCount(cacheWrite) ? Math.min(cacheWrite, input - cachedInputTokens) : 0;
  return { inputTokens: input, cachedInputTokens, cacheWriteTokens, outputTokens: output, estimated: false };
}

export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_TOKENS;
}
