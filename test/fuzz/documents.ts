// Operations made up from the schema: valid ones mostly, with values that fit their types or do not, variables, aliases,
// fragments of all kinds, directives, and several operations in one document.

import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  isRequiredArgument,
} from 'graphql';
import { type Luck, nastyText } from './luck.ts';
import { createValues, literal } from './values.ts';

export interface Operation {
  readonly query: string;
  readonly variables: Record<string, unknown>;
  readonly operationName?: string | undefined;
}

export type OperationKind = 'query' | 'mutation' | 'subscription';

/** What would end the fuzzer's own credential, or makes it wait for a hash each time. */
export const LEFT_OUT = new Set(['logout', 'changePassword', 'login', 'revokeSession']);
const MAX_DEPTH = 7;

interface Making {
  readonly schema: GraphQLSchema;
  readonly luck: Luck;
  readonly valueFor: ReturnType<typeof createValues>;
  /** Of the operation that is being written. */
  declared: string[];
  variableCount: number;
  readonly variables: Record<string, unknown>;
  /** By name; without text while it is being written, so that it may spread itself. */
  readonly fragments: Map<string, { readonly type: GraphQLNamedType; text: string | undefined }>;
}

/** `ids` are of things that exist. */
export function makeOperation(
  schema: GraphQLSchema,
  luck: Luck,
  kind: OperationKind,
  ids: readonly string[] = [],
): Operation {
  const valueFor = createValues(luck, ids);
  const making: Making = {
    schema,
    luck,
    valueFor,
    declared: [],
    variableCount: 0,
    variables: {},
    fragments: new Map(),
  };
  const kinds = [kind, ...luck.some(luck.chance(0.1) ? 3 : 0, () => luck.pick(['query', kind] as const))];
  const isNamed = kinds.length > 1 || luck.chance(0.3);
  const texts = kinds.map((one, index) => {
    // What a fragment declares is missing in the other operations that spread it, and one more case.
    making.declared = [];
    const text = rootText(making, one);
    const directives = directiveText(making, 0.01);
    const declared = making.declared.length > 0 ? `(${making.declared.join(', ')})` : '';
    return `${one}${isNamed ? ` operation${index}` : ''}${declared}${directives} { ${text} }`;
  });
  if (luck.chance(0.02)) nameFragment(making, luck.pick(composites(schema)));
  const fragments = [...making.fragments.values()].map(({ text }) => text ?? '');
  const operationName = isNamed && luck.chance(0.9) ? `operation${luck.whole(kinds.length)}` : undefined;
  const query = (luck.chance(0.5) ? [...fragments, ...texts] : [...texts, ...fragments]).join('\n');
  return {
    query: luck.chance(0.03) ? `\ufeff# ${nastyText(luck).replaceAll(/[\r\n]/g, ' ')}\n${query}` : query,
    variables: making.variables,
    ...(operationName && { operationName }),
  };
}

function composites(schema: GraphQLSchema): GraphQLNamedType[] {
  return Object.values(schema.getTypeMap()).filter(isCompositeType);
}

function rootText(making: Making, kind: OperationKind): string {
  const { luck, schema } = making;
  const root = { query: 'Query', mutation: 'Mutation', subscription: 'Subscription' }[kind];
  const type = schema.getType(root) as GraphQLObjectType;
  const fields = Object.values(type.getFields()).filter(field => !LEFT_OUT.has(field.name));
  const chosen =
    kind === 'query' ? [luck.pick(fields), ...luck.some(2, () => luck.pick(fields))] : [luck.pick(fields)];
  const selections = chosen.map((field, index) => fieldText(making, field, 1, `f${index}`));
  if (kind === 'query' && luck.chance(0.08)) selections.push(introspectionText(making));
  if (luck.chance(0.04)) selections.push(`...${nameFragment(making, type)}`);
  return selections.join(' ');
}

function introspectionText(making: Making): string {
  const { luck } = making;
  const name = luck.pick(['Query', 'ModelRequest', 'nobody', '__Schema', '__proto__']);
  return luck.pick([
    '__typename',
    `__type(name: ${JSON.stringify(name)}) { name kind fields(includeDeprecated: true) { name args { name type { name ofType { name } } } } }`,
    '__schema { types { name } directives { name locations } queryType { fields { name } } }',
    '__schema { types { fields { type { fields { type { fields { type { name } } } } } } } }',
    fieldText(making, making.schema.getField(making.schema.getQueryType()!, '__schema')!, 1),
  ]);
}

function fieldText(
  making: Making,
  field: GraphQLField<unknown, unknown>,
  depth: number,
  alias?: string,
): string {
  const { luck } = making;
  const name = luck.chance(alias ? 0.6 : 0.02) ? `${alias ?? luck.pick(ALIASES)}: ${field.name}` : field.name;
  const args = field.args
    .filter(argument => isRequiredArgument(argument) || luck.chance(0.4))
    .map(argument => `${argument.name}: ${argumentText(making, argument)}`);
  if (args.length > 0 && luck.chance(0.005)) args.push(luck.pick([args[0]!, 'nobody: 1']));
  const type = getNamedType(field.type);
  const inner = isCompositeType(type) ? ` { ${selectionText(making, type, depth + 1)} }` : '';
  return `${name}${args.length > 0 ? `(${args.join(', ')})` : ''}${directiveText(making, 0.03)}${inner}`;
}

const ALIASES = ['a', 'b', 'id', '__typename', '__proto__', 'constructor', 'hasOwnProperty', 'toString'];

function selectionText(making: Making, type: GraphQLNamedType, depth: number): string {
  const { luck, schema } = making;
  const parts = ['__typename'];
  const isDeep = depth >= MAX_DEPTH;
  if (isObjectType(type) || isInterfaceType(type)) {
    const fields = Object.values(type.getFields()).filter(
      field => !isDeep || !isCompositeType(getNamedType(field.type)),
    );
    for (const field of new Set(luck.some(4, () => luck.pick(fields))))
      if (field) parts.push(fieldText(making, field, depth));
  }
  if (isDeep) return parts.join(' ');
  if (isAbstractType(type))
    for (const possible of luck.some(2, () => luck.pick(schema.getPossibleTypes(type))))
      parts.push(inlineText(making, possible, depth));
  if (luck.chance(0.04)) parts.push(inlineText(making, type, depth));
  if (luck.chance(0.06)) parts.push(`...${spreadOf(making, type)}${directiveText(making, 0.1)}`);
  return parts.join(' ');
}

function inlineText(making: Making, type: GraphQLNamedType, depth: number): string {
  const { luck } = making;
  const on = luck.chance(0.9)
    ? ` on ${luck.chance(0.98) ? type.name : luck.pick(['Query', 'Int', 'Nobody'])}`
    : '';
  return `...${on}${directiveText(making, 0.05)} { ${selectionText(making, type, depth + 1)} }`;
}

/** One that is there already, be it the one that is being written; one that is made; or seldom one that is not there. */
function spreadOf(making: Making, type: GraphQLNamedType): string {
  const { luck, fragments } = making;
  if (luck.chance(0.02)) return 'Nobody';
  const fitting = [...fragments].filter(([, fragment]) => fragment.type === type || luck.chance(0.02));
  return fitting.length > 0 && luck.chance(0.5) ? luck.pick(fitting)[0] : nameFragment(making, type);
}

function nameFragment(making: Making, type: GraphQLNamedType): string {
  const { fragments } = making;
  const name = `F${fragments.size}`;
  const fragment: { type: GraphQLNamedType; text: string | undefined } = { type, text: undefined };
  fragments.set(name, fragment);
  const text = selectionText(making, type, MAX_DEPTH - 2);
  fragment.text = `fragment ${name} on ${type.name}${directiveText(making, 0.02)} { ${text} }`;
  return name;
}

/** Seldom several, seldom one that is not there or does not belong there. */
function directiveText(making: Making, probability: number): string {
  const { luck } = making;
  if (!luck.chance(probability)) return '';
  const texts = luck.some(luck.chance(0.1) ? 25 : 1, () => {
    const condition = luck.chance(0.5)
      ? String(luck.chance(0.5))
      : declare(making, luck.pick(['Boolean!', 'Boolean! = true', 'Boolean']), luck.chance(0.5));
    if (luck.chance(0.9)) return ` @${luck.pick(['skip', 'include'])}(if: ${condition})`;
    return ` ${luck.pick(OTHER_DIRECTIVES)}`;
  });
  return texts.join('');
}

const OTHER_DIRECTIVES = [
  '@nobody',
  '@defer',
  '@stream(initialCount: 1)',
  '@auth(requires: [ADMIN])',
  '@public',
  '@deprecated',
  '@skip',
  '@include(if: "yes")',
  '@include(unless: true)',
];

function argumentText(making: Making, argument: GraphQLArgument): string {
  const { luck, valueFor } = making;
  const value = valueFor(argument.type);
  if (!luck.chance(0.5)) return literal(luck, value, argument.type);
  const type = luck.chance(0.98)
    ? String(argument.type)
    : luck.pick(['Int', '[ID!]!', 'JSON', 'Nobody', 'Query']);
  const preset = luck.chance(0.1) ? ` = ${literal(luck, valueFor(argument.type), argument.type)}` : '';
  return declare(making, `${type}${preset}`, value);
}

/** A variable, seldom without a declaration or without a value. */
function declare(making: Making, type: string, value: unknown): string {
  const { luck, declared, variables } = making;
  const name = `v${making.variableCount++}`;
  if (luck.chance(0.99)) declared.push(`$${name}: ${type}`);
  if (luck.chance(0.95)) variables[name] = value;
  return `$${name}`;
}
