// Between domain objects and jsonb columns. JSON has neither bigint nor Date nor undefined: bigint travels as a
// decimal string, Date in ISO 8601, and what was undefined is named again when it is read.

import type { RequestSpec } from '../domain/request.ts';
import type { RoutingDecision } from '../domain/routing.ts';

/** JSON text for a jsonb column; null (SQL) for undefined. */
export function toJson(value: unknown): string | null {
  if (value === undefined) return null;
  const json = stringify(value);
  // JSON escapes what Postgres cannot hold, so that its text tells at once whether there is any.
  return json.includes('\\u') ? JSON.stringify(value, storable) : json;
}

/** Without a function that is called for every value, unless there is a bigint left, which JSON refuses. */
function stringify(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return JSON.stringify(value, bigintAsText);
  }
}

function bigintAsText(_key: string, inner: unknown): unknown {
  return typeof inner === 'bigint' ? inner.toString() : inner;
}

function storable(key: string, inner: unknown): unknown {
  return typeof inner === 'string' ? storableText(inner) : bigintAsText(key, inner);
}

/**
 * Text as Postgres can hold it: it refuses NUL and lone surrogates, and a model may well answer with them.
 * The terminal write of a request must not fail for that, so each becomes U+FFFD, the replacement character.
 */
export function storableText(text: string): string {
  return (text.includes('\0') ? text.replaceAll('\0', '\uFFFD') : text).toWellFormed();
}

/** The spec as JSON holds it. */
type StoredSpec = Omit<RequestSpec, 'outputSchema'> & { readonly outputSchema?: string };

/** jsonb puts the members of an object in an order of its own, but models answer in the order of their schema. */
export function specAsJson(spec: RequestSpec): RequestSpec | StoredSpec {
  const { outputSchema } = spec;
  return outputSchema === undefined ? spec : { ...spec, outputSchema: JSON.stringify(outputSchema) };
}

export function specFromJson(json: unknown): RequestSpec {
  const stored = json as StoredSpec;
  return {
    messages: stored.messages,
    system: stored.system,
    taskType: stored.taskType,
    model: stored.model,
    strategy: stored.strategy,
    preferLocal: stored.preferLocal,
    priority: stored.priority,
    maxOutputTokens: stored.maxOutputTokens,
    temperature: stored.temperature,
    stop: stored.stop,
    outputSchema: stored.outputSchema === undefined ? undefined : JSON.parse(stored.outputSchema),
    buffered: stored.buffered ?? false,
    deadlines: stored.deadlines,
    metadata: stored.metadata,
    workflow: stored.workflow,
    step: stored.step,
  };
}

/** The decision as JSON holds it. */
interface StoredDecision extends Omit<RoutingDecision, 'candidates' | 'runnerUp' | 'decidedAt'> {
  readonly candidates: readonly WithStoredCost<RoutingDecision['candidates'][number]>[];
  readonly runnerUp?: WithStoredCost<NonNullable<RoutingDecision['runnerUp']>>;
  readonly decidedAt: string;
}

type WithStoredCost<Value> = Omit<Value, 'estimatedCostNanoUsd'> & { readonly estimatedCostNanoUsd?: string };

function withCost<Value extends { readonly estimatedCostNanoUsd?: string }>(stored: Value) {
  const { estimatedCostNanoUsd: text } = stored;
  return { ...stored, estimatedCostNanoUsd: text === undefined ? undefined : BigInt(text) };
}

function costAsText<Value extends { readonly estimatedCostNanoUsd: bigint | undefined }>(value: Value) {
  return { ...value, estimatedCostNanoUsd: value.estimatedCostNanoUsd?.toString() };
}

/** The decision with its bigints as text. */
export function routingAsJson(decision: RoutingDecision | undefined): object | undefined {
  return (
    decision && {
      ...decision,
      candidates: decision.candidates.map(costAsText),
      runnerUp: decision.runnerUp && costAsText(decision.runnerUp),
    }
  );
}

export function routingFromJson(json: unknown): RoutingDecision | undefined {
  if (json == null) return undefined;
  const stored = json as StoredDecision;
  return {
    ...stored,
    candidates: stored.candidates.map(withCost),
    chosen: stored.chosen,
    draw: stored.draw,
    // Decisions of earlier versions had no draw.
    drawn: stored.drawn ?? [],
    runnerUp: stored.runnerUp && withCost(stored.runnerUp),
    decidedAt: new Date(stored.decidedAt),
  };
}
