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
}

/** Of a selection set: levels below it, fields in it, fields directly in it. */
interface Extent {
  depth: number;
  cost: number;
  width: number;
}

interface Walk {
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly extents: Map<string, Extent | 'open'>;
  aliases: number;
  directives: number;
  valueDepth: number;
}

const CIRCULAR: Extent = { depth: Infinity, cost: Infinity, width: Infinity };
const UNKNOWN: Extent = { depth: 0, cost: 0, width: 0 };

export function measureDocument(document: DocumentNode): DocumentMeasure {
  const walk: Walk = {
    fragments: fragmentsOf(document),
    extents: new Map(),
    aliases: 0,
    directives: 0,
    valueDepth: 0,
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
  const total: Extent = { depth: 0, cost: 0, width: 0 };
  for (const selection of set.selections) {
    countDirectives(selection.directives, walk);
    if (selection.kind === Kind.FIELD) {
      if (selection.alias) walk.aliases += 1;
      for (const argument of selection.arguments ?? []) countValue(argument.value, walk);
      const inner = selection.selectionSet ? extentOf(selection.selectionSet, walk) : UNKNOWN;
      // Introspection nests by nature; graphql's own rule bounds it. Only its subtree is exempt.
      const exempt = selection.name.value === '__schema' || selection.name.value === '__type';
      total.depth = Math.max(total.depth, 1 + (exempt ? 0 : inner.depth));
      total.cost += 1 + (exempt ? 0 : inner.cost);
      total.width += 1;
    } else {
      const inner =
        selection.kind === Kind.INLINE_FRAGMENT
          ? extentOf(selection.selectionSet, walk)
          : fragmentExtent(selection.name.value, walk);
      total.depth = Math.max(total.depth, inner.depth);
      total.cost += inner.cost;
      total.width += inner.width;
    }
  }
  return total;
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
