// Defaults of arguments and input fields for printing. Graphql 17 has two ways to keep them, and each tool knows one:
// the printer of @graphql-tools reads only `default`, and its executor, which yoga runs, drops a `default` of an input
// field in a literal. So the executed schema has `defaultValue`, as Pothos writes it, and the printed one `default`.

import {
  astFromValue,
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLSchema,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  lexicographicSortSchema,
} from 'graphql';

/** A copy, sorted, whose defaults the printer sees. */
export function withPrintableDefaults(executed: GraphQLSchema): GraphQLSchema {
  const schema = lexicographicSortSchema(executed);
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__')) continue;
    if (isInputObjectType(type)) Object.values(type.getFields()).forEach(moveDefault);
    if (isObjectType(type) || isInterfaceType(type))
      for (const field of Object.values(type.getFields())) field.args.forEach(moveDefault);
  }
  return schema;
}

function moveDefault(input: GraphQLArgument | GraphQLInputField): void {
  if (input.defaultValue === undefined || input.default !== undefined) return;
  const literal = astFromValue(input.defaultValue, input.type);
  if (!literal) throw new Error(`The default of ${input.name} does not fit its type`);
  input.default = { literal: literal as never };
  input.defaultValue = undefined;
}
