// What a client sees of what was thrown.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildSchema, execute, GraphQLError, type GraphQLSchema, parse, validate } from 'graphql';
import { badInput, DomainError } from '../../src/domain/errors.ts';
import { createErrorMasker } from '../../src/graphql/errors.ts';

function createMasker() {
  const logged: { fault: unknown; requestId: string; path: string | undefined }[] = [];
  const maskError = createErrorMasker({
    log: (fault, facts) => logged.push({ fault, ...facts }),
    requestId: () => 'id-1',
  });
  return { maskError, logged };
}

const SCHEMA: GraphQLSchema = buildSchema(
  'enum Color { RED } type Query { color(n: Int!): Color boom: String }',
);

async function errorOf(query: string, rootValue: object, variableValues = {}): Promise<GraphQLError> {
  const { errors } = await execute({ schema: SCHEMA, document: parse(query), rootValue, variableValues });
  return errors![0]!;
}

test('a refusal keeps its message and place and says code, retryable and its facts', async () => {
  const { maskError, logged } = createMasker();
  const thrown = await errorOf('{ boom }', {
    boom() {
      throw badInput('priority', 'must be 0 to 100');
    },
  });

  const shown = maskError(thrown).toJSON();

  assert.deepEqual(shown, {
    message: 'priority must be 0 to 100',
    locations: [{ line: 1, column: 3 }],
    path: ['boom'],
    extensions: { argument: 'priority', code: 'BAD_USER_INPUT', retryable: false },
  });
  assert.deepEqual(logged, []);
});

test('a refusal for load says when to come back, to proxies too', async () => {
  const { maskError } = createMasker();
  const thrown = await errorOf('{ boom }', {
    boom() {
      throw new DomainError('RATE_LIMITED', 'Too many.', { retryAfterMs: 1_500 });
    },
  });

  assert.deepEqual(maskError(thrown).extensions, {
    code: 'RATE_LIMITED',
    retryable: true,
    retryAfterMs: 1_500,
    http: { status: 429, headers: { 'Retry-After': '2' } },
  });
});

test('a fault is INTERNAL, and only the log has its text, under the id the client was given', async () => {
  const { maskError, logged } = createMasker();
  const fault = new TypeError('password is hunter2');
  const thrown = await errorOf('{ boom }', {
    boom() {
      throw fault;
    },
  });

  const shown = maskError(thrown);

  assert.equal(shown.message, 'Internal error');
  assert.deepEqual(shown.path, ['boom']);
  assert.deepEqual(shown.extensions, { code: 'INTERNAL', retryable: true, requestId: 'id-1' });
  assert.equal(shown.originalError, undefined);
  assert.ok(!JSON.stringify(shown).includes('hunter2'));
  assert.deepEqual(logged, [{ fault, requestId: 'id-1', path: 'boom' }]);
});

test('a value of ours that does not fit the schema is a fault of ours', async () => {
  const { maskError, logged } = createMasker();
  const thrown = await errorOf('{ color(n: 1) }', { color: () => 'secret shade' });

  assert.equal(maskError(thrown).extensions.code, 'INTERNAL');
  assert.equal(logged.length, 1);
});

test('an argument that only turns out to be wrong when its field runs is BAD_USER_INPUT', async () => {
  const { maskError } = createMasker();
  const thrown = await errorOf('query ($n: Int = 1) { color(n: $n) }', { color: () => 'RED' }, { n: null });

  assert.equal(maskError(thrown).extensions.code, 'BAD_USER_INPUT');
});

test('syntax, validation and variables are BAD_USER_INPUT and keep what GraphQL says', async () => {
  const { maskError, logged } = createMasker();
  const syntax = (() => {
    try {
      parse('{');
    } catch (error) {
      return error as GraphQLError;
    }
    throw new Error('parsed');
  })();
  const [invalid] = validate(SCHEMA, parse('{ nothing }'));
  const coercion = await errorOf('query ($n: Int!) { color(n: $n) }', {}, { n: 'x' });

  for (const error of [syntax, invalid!, coercion]) {
    const shown = maskError(error);
    assert.equal(shown.message, error.message);
    assert.deepEqual(shown.locations, error.locations);
    assert.equal(shown.extensions.code, 'BAD_USER_INPUT');
    assert.deepEqual(shown.extensions.http, { status: 400, spec: true, headers: {} });
  }
  assert.deepEqual(logged, []);
});

test('an error that brings a code of ours keeps it and its HTTP status; a foreign code is not believed', () => {
  const { maskError } = createMasker();
  const refused = new GraphQLError('No.', { extensions: { code: 'FORBIDDEN', http: { status: 403 } } });
  const limit = new GraphQLError('Deep.', { extensions: { code: 'QUERY_TOO_COMPLEX', limit: 'depth' } });
  const foreign = new GraphQLError('Odd.', { extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } });

  assert.deepEqual(maskError(refused).extensions, {
    code: 'FORBIDDEN',
    retryable: false,
    http: { status: 403 },
  });
  assert.equal(maskError(limit).extensions.limit, 'depth');
  assert.equal(maskError(foreign).extensions.code, 'BAD_USER_INPUT');
});

test('what was thrown outside of execution is treated alike', () => {
  const { maskError, logged } = createMasker();

  assert.equal(maskError(new DomainError('SHUTTING_DOWN', 'Stopping.')).extensions.code, 'SHUTTING_DOWN');
  for (const thrown of [new Error('x'), 'text', null, undefined, { message: 'x' }])
    assert.equal(maskError(thrown).message, 'Internal error');
  assert.equal(logged.length, 5);
});
