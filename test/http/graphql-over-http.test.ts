// How GraphQL requests are answered over HTTP: media types, methods, malformed requests, errors.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { answerOf, post, startTestServer, type TestServer } from './test-server.ts';

const RESPONSE_JSON = 'application/graphql-response+json';
const JSON_TYPE = 'application/json';

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server.close());

describe('the Accept header', () => {
  const cases: [string | undefined, string][] = [
    [undefined, JSON_TYPE],
    ['*/*', JSON_TYPE],
    ['application/*', JSON_TYPE],
    [JSON_TYPE, JSON_TYPE],
    [RESPONSE_JSON, RESPONSE_JSON],
    [`${RESPONSE_JSON}, ${JSON_TYPE};q=0.9`, RESPONSE_JSON],
    [`${RESPONSE_JSON};q=0.5, ${JSON_TYPE}`, JSON_TYPE],
    [`${JSON_TYPE}, ${RESPONSE_JSON}`, RESPONSE_JSON],
    [`text/html, ${JSON_TYPE};charset=utf-8`, JSON_TYPE],
  ];
  for (const [accept, expected] of cases) {
    test(`${accept} is answered as ${expected}`, async () => {
      const response = await post(server, { query: '{ hello }' }, accept ? { accept } : {});
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('content-type'), `${expected}; charset=utf-8`);
      assert.deepEqual(await response.json(), { data: { hello: 'world' } });
    });
  }

  for (const accept of ['text/html', 'application/json;q=0', 'application/json;charset=latin1', 'image/*']) {
    test(`${accept} is 406`, async () => {
      const response = await post(server, { query: 'mutation { count }' }, { accept });
      assert.equal(response.status, 406);
      assert.equal(server.observed.counter, 0);
    });
  }

  test('a client that reads only event streams gets the result of a query as one', async () => {
    const response = await post(server, { query: '{ hello }' }, { accept: 'text/event-stream' });
    assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
    assert.match(
      await response.text(),
      /event: next\ndata: {"data":{"hello":"world"}}\n\nevent: complete\ndata: \n\n$/,
    );
  });

  test('a subscription without an event stream in Accept is 406', async () => {
    const response = await post(server, { query: 'subscription { ticks }' }, { accept: JSON_TYPE });
    assert.equal(response.status, 406);
    assert.equal(server.observed.open, 0);
  });
});

describe('methods and bodies', () => {
  for (const contentType of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    '',
  ]) {
    test(`a body of type "${contentType}" is 415 and does nothing`, async () => {
      const response = await fetch(server.graphql, {
        method: 'POST',
        headers: { 'content-type': contentType, authorization: 'Bearer user' },
        body: JSON.stringify({ query: 'mutation { count }' }),
      });
      assert.equal(response.status, 415);
      assert.equal(server.observed.counter, 0);
    });
  }

  for (const encoding of ['gzip', 'br', 'deflate']) {
    test(`a body in ${encoding} is 415`, async () => {
      const response = await post(
        server,
        { query: '{ hello }' },
        { headers: { 'content-encoding': encoding } },
      );
      assert.equal(response.status, 415);
    });
  }

  for (const method of ['PUT', 'DELETE', 'PATCH']) {
    test(`${method} is 405 and says what is allowed`, async () => {
      const response = await fetch(server.graphql, { method, headers: { authorization: 'Bearer user' } });
      assert.equal(response.status, 405);
      assert.equal(response.headers.get('allow'), 'GET, POST, OPTIONS');
    });
  }

  test('a query by GET runs, with variables as JSON', async () => {
    const variables = encodeURIComponent('{"text":"grüße"}');
    const query = encodeURIComponent('query ($text: String) { echo(text: $text) }');
    const response = await fetch(`${server.graphql}?query=${query}&variables=${variables}`, {
      headers: { authorization: 'Bearer user' },
    });
    assert.deepEqual(await response.json(), { data: { echo: 'grüße' } });
  });

  test('a mutation by GET is 405 and does nothing', async () => {
    const response = await fetch(`${server.graphql}?query=${encodeURIComponent('mutation { count }')}`, {
      headers: { authorization: 'Bearer user' },
    });
    assert.equal(response.status, 405);
    assert.equal(response.headers.get('allow'), 'POST');
    assert.equal(server.observed.counter, 0);
  });

  test('bytes that are not UTF-8 are 400', async () => {
    const body = Buffer.concat([
      Buffer.from('{"query":"{ hello }'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('"}'),
    ]);
    const response = await fetch(server.graphql, {
      method: 'POST',
      headers: { 'content-type': JSON_TYPE, authorization: 'Bearer user' },
      body,
    });
    assert.equal(response.status, 400);
  });
});

describe('malformed requests', () => {
  const bodies: [string, string][] = [
    ['no JSON', '{"query": "{ hello }", CANARY'],
    ['an empty body', ''],
    ['null', 'null'],
    ['a number', '7'],
    ['a string', '"CANARY"'],
    ['an empty batch', '[]'],
    ['no query', '{"CANARY":1}'],
    ['an empty query', '{"query":""}'],
    ['a query that is no string', '{"query":{"CANARY":1}}'],
    ['an operationName that is no string', '{"query":"{ hello }","operationName":["CANARY"]}'],
    ['variables that are a list', '{"query":"{ hello }","variables":["CANARY"]}'],
    ['extensions that are a string', '{"query":"{ hello }","extensions":"CANARY"}'],
  ];
  for (const accept of [JSON_TYPE, RESPONSE_JSON]) {
    for (const [name, body] of bodies) {
      test(`${name} is 400 as ${accept}, without an echo`, async () => {
        const response = await post(server, body, { accept });
        const text = await response.text();
        assert.equal(response.status, 400);
        assert.doesNotMatch(text, /CANARY/);
        const answer = JSON.parse(text);
        assert.deepEqual(Object.keys(answer), ['errors']);
        assert.equal(answer.errors[0].extensions.code, 'BAD_USER_INPUT');
        assert.ok(!('http' in answer.errors[0].extensions));
      });
    }
  }

  test('null for what is optional is allowed', async () => {
    const nulls = { operationName: null, variables: null, extensions: null };
    const response = await post(server, { query: '{ hello }', ...nulls });
    assert.equal(response.status, 200);
  });
});

describe('errors in the document', () => {
  const documents: [string, object][] = [
    ['a syntax error', { query: '{' }],
    ['an unknown field', { query: '{ nothing }' }],
    ['an unknown operation', { query: 'query A { hello }', operationName: 'B' }],
    ['several operations and no name', { query: 'query A { hello } query B { hello }' }],
    ['a wrong variable', { query: 'query ($t: String) { echo(text: $t) }', variables: { t: { CANARY: 1 } } }],
    ['a missing variable', { query: 'query ($t: String!) { echo(text: $t) }' }],
  ];
  for (const [name, body] of documents) {
    test(`${name} is 400 in the newer media type and 200 in the older`, async () => {
      for (const [accept, status] of [
        [RESPONSE_JSON, 400],
        [JSON_TYPE, 200],
      ] as const) {
        const response = await post(server, body, { accept });
        const answer = await answerOf(response);
        assert.equal(response.status, status);
        assert.deepEqual(Object.keys(answer), ['errors']);
        assert.equal(answer.errors?.[0]?.extensions.code, 'BAD_USER_INPUT');
        assert.doesNotMatch(JSON.stringify(answer), /CANARY/);
      }
    });
  }

  test('a variable that does not fit is told by path and type', async () => {
    const query = 'query ($input: EchoInput) { echo(input: $input) }';
    const answer = await answerOf(
      await post(server, { query, variables: { input: { priority: 'high', extra: 1 } } }),
    );
    assert.deepEqual(
      answer.errors?.map(error => error.message),
      [
        'Variable "$input" has a field that type "EchoInput" does not have.',
        'Variable "$input.text" of type "String!" is required.',
        'Variable "$input.priority" is not a value of type "Int".',
      ],
    );
  });

  test('names are suggested in development and hidden in production', async () => {
    const production = await startTestServer({ environment: 'production' });
    try {
      const open = await answerOf(await post(server, { query: '{ helo }' }));
      const closed = await answerOf(await post(production, { query: '{ helo }' }));
      assert.match(open.errors?.[0]?.message ?? '', /Did you mean "hello"/);
      assert.doesNotMatch(JSON.stringify(closed), /Did you mean|hello/);
    } finally {
      await production.close();
    }
  });
});

describe('errors in execution', () => {
  test('internals are masked and the answer is 200 with data', async () => {
    const response = await post(server, { query: '{ hello fail }' }, { accept: RESPONSE_JSON });
    const answer = await answerOf(response);
    assert.equal(response.status, 200);
    assert.deepEqual(answer.data, { hello: 'world', fail: null });
    assert.equal(answer.errors?.[0]?.message, 'Internal error');
    assert.equal(answer.errors?.[0]?.extensions.code, 'INTERNAL');
    assert.doesNotMatch(JSON.stringify(answer), /hunter2|ECONNREFUSED|at /);
  });

  test('what the server has no room for is 503 with Retry-After', async () => {
    const response = await post(server, { query: '{ busy }' });
    assert.equal(response.status, 503);
    assert.equal(response.headers.get('retry-after'), '3');
  });
});
