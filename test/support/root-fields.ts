// The root fields of the schema, each with an operation that selects it: arguments made up from their types, so that
// a new field needs nothing written here. What they say is mostly wrong; whether somebody may ask at all is decided
// before.

import {
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
  getNamedType,
  getNullableType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isUnionType,
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
  return ROOTS.flatMap(operation => {
    const root = schema.getRootType(operation)!;
    return Object.values(root.getFields()).map(field =>
      selecting({ operation, root, field }, isCompositeType(getNamedType(field.type)) ? '__typename' : ''),
    );
  });
}

/** Every field of what a root field returns, by way of it; of an interface also those of each type behind it. */
export function fieldsBelow(): RootField[] {
  return ROOTS.flatMap(operation => {
    const root = schema.getRootType(operation)!;
    return Object.values(root.getFields()).flatMap(field => {
      const type = getNamedType(field.type);
      if (!isCompositeType(type)) return [];
      return [type, ...(isAbstractType(type) ? schema.getPossibleTypes(type) : [])].flatMap(each =>
        isUnionType(each)
          ? []
          : Object.values(each.getFields()).map(child => {
              const { name, ...rest } = selecting(
                { operation, root, field },
                each === type ? written(child) : `... on ${each.name} { ${written(child)} }`,
              );
              return { ...rest, name: `${name}.${each === type ? '' : `${each.name}.`}${child.name}` };
            }),
      );
    });
  });
}

const ROOTS: readonly OperationTypeNode[] = ['query', 'mutation', 'subscription'] as OperationTypeNode[];
type Field = GraphQLField<unknown, unknown>;

function selecting(
  { operation, root, field }: { operation: OperationTypeNode; root: GraphQLObjectType; field: Field },
  selected: string,
): RootField {
  const required = field.args.filter(arg => isNonNullType(arg.type));
  const declared = required.map(arg => `$${arg.name}: ${arg.type}`).join(', ');
  const passed = required.map(arg => `${arg.name}: $${arg.name}`).join(', ');
  const inBrackets = (list: string) => (list ? `(${list})` : '');
  return {
    name: `${root.name}.${field.name}`,
    operation,
    query: `${operation} ${inBrackets(declared)} { ${field.name}${inBrackets(passed)}${selected && ` { ${selected} }`} }`,
    variables: Object.fromEntries(required.map(arg => [arg.name, exampleOf(arg.type)])),
  };
}

/** None of the fields below needs an argument; one that did would be refused as invalid, and seen. */
function written({ name, type }: Field): string {
  return isCompositeType(getNamedType(type)) ? `${name} { __typename }` : name;
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
  return (
    { Int: 1, Float: 1, Boolean: true, DateTime: '2026-01-01T00:00:00Z', Decimal: '1' }[plain.name] ?? 'x'
  );
}
