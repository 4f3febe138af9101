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
import { ROLES, type Role } from '../domain/access.ts';
import { isRootType, ruleOf } from './auth.ts';

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
  const { isPublic, requires } = ruleOf(element, schema);
  const unknown = Object.keys(directives).filter(directive => !KNOWN_DIRECTIVES.includes(directive));
  const repeated = Object.entries(directives).filter(([, uses]) => (uses?.length ?? 0) > 1);
  const oldStyle = OLD_STYLE.filter(key => key in element.extensions);
  const strangers = (requires ?? []).filter(role => !ROLES.includes(role));
  return [
    ...unknown.map(directive => `${name} carries @${directive}, which nothing enforces`),
    ...repeated.map(([directive]) => `${name} repeats @${directive}; only the first would count`),
    ...oldStyle.map(key => `${name} has extensions.${key}, which nothing reads`),
    ...(isPublic && requires ? [`${name} is both @public and @auth`] : []),
    ...(requires?.length === 0 ? [`${name} has an @auth that admits nobody`] : []),
    ...strangers.map(role => `${name} requires the unknown role ${role}`),
  ];
}

function lintType(type: Composite, schema: GraphQLSchema): string[] {
  const { isPublic, requires } = ruleOf(type, schema);
  const guarded = Object.values(type.getFields()).filter(field => ruleOf(field, schema).requires);
  const unions = Object.values(schema.getTypeMap()).filter(isUnionType);
  const holders = isObjectType(type)
    ? [...type.getInterfaces(), ...unions.filter(union => union.getTypes().includes(type))]
    : [];
  return [
    ...(isPublic ? guarded.map(field => `${type.name} is @public but its field ${field.name} is not`) : []),
    ...(requires
      ? holders.map(holder => `${type.name} is limited to roles but can be reached through ${holder.name}`)
      : []),
  ];
}

function lintField(type: Composite, field: GraphQLField<unknown, unknown>, schema: GraphQLSchema): string[] {
  const name = `${type.name}.${field.name}`;
  const rule = ruleOf(field, schema);
  const problems: string[] = [];
  if (isRootType(type, schema) && !rule.isPublic && !rule.requires) {
    problems.push(`${name} is a root field without @public or @auth`);
  }
  const target = getNamedType(field.type);
  const needed = ruleOf(target, schema).requires;
  if (needed && !isWithin(rule.requires ?? ruleOf(type, schema).requires, needed)) {
    problems.push(`${name} returns ${target.name}, which fewer roles may see than the field itself`);
  }
  for (const ancestor of rule.requires ? type.getInterfaces() : []) {
    const inInterface = ancestor.getFields()[field.name];
    if (inInterface && !ruleOf(inInterface, schema).requires) {
      problems.push(`${name} has an @auth that ${ancestor.name}.${field.name} lacks`);
    }
  }
  return problems;
}

function isWithin(roles: readonly Role[] | undefined, needed: readonly Role[]): boolean {
  return roles?.every(role => needed.includes(role)) ?? false;
}
