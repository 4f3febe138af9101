// Pothos writes defaults of arguments the way graphql 16 kept them; the printer of @graphql-tools reads only the way
// of graphql 17, and would leave them out of schema.graphql without a word.

import {
  astFromValue,
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLSchema,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
} from 'graphql';

/** The same schema, its defaults moved from `defaultValue` to `default`. */
export function withDefaults(schema: GraphQLSchema): GraphQLSchema {
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
