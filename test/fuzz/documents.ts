// Operations made up from the schema: valid ones mostly, with values that fit their types or do not, variables, aliases,
// fragments and directives.

import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
  isScalarType,
} from 'graphql';
import { anyValue, type Luck, nastyText } from './luck.ts';

export interface Operation {
  readonly query: string;
  readonly variables: Record<string, unknown>;
}

/** What would end the fuzzer's own credential, or makes it wait for a hash each time. */
const LEFT_OUT = new Set(['logout', 'changePassword', 'login', 'revokeSession']);
const MAX_DEPTH = 7;

interface Making {
  readonly schema: GraphQLSchema;
  readonly luck: Luck;
  readonly declared: string[];
  readonly variables: Record<string, unknown>;
}

export function makeOperation(
  schema: GraphQLSchema,
  luck: Luck,
  kind: 'query' | 'mutation' | 'subscription',
): Operation {
  const root = {
    query: schema.getQueryType,
    mutation: schema.getMutationType,
    subscription: schema.getSubscriptionType,
  };
  const making: Making = { schema, luck, declared: [], variables: {} };
  const type = root[kind].call(schema) as GraphQLObjectType;
  const fields = Object.values(type.getFields()).filter(field => !LEFT_OUT.has(field.name));
  const chosen =
    kind === 'query' ? [luck.pick(fields), ...luck.some(2, () => luck.pick(fields))] : [luck.pick(fields)];
  const selections = chosen.map((field, index) => fieldText(making, field, 1, `f${index}`));
  const declared = making.declared.length > 0 ? `(${making.declared.join(', ')})` : '';
  const name = luck.chance(0.3) ? ' named' : '';
  return { query: `${kind}${name}${declared} { ${selections.join(' ')} }`, variables: making.variables };
}

function fieldText(
  making: Making,
  field: GraphQLField<unknown, unknown>,
  depth: number,
  alias?: string,
): string {
  const { luck } = making;
  const name = alias && luck.chance(0.6) ? `${alias}: ${field.name}` : field.name;
  const args = field.args
    .filter(argument => isRequiredArgument(argument) || luck.chance(0.4))
    .map(argument => `${argument.name}: ${argumentText(making, argument)}`);
  const directive = luck.chance(0.03) ? ` @${luck.pick(['skip', 'include'])}(if: ${luck.chance(0.5)})` : '';
  const type = getNamedType(field.type);
  const inner = isCompositeType(type) ? ` { ${selectionText(making, type, depth + 1)} }` : '';
  return `${name}${args.length > 0 ? `(${args.join(', ')})` : ''}${directive}${inner}`;
}

function selectionText(making: Making, type: GraphQLNamedType, depth: number): string {
  const { luck, schema } = making;
  const parts = ['__typename'];
  if (isObjectType(type) || isInterfaceType(type)) {
    const fields = Object.values(type.getFields()).filter(
      field => depth < MAX_DEPTH || !isCompositeType(getNamedType(field.type)),
    );
    for (const field of new Set(luck.some(4, () => luck.pick(fields))))
      if (field) parts.push(fieldText(making, field, depth));
  }
  if (isAbstractType(type) && depth < MAX_DEPTH)
    for (const possible of luck.some(2, () => luck.pick(schema.getPossibleTypes(type))))
      parts.push(`... on ${possible.name} { ${selectionText(making, possible, depth + 1)} }`);
  return parts.join(' ');
}

function argumentText(making: Making, argument: GraphQLArgument): string {
  const { luck, variables, declared } = making;
  const value = valueFor(luck, argument.type);
  if (luck.chance(0.5)) {
    const name = `v${declared.length}`;
    declared.push(`$${name}: ${argument.type}`);
    if (luck.chance(0.95)) variables[name] = value;
    return `$${name}`;
  }
  return literal(value, argument.type);
}

/** A value of the type; one in ten is anything. */
function valueFor(luck: Luck, type: GraphQLInputType, depth = 0): unknown {
  if (luck.chance(0.1)) return anyValue(luck);
  if (isNonNullType(type)) return valueFor(luck, type.ofType, depth);
  if (isListType(type)) return luck.some(3, () => valueFor(luck, type.ofType, depth + 1));
  if (isEnumType(type)) return luck.pick(type.getValues()).name;
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields()).filter(
      field => isRequiredInputField(field) || (depth < 4 && luck.chance(0.3)),
    );
    return Object.fromEntries(fields.map(field => [field.name, valueFor(luck, field.type, depth + 1)]));
  }
  return isScalarType(type) ? scalarFor(luck, type.name) : null;
}

function scalarFor(luck: Luck, name: string): unknown {
  if (name === 'Int') return luck.pick([0, 1, -1, 50, 100, 101, 2 ** 31 - 1, -(2 ** 31)]);
  if (name === 'Float') return luck.pick([0, 0.5, -1, 1e308, 2]);
  if (name === 'Boolean') return luck.chance(0.5);
  if (name === 'DateTime')
    return luck.pick([
      '2026-01-01T00:00:00Z',
      '0000-01-01T00:00:00Z',
      'yesterday',
      '9999-12-31T23:59:59.999Z',
    ]);
  if (name === 'ID')
    return luck.pick([
      'req_01a204c89fa773378993d2fbd7146a98',
      'usr_00000000000000000000000000000000',
      'openai',
      nastyText(luck),
    ]);
  if (name === 'JSON') return anyValue(luck);
  return nastyText(luck);
}

/** As it stands in a document: enum values without quotes, names of fields likewise. */
function literal(value: unknown, type: GraphQLInputType): string {
  const named = getNamedType(type);
  if (Array.isArray(value))
    return `[${value.map(item => literal(item, named as GraphQLInputType)).join(', ')}]`;
  if (typeof value === 'string' && isEnumType(named) && named.getValue(value)) return value;
  if (typeof value === 'object' && value !== null) {
    const fields = isInputObjectType(named) ? named.getFields() : {};
    const entries = Object.entries(value).filter(([name]) => /^[A-Za-z_]\w*$/.test(name));
    return `{ ${entries.map(([name, inner]) => `${name}: ${literal(inner, fields[name]?.type ?? type)}`).join(', ')} }`;
  }
  return JSON.stringify(value);
}
