// The root fields of the schema, each with an operation that selects it: arguments made up from their types, so that
// a new field needs nothing written here. What they say is mostly wrong; whether somebody may ask at all is decided
// before.

import {
  type GraphQLInputType,
  getNamedType,
  getNullableType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  type OperationTypeNode,
} from 'graphql';
import { schema } from '../../src/graphql/schema.ts';

export interface RootField {
  /** Parent and field, for example `Query.viewer`. */
  readonly name: string;
  readonly operation: OperationTypeNode;
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

export function rootFields(): RootField[] {
  return (['query', 'mutation', 'subscription'] as OperationTypeNode[]).flatMap(operation => {
    const root = schema.getRootType(operation)!;
    return Object.values(root.getFields()).map(field => {
      const required = field.args.filter(arg => isNonNullType(arg.type));
      const declared = required.map(arg => `$${arg.name}: ${arg.type}`).join(', ');
      const passed = required.map(arg => `${arg.name}: $${arg.name}`).join(', ');
      const selected = isCompositeType(getNamedType(field.type)) ? ' { __typename }' : '';
      const inBrackets = (list: string) => (list ? `(${list})` : '');
      return {
        name: `${root.name}.${field.name}`,
        operation,
        query: `${operation} ${inBrackets(declared)} { ${field.name}${inBrackets(passed)}${selected} }`,
        variables: Object.fromEntries(required.map(arg => [arg.name, exampleOf(arg.type)])),
      };
    });
  });
}

/** The least that the type accepts. */
function exampleOf(type: GraphQLInputType): unknown {
  const plain = getNullableType(type);
  if (isListType(plain)) return [];
  if (isEnumType(plain)) return plain.getValues()[0]!.name;
  if (isInputObjectType(plain)) {
    const required = Object.values(plain.getFields()).filter(field => isNonNullType(field.type));
    return Object.fromEntries(required.map(field => [field.name, exampleOf(field.type)]));
  }
  return { Int: 1, Float: 1, Boolean: true, DateTime: '2026-01-01T00:00:00Z' }[plain.name] ?? 'x';
}
