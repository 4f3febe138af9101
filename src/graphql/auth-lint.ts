// Reads a finished schema and reports rules that are missing, contradict each other, or would be ignored in silence.
// For a test, and for the moment the schema is printed.

import { getDirectiveExtensions } from '@graphql-tools/utils';
import {
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isInterfaceType,
  isObjectType,
  isUnionType,
} from 'graphql';
import { API_KEY_SCOPES, ROLES, type Role } from '../domain/access.ts';
import { declaredOn, isRootType } from './auth.ts';

type Composite = GraphQLObjectType | GraphQLInterfaceType;
type Element = GraphQLNamedType | GraphQLField<unknown, unknown>;

const KNOWN_DIRECTIVES = ['public', 'auth', 'deprecated', 'specifiedBy', 'oneOf'];
/** How other libraries, and older versions of this one, write rules; nothing here reads them. */
const OLD_STYLE = ['public', 'auth', 'authenticated', 'skipAuth'];

/** What is wrong, one sentence each; empty when nothing is. */
export function authLint(schema: GraphQLSchema): string[] {
  const types = Object.values(schema.getTypeMap()).filter(type => !type.name.startsWith('__'));
  const composites = types.filter(type => isObjectType(type) || isInterfaceType(type));
  return [
    ...types.flatMap(type => lintElement(type, type.name, schema)),
    ...composites.flatMap(type => [
      ...lintType(type, schema),
      ...Object.values(type.getFields()).flatMap(field => [
        ...lintElement(field, `${type.name}.${field.name}`, schema),
        ...lintField(type, field, schema),
      ]),
    ]),
  ];
}

/** Whatever can be wrong with one declaration by itself. */
function lintElement(element: Element, name: string, schema: GraphQLSchema): string[] {
  const directives = getDirectiveExtensions(element, schema);
  const { isPublic, rule } = declaredOn(element, schema);
  const unknown = Object.keys(directives).filter(directive => !KNOWN_DIRECTIVES.includes(directive));
  const repeated = Object.entries(directives).filter(([, uses]) => (uses?.length ?? 0) > 1);
  const oldStyle = OLD_STYLE.filter(key => key in element.extensions);
  const strangers = (rule?.requires ?? []).filter(role => !ROLES.includes(role));
  const strangeScopes = (rule?.scopes ?? []).filter(scope => !API_KEY_SCOPES.includes(scope));
  return [
    ...unknown.map(directive => `${name} carries @${directive}, which nothing enforces`),
    ...repeated.map(([directive]) => `${name} repeats @${directive}; only the first would count`),
    ...oldStyle.map(key => `${name} has extensions.${key}, which nothing reads`),
    ...(isPublic && rule ? [`${name} is both @public and @auth`] : []),
    ...(rule?.requires.length === 0 ? [`${name} has an @auth that admits nobody`] : []),
    ...(rule?.scopes?.length === 0 ? [`${name} has an @auth whose scopes no key can have`] : []),
    ...strangers.map(role => `${name} requires the unknown role ${role}`),
    ...strangeScopes.map(scope => `${name} requires the unknown scope ${scope}`),
  ];
}

function lintType(type: Composite, schema: GraphQLSchema): string[] {
  const { isPublic, rule } = declaredOn(type, schema);
  const guarded = Object.values(type.getFields()).filter(field => declaredOn(field, schema).rule);
  const unions = Object.values(schema.getTypeMap()).filter(isUnionType);
  const holders = isObjectType(type)
    ? [...type.getInterfaces(), ...unions.filter(union => union.getTypes().includes(type))]
    : [];
  return [
    ...(isPublic ? guarded.map(field => `${type.name} is @public but its field ${field.name} is not`) : []),
    ...(rule
      ? holders.map(holder => `${type.name} is limited to roles but can be reached through ${holder.name}`)
      : []),
  ];
}

function lintField(type: Composite, field: GraphQLField<unknown, unknown>, schema: GraphQLSchema): string[] {
  const name = `${type.name}.${field.name}`;
  const { isPublic, rule } = declaredOn(field, schema);
  const problems: string[] = [];
  if (isRootType(type, schema)) {
    if (!isPublic && !rule) problems.push(`${name} is a root field without @public or @auth`);
    if (rule && !rule.scopes) problems.push(`${name} is a root field whose @auth names no scopes`);
  }
  const target = getNamedType(field.type);
  const needed = declaredOn(target, schema).rule?.requires;
  if (needed && !isWithin((rule ?? declaredOn(type, schema).rule)?.requires, needed)) {
    problems.push(`${name} returns ${target.name}, which fewer roles may see than the field itself`);
  }
  for (const ancestor of rule ? type.getInterfaces() : []) {
    const inInterface = ancestor.getFields()[field.name];
    if (inInterface && !declaredOn(inInterface, schema).rule) {
      problems.push(`${name} has an @auth that ${ancestor.name}.${field.name} lacks`);
    }
  }
  return problems;
}

function isWithin(roles: readonly Role[] | undefined, needed: readonly Role[]): boolean {
  return roles?.every(role => needed.includes(role)) ?? false;
}
