// The schema as a whole: what is committed is what is served, everything is described, one dialect throughout.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  buildSchema,
  type GraphQLInputObjectType,
  type GraphQLObjectType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isNonNullType,
  isObjectType,
  isScalarType,
} from 'graphql';
import { API_KEY_SCOPES, ROLES } from '../src/domain/access.ts';
import { BREAKER_STATES } from '../src/domain/breaker.ts';
import { BUDGET_PERIODS } from '../src/domain/budget.ts';
import { ERROR_CODES } from '../src/domain/errors.ts';
import { METRICS_DIMENSIONS } from '../src/domain/metrics.ts';
import { PROVIDER_SOURCES, PROVIDER_STATUSES } from '../src/domain/model.ts';
import { RATE_LIMIT_KINDS } from '../src/domain/rate-limit.ts';
import { ATTEMPT_OUTCOMES, MESSAGE_ROLES, REQUEST_STATUSES, TASK_TYPES } from '../src/domain/request.ts';
import {
  HELD_BACK_REASONS,
  REJECTION_REASONS,
  ROUTING_STRATEGIES,
  SELECTION_REASONS,
} from '../src/domain/routing.ts';
import { authLint } from '../src/graphql/auth-lint.ts';
import { printSchemaText, schema } from '../src/graphql/schema.ts';

const TYPES = Object.values(schema.getTypeMap()).filter(type => !type.name.startsWith('__'));
const BUILT_IN = ['String', 'Int', 'Float', 'Boolean', 'ID'];

test('schema.graphql is what the code prints', () => {
  const committed = readFileSync(new URL('../schema.graphql', import.meta.url), 'utf8');

  assert.equal(committed, printSchemaText(), 'run `npm run codegen` and commit schema.graphql');
});

test('what is printed stands on its own', () => {
  const rebuilt = buildSchema(printSchemaText());

  assert.deepEqual(Object.keys(rebuilt.getTypeMap()).sort(), Object.keys(schema.getTypeMap()).sort());
});

test('defaults are printed, and executed in the way that every executor knows', () => {
  const { priority } = (schema.getType('SubmitRequestInput') as GraphQLInputObjectType).getFields();

  assert.deepEqual([priority!.defaultValue, priority!.default], [50, undefined]);
  assert.match(printSchemaText(), /\n {2}priority: Int = 50\n/);
  assert.match(printSchemaText(), /\n {2}taskType: TaskType = CHAT\n/);
});

test('everything has a description', () => {
  assert.deepEqual(undescribed(), []);
});

function undescribed(): string[] {
  const missing: string[] = [];
  const look = (name: string, { description }: { description?: string | null | undefined }) => {
    if (!description?.trim() || !/^[\p{Lu}\p{N}`']/u.test(description)) missing.push(name);
  };
  for (const directive of schema.getDirectives()) look(`@${directive.name}`, directive);
  for (const type of TYPES) {
    look(type.name, type);
    if (isEnumType(type)) for (const value of type.getValues()) look(`${type.name}.${value.name}`, value);
    if (isInputObjectType(type) || isObjectType(type) || isInterfaceType(type))
      for (const field of Object.values(type.getFields())) {
        look(`${type.name}.${field.name}`, field);
        for (const arg of 'args' in field ? field.args : [])
          look(`${type.name}.${field.name}(${arg.name}:)`, arg);
      }
  }
  return missing;
}

test('mutations are a verb and a noun, take one input and return their own payload', () => {
  const withoutInput = ['logout'];
  const verbs =
    /^(login|logout|(submit|cancel|reset|open|drain|enable|create|update|set|remove|revoke|rotate|change|decide|pause|resume|rerun|run|delete)[A-Z][A-Za-z]+)$/;

  for (const mutation of Object.values(schema.getMutationType()!.getFields())) {
    const pascal = mutation.name[0]!.toUpperCase() + mutation.name.slice(1);
    assert.match(mutation.name, verbs);
    assert.equal(String(mutation.type), `${pascal}Payload!`);
    assert.deepEqual(
      mutation.args.map(arg => `${arg.name}: ${arg.type}`),
      withoutInput.includes(mutation.name) ? [] : [`input: ${pascal}Input!`],
    );
  }
});

test('names follow one dialect', () => {
  for (const type of TYPES) {
    assert.match(type.name, /^[A-Z][A-Za-z]+$/);
    if (type.name !== 'TaskType') assert.doesNotMatch(type.name, /(Type|Enum|Union|Interface)$/);
  }
});

test('the enums are the closed sets of the domain', () => {
  const sets = {
    ApiKeyScope: API_KEY_SCOPES,
    AttemptOutcome: ATTEMPT_OUTCOMES,
    BreakerState: BREAKER_STATES,
    BudgetPeriod: BUDGET_PERIODS,
    HeldBackReason: HELD_BACK_REASONS,
    ErrorCode: Object.keys(ERROR_CODES),
    MessageRole: MESSAGE_ROLES,
    MetricsDimension: METRICS_DIMENSIONS,
    ProviderSource: PROVIDER_SOURCES,
    ProviderStatus: PROVIDER_STATUSES,
    RateLimitKind: RATE_LIMIT_KINDS,
    RejectionReason: REJECTION_REASONS,
    RequestStatus: REQUEST_STATUSES,
    Role: ROLES,
    RoutingStrategy: ROUTING_STRATEGIES,
    SelectionReason: SELECTION_REASONS,
    TaskType: TASK_TYPES,
  };
  for (const [name, members] of Object.entries(sets)) {
    const type = schema.getType(name);
    assert.ok(isEnumType(type), name);
    assert.deepEqual(
      type
        .getValues()
        .map(value => value.name)
        .sort(),
      [...members].sort(),
    );
  }
});

test('connections are what Relay expects', () => {
  const connections = TYPES.filter(type => type.name.endsWith('Connection')) as GraphQLObjectType[];
  assert.ok(connections.length >= 3);
  for (const connection of connections) {
    const fields = connection.getFields();
    const edge = getNamedType(fields.edges!.type) as GraphQLObjectType;
    assert.equal(String(fields.pageInfo!.type), 'PageInfo!');
    assert.equal(edge.name, connection.name.replace('Connection', 'Edge'));
    assert.equal(String(edge.getFields().cursor!.type), 'String!');
    assert.ok(isNonNullType(edge.getFields().node!.type));
  }
});

test('own scalars name their specification where there is one', () => {
  const specified = TYPES.filter(
    type => isScalarType(type) && !BUILT_IN.includes(type.name) && type.specifiedByURL,
  );

  assert.deepEqual(specified.map(type => type.name).sort(), ['DateTime', 'JSON']);
});

test('the rules of access have no holes that a lint can see', () => {
  assert.deepEqual(authLint(schema), []);
});
