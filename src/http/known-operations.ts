// Operations that came before and may run at once when they come again: their document is parsed, within the limits and
// valid, and callers of the same role were let in. What depends on variables is checked each time, when they run.

import type { DocumentNode, GraphQLSchema, OperationDefinitionNode } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Actor } from '../domain/access.ts';
import type { IsAdmitted } from '../graphql/auth-memory.ts';
import { type StreamSelection, streamSelectionOf } from '../graphql/stream-selection.ts';
import type { OperationParams } from './pipeline.ts';

export interface KnownOperation {
  readonly document: DocumentNode;
  readonly node: OperationDefinitionNode;
  readonly rootFields: readonly string[];
  /** For the events of a token stream; undefined: all of them are executed. */
  readonly selection: StreamSelection | undefined;
}

export interface KnownOperations {
  /** Its document was parsed and checked before, and is still remembered. */
  has(params: OperationParams): boolean;
  /** Undefined: it has to pass the plugins. */
  find(params: OperationParams, actor: Actor | null): KnownOperation | undefined;
  /** One that passed the checks of its document. */
  add(params: OperationParams, operation: Omit<KnownOperation, 'selection'>): KnownOperation;
}

/** Characters of query text whose documents are kept: about ten times as many bytes of syntax tree. */
const DOCUMENT_CACHE_CHARACTERS = 2_000_000;

export function createKnownOperations({
  schema,
  isAdmitted = () => false,
}: {
  readonly schema: GraphQLSchema;
  readonly isAdmitted?: IsAdmitted | undefined;
}): KnownOperations {
  const known = new LRUCache<string, KnownOperation>(documentCacheBounds());
  return {
    has: params => known.has(keyOf(params)),
    find(params, actor) {
      const operation = known.get(keyOf(params));
      // Whoever has no credential meets further rules than those of the plugins.
      if (!operation || !actor || !isAdmitted(operation.document, params.operationName, actor))
        return undefined;
      return operation;
    },
    add(params, checked) {
      const key = keyOf(params);
      const same = known.get(key);
      if (same?.document === checked.document) return same;
      const operation = { ...checked, selection: streamSelectionOf(schema, checked.document, checked.node) };
      known.set(key, operation);
      return operation;
    },
  };
}

function keyOf({ query, operationName }: OperationParams): string {
  return operationName ? `${operationName}\n${query}` : query;
}

export function documentCacheBounds() {
  return {
    max: 1_000,
    maxSize: DOCUMENT_CACHE_CHARACTERS,
    sizeCalculation: (_value: unknown, text: string) => Math.max(1, text.length),
  };
}
