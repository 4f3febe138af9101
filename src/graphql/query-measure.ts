// What a document asks for, in figures, and the names of an operation's root fields. One walk over the syntax tree;
// the measure of a fragment is kept, so that fragments which double each other cost no more than their text.

import {
  type DirectiveNode,
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql';

export interface DocumentMeasure {
  readonly operations: number;
  /** Of the deepest operation; infinite when fragments form a circle. */
  readonly depth: number;
  /** Fields of the largest operation with its fragments spread. */
  readonly cost: number;
  readonly rootFields: number;
  readonly aliases: number;
  readonly directives: number;
  readonly valueDepth: number;
  /** How often one field is written in one selection set, its fragments spread. */
  readonly repeats: number;
}

/** Of a selection set: levels below it, fields in it, fields directly in it, and how often each name is among these. */
interface Extent {
  depth: number;
  cost: number;
  width: number;
  readonly names: Map<string, number>;
}

interface Walk {
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly extents: Map<string, Extent | 'open'>;
  aliases: number;
  directives: number;
  valueDepth: number;
  repeats: number;
}

/** An introspection is exempt from depth and from the cost of what is in it, but not free. */
const INTROSPECTION_COST = { __schema: 2_000, __type: 100 };

const NO_NAMES: Extent['names'] = new Map();
const CIRCULAR: Extent = { depth: Infinity, cost: Infinity, width: Infinity, names: NO_NAMES };
const UNKNOWN: Extent = { depth: 0, cost: 0, width: 0, names: NO_NAMES };

export function measureDocument(document: DocumentNode): DocumentMeasure {
  const walk: Walk = {
    fragments: fragmentsOf(document),
    extents: new Map(),
    aliases: 0,
    directives: 0,
    valueDepth: 0,
    repeats: 0,
  };
  const measure = { operations: 0, depth: 0, cost: 0, rootFields: 0 };
  for (const definition of document.definitions) {
    if (definition.kind === Kind.OPERATION_DEFINITION) {
      measure.operations += 1;
      countVariables(definition, walk);
      const extent = extentOf(definition.selectionSet, walk);
      measure.rootFields = Math.max(measure.rootFields, extent.width);
      measure.depth = Math.max(measure.depth, extent.depth);
      measure.cost = Math.max(measure.cost, extent.cost);
    } else if (definition.kind === Kind.FRAGMENT_DEFINITION) {
      // Counts where it is spread, which may be within an introspection; a circle is wrong wherever it is.
      const { depth } = fragmentExtent(definition.name.value, walk);
      if (depth === Infinity) measure.depth = depth;
    }
  }
  return {
    ...measure,
    aliases: walk.aliases,
    directives: walk.directives,
    valueDepth: walk.valueDepth,
    repeats: walk.repeats,
  };
}

const rootFieldsByOperation = new WeakMap<OperationDefinitionNode, readonly string[]>();

/** Names of the fields at the root of an operation, through its fragments, one for each time they are written. */
export function rootFieldNames(
  document: DocumentNode,
  operation: OperationDefinitionNode,
): readonly string[] {
  let names = rootFieldsByOperation.get(operation);
  if (!names) {
    names = namesIn(operation.selectionSet, fragmentsOf(document), new Set());
    rootFieldsByOperation.set(operation, names);
  }
  return names;
}

function namesIn(
  set: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  seen: Set<string>,
): string[] {
  return set.selections.flatMap(selection => {
    if (selection.kind === Kind.FIELD) return [selection.name.value];
    if (selection.kind === Kind.INLINE_FRAGMENT) return namesIn(selection.selectionSet, fragments, seen);
    const fragment = fragments.get(selection.name.value);
    if (!fragment || seen.has(fragment.name.value)) return [];
    seen.add(fragment.name.value);
    return namesIn(fragment.selectionSet, fragments, seen);
  });
}

function fragmentsOf(document: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> {
  const fragments = document.definitions.filter(
    (definition): definition is FragmentDefinitionNode => definition.kind === Kind.FRAGMENT_DEFINITION,
  );
  return new Map(fragments.map(fragment => [fragment.name.value, fragment]));
}

function extentOf(set: SelectionSetNode, walk: Walk): Extent {
  const total: Extent = { depth: 0, cost: 0, width: 0, names: new Map() };
  for (const selection of set.selections) {
    countDirectives(selection.directives, walk);
    if (selection.kind === Kind.FIELD) {
      if (selection.alias) walk.aliases += 1;
      for (const argument of selection.arguments ?? []) countValue(argument.value, walk);
      const inner = selection.selectionSet ? extentOf(selection.selectionSet, walk) : UNKNOWN;
      // Introspection nests by nature; graphql's own rule bounds it. Only its subtree is exempt.
      const name = selection.name.value;
      const flat = name === '__schema' || name === '__type' ? INTROSPECTION_COST[name] : undefined;
      total.depth = Math.max(total.depth, 1 + (flat === undefined ? inner.depth : 0));
      total.cost += 1 + (flat ?? inner.cost);
      total.width += 1;
      countName(total, (selection.alias ?? selection.name).value, 1);
    } else {
      const inner =
        selection.kind === Kind.INLINE_FRAGMENT
          ? extentOf(selection.selectionSet, walk)
          : fragmentExtent(selection.name.value, walk);
      total.depth = Math.max(total.depth, inner.depth);
      total.cost += inner.cost;
      total.width += inner.width;
      for (const [name, count] of inner.names) countName(total, name, count);
    }
  }
  walk.repeats = Math.max(walk.repeats, ...total.names.values());
  return total;
}

function countName({ names }: Extent, name: string, count: number): void {
  names.set(name, (names.get(name) ?? 0) + count);
}

function fragmentExtent(name: string, walk: Walk): Extent {
  const known = walk.extents.get(name);
  if (known) return known === 'open' ? CIRCULAR : known;
  const fragment = walk.fragments.get(name);
  if (!fragment) return UNKNOWN;
  walk.extents.set(name, 'open');
  countDirectives(fragment.directives, walk);
  const extent = extentOf(fragment.selectionSet, walk);
  walk.extents.set(name, extent);
  return extent;
}

function countVariables(operation: OperationDefinitionNode, walk: Walk): void {
  countDirectives(operation.directives, walk);
  for (const variable of operation.variableDefinitions ?? []) {
    countDirectives(variable.directives, walk);
    if (variable.defaultValue) countValue(variable.defaultValue, walk);
  }
}

function countDirectives(directives: readonly DirectiveNode[] | undefined, walk: Walk): void {
  for (const directive of directives ?? []) {
    walk.directives += 1;
    for (const argument of directive.arguments ?? []) countValue(argument.value, walk);
  }
}

function countValue(value: ValueNode, walk: Walk): void {
  walk.valueDepth = Math.max(walk.valueDepth, valueDepth(value));
}

function valueDepth(value: ValueNode): number {
  if (value.kind === Kind.LIST) return 1 + Math.max(0, ...value.values.map(valueDepth));
  if (value.kind === Kind.OBJECT)
    return 1 + Math.max(0, ...value.fields.map(field => valueDepth(field.value)));
  return 0;
}
