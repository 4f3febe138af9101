// Who may select a field: how rules are declared (@public, @auth), printed, and enforced before execution.
// The same rules are enforced again per concrete type in auth-enforcement.ts; whose data it is, the domain decides.

import type { Plugin } from '@envelop/core';
import { useGenericAuth } from '@envelop/generic-auth';
import { getDirectiveExtensions, printSchemaWithDirectives } from '@graphql-tools/utils';
import {
  DirectiveLocation,
  GraphQLDirective,
  type GraphQLEnumType,
  GraphQLError,
  type GraphQLErrorOptions,
  type GraphQLField,
  type GraphQLInterfaceType,
  GraphQLList,
  type GraphQLNamedType,
  GraphQLNonNull,
  type GraphQLObjectType,
  GraphQLSchema,
  getNamedType,
  isEnumType,
  isInterfaceType,
  isObjectType,
  lexicographicSortSchema,
  specifiedDirectives,
} from 'graphql';
import {
  type Actor,
  AFTER_PASSWORD_CHANGE,
  type ApiKeyScope,
  grantOf,
  hasScope,
  isAllowedBeforePasswordChange,
  namesOf,
  type Permission,
  type Role,
} from '../domain/access.ts';
import { ERROR_CODES } from '../domain/errors.ts';
import { rememberAdmissions } from './auth-memory.ts';

/** What enforcement needs of a context. The transport has authenticated; null is a caller without a credential. */
export interface ActorContext {
  readonly actor: Actor | null;
}

/** Options of a field or type that anybody may select, also without a credential. */
export const PUBLIC = { extensions: { directives: { public: {} } } } as const;

/**
 * Options of a field or type that only these roles may select, and of API keys only those with one of the scopes; with
 * no scopes given, every key.
 */
export function auth(requires: readonly Role[], scopes?: readonly ApiKeyScope[]) {
  return { extensions: { directives: { auth: { requires, ...(scopes && { scopes }) } } } };
}

/** The same for whoever has the permission, which the code behind the field asks for again. */
export function permitted(permission: Permission) {
  const { roles, scopes } = grantOf(permission);
  const { extensions } = auth(roles, scopes);
  return { extensions: { ...extensions, beforePasswordChange: isAllowedBeforePasswordChange(permission) } };
}

/** The schema with the two directives defined, so that it prints as a document that stands on its own. */
export function withAuthDirectives(schema: GraphQLSchema): GraphQLSchema {
  const role = enumOf(schema, 'Role');
  const scope = enumOf(schema, 'ApiKeyScope');
  const { FIELD_DEFINITION, OBJECT, INTERFACE } = DirectiveLocation;
  const locations = [FIELD_DEFINITION, OBJECT, INTERFACE];
  const publicDirective = new GraphQLDirective({
    name: 'public',
    description: 'Anybody may select it, also without a credential.',
    locations,
  });
  const authDirective = new GraphQLDirective({
    name: 'auth',
    description: 'Only callers with one of these roles may select it, and of API keys only some.',
    locations,
    args: {
      requires: {
        description: 'One of them is enough.',
        type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(role))),
      },
      scopes: {
        description:
          'An API key that has scopes needs one of these, or ADMIN. Left out: every key may, whatever it is for.',
        type: new GraphQLList(new GraphQLNonNull(scope)),
      },
    },
  });
  const directives = [...specifiedDirectives, publicDirective, authDirective];
  return new GraphQLSchema({ ...schema.toConfig(), directives });
}

/** The one of the schema: a second enum of that name, made for the directive, would be refused as a duplicate. */
function enumOf(schema: GraphQLSchema, name: string): GraphQLEnumType {
  const type = schema.getType(name);
  if (!isEnumType(type)) throw new Error(`The schema has no enum ${name} for @auth.`);
  return type;
}

/** The schema as text, sorted, with the rules on every field and type. */
export function printedSchema(schema: GraphQLSchema): string {
  return `${printSchemaWithDirectives(lexicographicSortSchema(schema))}\n`;
}

/** Every rule of these must admit the caller; with none, `open` says whether a credential is needed at all. */
export interface Requirement {
  readonly rules: readonly Rule[];
  readonly open: boolean;
  /** Whether whoever has to change the password may already. */
  readonly beforePasswordChange?: boolean | undefined;
}

/** One @auth. */
export interface Rule {
  readonly requires: readonly Role[];
  /** Undefined: whatever an API key is for. */
  readonly scopes: readonly ApiKeyScope[] | undefined;
}

interface Declared {
  readonly isPublic: boolean;
  readonly rule: Rule | undefined;
}

/** What is declared on a field or type, whether by extension or in SDL. */
export function declaredOn(
  element: GraphQLNamedType | GraphQLField<unknown, unknown>,
  schema: GraphQLSchema,
): Declared {
  const directives = getDirectiveExtensions(element, schema);
  const declared: Record<string, unknown> | undefined = directives.auth?.[0];
  // A rule without readable roles, or with scopes that cannot be read, admits nobody, or no key.
  const listOf = (value: unknown) => (Array.isArray(value) ? value : []);
  return {
    isPublic: directives.public !== undefined,
    rule: declared && {
      requires: listOf(declared.requires),
      scopes: declared.scopes == null ? undefined : listOf(declared.scopes),
    },
  };
}

/**
 * What selecting a field requires. Rules add up: of the type, of the field, of both as the type's interfaces declare
 * them, and of the type it returns, as `{ secret { __typename } }` selects none of that type's fields. @public never
 * takes an @auth away. A field without rules is as open as the way to it, and every way begins at a root field, which
 * without rules needs a signed-in caller.
 */
export function requirementOf(
  parent: GraphQLObjectType | GraphQLInterfaceType,
  field: GraphQLField<unknown, unknown>,
  schema: GraphQLSchema,
): Requirement {
  const own = [declaredOn(parent, schema), declaredOn(field, schema)];
  const inherited = parent.getInterfaces().flatMap(ancestor => {
    const inInterface = ancestor.getFields()[field.name];
    return [declaredOn(ancestor, schema), ...(inInterface ? [declaredOn(inInterface, schema)] : [])];
  });
  const returned = getNamedType(field.type);
  const target = isObjectType(returned) || isInterfaceType(returned) ? [declaredOn(returned, schema)] : [];
  const rules = [...own, ...inherited, ...target].flatMap(({ rule }) => rule ?? []);
  const open = own.some(({ isPublic }) => isPublic) || !isRootType(parent, schema);
  return { rules, open, beforePasswordChange: field.extensions.beforePasswordChange === true };
}

export function isRootType(type: GraphQLNamedType, schema: GraphQLSchema): boolean {
  return [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].some(
    root => root === type,
  );
}

/** Why a caller may not. */
export interface Refusal {
  readonly code: 'UNAUTHENTICATED' | 'FORBIDDEN' | 'PASSWORD_CHANGE_REQUIRED';
  /** One of which the API key lacks; undefined: it is not for a scope. */
  readonly scopes?: readonly ApiKeyScope[] | undefined;
}

const UNAUTHENTICATED: Refusal = { code: 'UNAUTHENTICATED' };
const WRONG_ROLE: Refusal = { code: 'FORBIDDEN' };
const OLD_PASSWORD: Refusal = { code: 'PASSWORD_CHANGE_REQUIRED' };

/** Undefined when the caller may. */
export function refusalFor(
  { rules, open, beforePasswordChange }: Requirement,
  actor: Actor | null | undefined,
): Refusal | undefined {
  if (rules.length === 0 && open) return undefined;
  if (!actor) return UNAUTHENTICATED;
  if (actor.mustChangePassword && !beforePasswordChange) return OLD_PASSWORD;
  let refusal: Refusal | undefined;
  for (const { requires, scopes } of rules) {
    if (!requires.includes(actor.role)) return WRONG_ROLE;
    if (scopes && !hasScope(actor, scopes)) refusal ??= { code: 'FORBIDDEN', scopes };
  }
  return refusal;
}

/** The error of a refusal. The same for a missing, a wrong and an ended credential: it never says which. */
export function accessError(
  { code, scopes }: Refusal,
  what: string,
  place: Pick<GraphQLErrorOptions, 'nodes' | 'path'> = {},
): GraphQLError {
  const { httpStatus: status, retryable } = ERROR_CODES[code];
  const problem =
    code === 'UNAUTHENTICATED'
      ? 'needs a valid token or API key'
      : code === 'PASSWORD_CHANGE_REQUIRED'
        ? AFTER_PASSWORD_CHANGE
        : scopes
          ? `needs an API key with ${namesOf(scopes)}`
          : 'is not allowed for this role';
  return new GraphQLError(`${what} ${problem}.`, {
    ...place,
    extensions: { code, retryable, http: { status } },
  });
}

/**
 * The first gate: refuses a whole operation before anything of it runs, on every transport. It sees the document's
 * static types only, and runs once for each context object, which must therefore be made anew for each operation.
 */
export function authPlugin(): ReturnType<typeof rememberAdmissions> {
  const requirements = new WeakMap<GraphQLField<unknown, unknown>, Requirement>();
  const plugin = useGenericAuth<Actor, Record<string, unknown>, 'actor'>({
    mode: 'protect-all',
    authDirectiveName: 'public',
    contextFieldName: 'actor',
    resolveUserFn: context => (context as unknown as ActorContext).actor ?? null,
    // Replaces all checks of the library: its own lets @public on a type cancel @auth on one of its fields.
    validateUser({ user, parentType, field, fieldNode, path, executionArgs }) {
      let requirement = requirements.get(field);
      if (!requirement) {
        requirement = requirementOf(parentType, field, executionArgs.schema);
        requirements.set(field, requirement);
      }
      const refusal = refusalFor(requirement, user);
      if (refusal)
        return accessError(refusal, `${parentType.name}.${field.name}`, {
          nodes: [fieldNode],
          path: [...path],
        });
    },
  });
  // The library types its plugin by what it adds to the context, which only narrows what is there already.
  return rememberAdmissions(plugin as unknown as Plugin);
}
