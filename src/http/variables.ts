// Why variables do not fit their types, told by path and type and without repeating a value: values may be huge,
// or secret.

import {
  type GraphQLError,
  type GraphQLInputType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  isScalarType,
  type OperationDefinitionNode,
  typeFromAST,
} from 'graphql';
import { requestError } from './refusals.ts';

/** One error for each place, at most five; none when the variables fit. */
export function variableErrors(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  values: Record<string, unknown>,
): GraphQLError[] {
  const problems: string[] = [];
  for (const { variable, type, defaultValue } of operation.variableDefinitions ?? []) {
    const inputType = typeFromAST(schema, type);
    if (!inputType || !isInputType(inputType)) continue;
    const name = variable.name.value;
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined && defaultValue) continue;
    findProblems(value, inputType, { path: `$${name}`, problems });
  }
  return problems.slice(0, 5).map(problem => requestError(problem, true));
}

interface Finding {
  readonly path: string;
  readonly problems: string[];
}

function findProblems(value: unknown, type: GraphQLInputType, finding: Finding): void {
  const { path, problems } = finding;
  if (problems.length >= 5) return;
  if (isNonNullType(type)) {
    if (value === undefined || value === null)
      problems.push(`Variable "${path}" of type "${type}" is required.`);
    else findProblems(value, type.ofType, finding);
  } else if (value === undefined || value === null) {
    return;
  } else if (isListType(type)) {
    const items: unknown[] = Array.isArray(value) ? value : [value];
    items.forEach((item, index) => {
      findProblems(item, type.ofType, { path: `${path}[${index}]`, problems });
    });
  } else if (isInputObjectType(type)) {
    findObjectProblems(value, type, finding);
  } else if (!isLeafValue(value, type)) {
    problems.push(`Variable "${path}" is not a value of type "${type}".`);
  }
}

function findObjectProblems(
  value: unknown,
  type: GraphQLInputType & {
    getFields: () => Record<string, { type: GraphQLInputType; defaultValue?: unknown }>;
  },
  { path, problems }: Finding,
): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.push(`Variable "${path}" is not an object of type "${type}".`);
    return;
  }
  const given = value as Record<string, unknown>;
  const fields = type.getFields();
  if (Object.keys(given).some(name => !Object.hasOwn(fields, name))) {
    problems.push(`Variable "${path}" has a field that type "${type}" does not have.`);
  }
  for (const [name, field] of Object.entries(fields)) {
    const inner = Object.hasOwn(given, name) ? given[name] : undefined;
    if (inner === undefined && field.defaultValue !== undefined) continue;
    findProblems(inner, field.type, { path: `${path}.${name}`, problems });
  }
  if (isInputObjectType(type) && type.isOneOf) {
    const set = Object.values(given).filter(inner => inner !== undefined);
    if (set.length !== 1 || set[0] === null) problems.push(`Variable "${path}" must have exactly one field.`);
  }
}

function isLeafValue(value: unknown, type: GraphQLInputType): boolean {
  if (!isScalarType(type) && !isEnumType(type)) return true;
  try {
    return type.coerceInputValue(value) !== undefined;
  } catch {
    return false;
  }
}
