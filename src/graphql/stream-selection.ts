// Events of a token stream as results without an execution for each. What a subscription selects of a token is a few
// plain fields, known when it begins: they are looked up once and read from then on. Events of which more is selected,
// such as the request behind the last one, are executed.

import {
  type DocumentNode,
  type ExecutionResult,
  type FragmentDefinitionNode,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNullableType,
  isInterfaceType,
  isLeafType,
  isNonNullType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import type { SubmittedEvent } from '../gateway/gateway.ts';
import { requirementOf } from './auth.ts';
import { STREAM_EVENT_TYPES } from './types/stream.ts';

/** The result for an event; undefined: it has to be executed. */
export type StreamSelection = (event: SubmittedEvent) => ExecutionResult | undefined;

/** Null where there is nothing; undefined where there must not be nothing. */
type Read = (event: SubmittedEvent) => unknown;

/** The subscriptions that answer with the events of a request. */
const STREAMS = ['tokenStream', 'submitRequest'];

/** Undefined when the operation is not one of them without directives. */
export function streamSelectionOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): StreamSelection | undefined {
  const [root, ...others] = operation.selectionSet.selections;
  const isStream = root?.kind === Kind.FIELD && STREAMS.includes(root.name.value) && others.length === 0;
  if (operation.operation !== 'subscription' || !isStream || !root.selectionSet) return undefined;
  const key = root.alias?.value ?? root.name.value;
  const { selectionSet } = root;
  const fragments = fragmentsOf(document);
  const readers = Object.fromEntries(
    Object.entries(STREAM_EVENT_TYPES).map(([event, typeName]) => {
      const type = schema.getType(typeName) as GraphQLObjectType;
      return [event, readerOf({ schema, type, fragments }, selectionSet)];
    }),
  );
  return followed => {
    const value = readers[followed.event.type]?.(followed);
    return value && { data: { [key]: value } };
  };
}

interface Place {
  readonly schema: GraphQLSchema;
  readonly type: GraphQLObjectType;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
}

/** Reads all that is selected of one type; undefined when something of it cannot be read but has to be resolved. */
function readerOf(place: Place, selectionSet: SelectionSetNode) {
  const reads = new Map<string, Read>();
  if (!collect(place, selectionSet, reads)) return undefined;
  const fields = [...reads];
  return (event: SubmittedEvent): Record<string, unknown> | undefined => {
    const value: Record<string, unknown> = {};
    for (const [key, read] of fields) {
      const field = read(event);
      if (field === undefined) return undefined;
      value[key] = field;
    }
    return value;
  };
}

/** False: a selection is among them that is more than a field to read. */
function collect(place: Place, { selections }: SelectionSetNode, reads: Map<string, Read>): boolean {
  return selections.every(selection => {
    if (selection.directives && selection.directives.length > 0) return false;
    if (selection.kind !== Kind.FIELD) {
      const spread =
        selection.kind === Kind.INLINE_FRAGMENT ? selection : place.fragments.get(selection.name.value);
      const condition = spread?.typeCondition?.name.value;
      if (!spread) return false;
      return !applies(place, condition) || collect(place, spread.selectionSet, reads);
    }
    const read = readOf(place, selection.name.value);
    if (read) reads.set(selection.alias?.value ?? selection.name.value, read);
    return read !== undefined;
  });
}

function applies({ schema, type }: Place, condition: string | undefined): boolean {
  if (condition === undefined || condition === type.name) return true;
  const general = schema.getType(condition);
  return isInterfaceType(general) && schema.isSubType(general, type);
}

/** A field of a leaf type, open to everybody, whose resolver looks at nothing but the event. */
function readOf({ schema, type }: Place, name: string): Read | undefined {
  if (name === '__typename') return () => type.name;
  const field = type.getFields()[name];
  const leaf = field && getNullableType(field.type);
  if (!field?.resolve || !isLeafType(leaf) || field.args.length > 0) return undefined;
  const { rules, open } = requirementOf(type, field, schema);
  if (rules.length > 0 || !open) return undefined;
  const isRequired = isNonNullType(field.type);
  const resolve = field.resolve as unknown as (event: SubmittedEvent) => unknown;
  return event => {
    const value = resolve(event);
    if (value === undefined || value === null) return isRequired ? undefined : null;
    return leaf.coerceOutputValue(value);
  };
}

function fragmentsOf({ definitions }: DocumentNode): Map<string, FragmentDefinitionNode> {
  return new Map(
    definitions.flatMap(each =>
      each.kind === Kind.FRAGMENT_DEFINITION ? [[each.name.value, each] as const] : [],
    ),
  );
}
