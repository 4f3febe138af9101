// The operations of the SDK with something changed in them: near to what is valid, where checks are easily passed.

import { globSync, readFileSync } from 'node:fs';
import {
  type ASTNode,
  type DocumentNode,
  type GraphQLSchema,
  isInputType,
  Kind,
  parse,
  print,
  typeFromAST,
  visit,
} from 'graphql';
import { LEFT_OUT, type Operation } from './documents.ts';
import { type Luck, nastyText } from './luck.ts';
import { createValues } from './values.ts';

const texts = globSync('src/sdk/operations/*.graphql')
  .sort()
  .map(path => readFileSync(path, 'utf8'));
const fragments = texts.filter(text => text.startsWith('fragment')).join('\n');
const operations = texts.filter(
  text => !text.startsWith('fragment') && !LEFT_OUT.has(/^\w+ (\w+)/.exec(text)?.[1] ?? ''),
);

/** `ids` are of things that exist. */
export function mutatedOperation(schema: GraphQLSchema, luck: Luck, ids: readonly string[]): Operation {
  const valueFor = createValues(luck, ids);
  const original = parse(withFragments(luck.pick(operations)));
  let document: DocumentNode = original;
  for (let count = luck.whole(4); count > 0; count -= 1) document = mutated(document, luck);
  const variables: Record<string, unknown> = {};
  for (const definition of original.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    for (const { variable, type } of definition.variableDefinitions ?? []) {
      const declared = typeFromAST(schema, type);
      if (isInputType(declared)) variables[variable.name.value] = valueFor(declared);
    }
  }
  return { query: print(document), variables };
}

/** The fragments that it spreads, and those that they spread. */
function withFragments(text: string): string {
  const found = new Map(
    parse(fragments).definitions.flatMap(definition =>
      definition.kind === Kind.FRAGMENT_DEFINITION ? [[definition.name.value, print(definition)]] : [],
    ),
  );
  const needed = new Set<string>();
  const look = (inText: string) => {
    for (const [, name] of inText.matchAll(/\.\.\.(\w+)/g)) {
      if (!found.has(name!) || needed.has(name!)) continue;
      needed.add(name!);
      look(found.get(name!)!);
    }
  };
  look(text);
  return [text, ...[...needed].map(name => found.get(name)!)].join('\n');
}

/** One node of it is lost, doubled, renamed, wrapped, or given another value. */
function mutated(document: DocumentNode, luck: Luck): DocumentNode {
  const nodes: ASTNode[] = [];
  visit(document, { enter: node => void nodes.push(node) });
  const chosen = luck.pick(nodes);
  const other = luck.pick(nodes);
  return visit(document, {
    enter(node) {
      if (node !== chosen) return undefined;
      // What an invalid tree prints as is sent as it is.
      return changed(node, other, luck) as ASTNode | null | undefined;
    },
  });
}

function changed(node: ASTNode, other: ASTNode, luck: Luck): unknown {
  switch (node.kind) {
    case Kind.NAME:
      return { ...node, value: other.kind === Kind.NAME ? other.value : luck.pick(NAMES) };
    case Kind.FIELD:
      return luck.pick([
        null,
        { ...node, alias: { kind: Kind.NAME, value: luck.pick(NAMES) } },
        { ...node, arguments: [] },
        { ...node, selectionSet: undefined },
        { kind: Kind.INLINE_FRAGMENT, selectionSet: { kind: Kind.SELECTION_SET, selections: [node, node] } },
        { ...node, directives: [conditionOf(luck), conditionOf(luck)] },
      ]);
    case Kind.SELECTION_SET:
      return luck.pick([
        { ...node, selections: [...node.selections, ...node.selections] },
        { ...node, selections: [...node.selections].reverse() },
        other.kind === Kind.SELECTION_SET ? other : { ...node, selections: node.selections.slice(0, 1) },
      ]);
    case Kind.ARGUMENT:
      return luck.pick([
        null,
        { ...node, value: { kind: Kind.STRING, value: nastyText(luck), block: true } },
      ]);
    case Kind.VARIABLE_DEFINITION:
      return luck.pick([null, { ...node, type: { kind: Kind.NAMED_TYPE, name: node.variable.name } }]);
    case Kind.FRAGMENT_SPREAD:
      return luck.pick([null, { ...node, directives: [conditionOf(luck)] }]);
    case Kind.DOCUMENT:
      return { ...node, definitions: [...node.definitions, luck.pick(node.definitions)] };
    default:
      return other.kind === node.kind ? other : undefined;
  }
}

const NAMES = ['id', '__typename', 'nobody', 'node', 'viewer', 'prompt', '__proto__', 'on', 'true', 'error'];

function conditionOf(luck: Luck): unknown {
  return {
    kind: Kind.DIRECTIVE,
    name: { kind: Kind.NAME, value: luck.pick(['skip', 'include', 'defer', 'nobody']) },
    arguments: [
      {
        kind: Kind.ARGUMENT,
        name: { kind: Kind.NAME, value: 'if' },
        value: { kind: Kind.BOOLEAN, value: luck.chance(0.5) },
      },
    ],
  };
}
