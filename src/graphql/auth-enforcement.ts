// The second gate: the rules of auth.ts, at resolve time and per concrete type. The first gate reads the document, and
// so walks past a limited type that is reached through an interface, a union or `node`; here it is the value that counts.

import { MapperKind, mapSchema } from '@graphql-tools/utils';
import {
  defaultFieldResolver,
  defaultTypeResolver,
  type GraphQLField,
  type GraphQLFieldConfig,
  GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  type GraphQLTypeResolver,
  GraphQLUnionType,
  isInterfaceType,
  isObjectType,
} from 'graphql';
import {
  type ActorContext,
  accessError,
  declaredOn,
  type Requirement,
  refusalFor,
  requirementOf,
} from './auth.ts';

/** The same schema, whose fields and values refuse whoever their rules do not admit. */
export function enforceAuth(schema: GraphQLSchema): GraphQLSchema {
  return mapSchema(schema, {
    [MapperKind.OBJECT_FIELD]: (config, fieldName, typeName) => {
      const type = schema.getType(typeName) as GraphQLObjectType;
      const field: GraphQLField<unknown, unknown> = type.getFields()[fieldName]!;
      const requirement = requirementOf(type, field, schema);
      // Most fields have no rule, and should not pay for one.
      if (requirement.rules.length === 0 && requirement.open) return undefined;
      return guardField(config, requirement, `${typeName}.${fieldName}`);
    },
    [MapperKind.ABSTRACT_TYPE]: type => {
      const resolveType = guardType(type.resolveType ?? defaultTypeResolver, schema);
      return isInterfaceType(type)
        ? new GraphQLInterfaceType({ ...type.toConfig(), resolveType })
        : new GraphQLUnionType({ ...(type as GraphQLUnionType).toConfig(), resolveType });
    },
  });
}

type FieldConfig = GraphQLFieldConfig<unknown, ActorContext>;

function guardField(config: FieldConfig, requirement: Requirement, name: string): FieldConfig {
  const { resolve = defaultFieldResolver, subscribe } = config;
  function refuse(context: ActorContext, info: GraphQLResolveInfo): void {
    const refusal = refusalFor(requirement, context.actor);
    if (refusal) throw accessError(refusal, name, { nodes: info.fieldNodes });
  }
  return {
    ...config,
    resolve(source, args, context, info) {
      refuse(context, info);
      return resolve(source, args, context, info);
    },
    // Before the source starts: refusing its events would be too late.
    ...(subscribe && {
      subscribe(source, args, context, info) {
        refuse(context, info);
        return subscribe(source, args, context, info);
      },
    }),
  };
}

/** Refuses a value the moment it turns out to be of a limited type, before any of its fields is looked at. */
function guardType(
  resolveType: GraphQLTypeResolver<unknown, ActorContext>,
  schema: GraphQLSchema,
): GraphQLTypeResolver<unknown, ActorContext> {
  return (value, context, info, abstractType) => {
    const checked = (typeName: string | undefined) => {
      const refusal = typeName && refusalFor(requirementOfType(typeName, schema), context.actor);
      if (refusal) throw accessError(refusal, typeName, { nodes: info.fieldNodes });
      return typeName;
    };
    const found = resolveType(value, context, info, abstractType);
    return typeof found === 'object' ? found.then(checked) : checked(found);
  };
}

function requirementOfType(typeName: string, schema: GraphQLSchema): Requirement {
  const type = schema.getType(typeName);
  if (!isObjectType(type)) return { rules: [], open: true };
  const declared = [type, ...type.getInterfaces()].flatMap(each => declaredOn(each, schema).rule ?? []);
  return { rules: declared, open: true };
}
