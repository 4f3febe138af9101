// What providers report as usage, made ours: every number checked, none negative, the cached part inside the input.
// Undefined means that the report cannot be used and the gateway must estimate.

import type { InputUsage, Usage } from '../domain/usage.ts';

export interface ReportedUsage {
  /** All input tokens, cached ones included. */
  readonly input: unknown;
  readonly cached?: unknown;
  readonly cacheWrite?: unknown;
  readonly output: unknown;
}

/** No context window comes near; a larger figure is a defect and would be billed. */
const MAX_TOKENS = 100_000_000;

export function toUsage({ output, ...prompt }: ReportedUsage, hasText: boolean): Usage | undefined {
  const input = toInputUsage(prompt);
  // An answer that we hold in hands has tokens: zero is "not counted".
  if (!input || !isCount(output) || (output === 0 && hasText)) return undefined;
  return { ...input, outputTokens: output, estimated: false };
}

/** The part that a provider may know before it has answered. */
export function toInputUsage({
  input,
  cached,
  cacheWrite,
}: Omit<ReportedUsage, 'output'>): InputUsage | undefined {
  // A prompt has tokens: zero is "not counted".
  if (!isCount(input) || input === 0) return undefined;
  const cachedInputTokens = isCount(cached) ? Math.min(cached, input) : 0;
  const cacheWriteTokens = isCount(cacheWrite) ? Math.min(cacheWrite, input - cachedInputTokens) : 0;
  return { inputTokens: input, cachedInputTokens, cacheWriteTokens };
}

export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_TOKENS;
}
