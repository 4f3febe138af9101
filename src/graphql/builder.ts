// The one Pothos builder: which plugins run, what connections and nodes look like, and the defaults of fields.
// Types live in types/, next to each other by noun.

import SchemaBuilder from '@pothos/core';
import '@pothos/plugin-dataloader';
import '@pothos/plugin-relay';
import { fromGlobalId, type IdKind, toGlobalId } from '../domain/ids.ts';
import { permitted } from './auth.ts';
import type { Context } from './context.ts';
import { costOptions } from './cost.ts';

/** Types that `node(id:)` finds, by the prefix of their ids. */
export const NODE_TYPES: Partial<Record<IdKind, string>> = {
  request: 'ModelRequest',
  user: 'User',
  apiKey: 'ApiKey',
  workflowDefinition: 'WorkflowDefinition',
  budget: 'Budget',
};

// A type, not an interface: Pothos asks for an index signature.
export type Scalars = {
  ID: { Input: string; Output: string };
  DateTime: { Input: Date; Output: Date };
  Decimal: { Input: bigint; Output: bigint };
  BigInt: { Input: bigint; Output: bigint };
  JSON: { Input: unknown; Output: unknown };
};

export const builder = new SchemaBuilder<{
  Context: Context;
  Scalars: Scalars;
  DefaultFieldNullability: false;
  DefaultEdgesNullability: false;
  DefaultNodeNullability: false;
}>({
  plugins: ['relay', 'dataloader', 'cost'],
  defaultFieldNullability: false,
  complexity: costOptions,
  relay: {
    clientMutationId: 'omit',
    cursorType: 'String',
    encodeGlobalID: (typename, id) => toGlobalId(kindOfNode(typename), String(id)),
    decodeGlobalID: globalId => {
      const { kind, id } = fromGlobalId(globalId) ?? {};
      return { typename: (kind && NODE_TYPES[kind]) ?? '', id: id ?? '' };
    },
    nodeTypeOptions: { description: 'Whatever has an id by which `node` finds it again.' },
    idFieldOptions: { description: 'Opaque, unique among all nodes, and stable for ever.' },
    nodeQueryOptions: {
      ...permitted('node:read'),
      description:
        'The object with this id. Null when nothing has it, when it is not an id, or when it belongs to somebody else and the caller is not ADMIN.',
      args: { id: { description: 'As read from the field `id` of a node.' } },
      resolve: (_root, args, ...[, , resolveNode]) => (args.id.typename === '' ? null : resolveNode(args.id)),
    },
    nodesQueryOptions: false,
    pageInfoTypeOptions: { description: 'Where a page stands within its connection.' },
    hasNextPageFieldOptions: { description: 'Whether rows follow the last edge.' },
    hasPreviousPageFieldOptions: { description: 'Whether rows precede the first edge.' },
    startCursorFieldOptions: { description: 'Cursor of the first edge; null on an empty page.' },
    endCursorFieldOptions: { description: 'Cursor of the last edge; null on an empty page.' },
    pageInfoFieldOptions: { description: 'Where the page stands, and how to get the next one.' },
    edgesFieldOptions: {
      description: 'The rows of the page with their cursors, newest first in either direction.',
      nullable: false,
      complexity: { field: 0, multiplier: 1 },
    },
    nodesOnConnection: {
      description: 'The rows of the page without cursors, newest first in either direction.',
      complexity: { field: 0, multiplier: 1 },
    },
    nodeFieldOptions: { description: 'The row itself.', nullable: false },
    cursorFieldOptions: {
      description: 'Hand it back as `after` or `before`. Opaque; valid for this connection only.',
    },
    firstArgOptions: {
      description:
        'Size of the page, counted forward: 0 to 100, 20 when neither `first` nor `last` is given.',
    },
    afterArgOptions: { description: 'Only rows behind this cursor. BAD_USER_INPUT when it is not one.' },
    lastArgOptions: {
      description: 'Size of the page, counted backward from the end: 0 to 100. Excludes `first`.',
    },
    beforeArgOptions: {
      description: 'Only rows in front of this cursor. BAD_USER_INPUT when it is not one.',
    },
  },
});

function kindOfNode(typename: string): IdKind {
  const kind = (Object.keys(NODE_TYPES) as IdKind[]).find(name => NODE_TYPES[name] === typename);
  if (!kind) throw new Error(`${typename} has no prefix for its ids`);
  return kind;
}

builder.queryType({ description: 'Everything that can be read. Nothing here changes anything.' });
builder.mutationType({
  description: 'Everything that changes something. What fails with an error has changed nothing.',
});
builder.subscriptionType({
  description: 'Everything that can be watched. Subscribing and leaving never start or stop work.',
});
