// Documents made to hurt: each is refused with a small answer on both transports, and a cheap query stays fast.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { getIntrospectionQuery } from 'graphql';
import { connect, subscribe } from './raw-socket.ts';
import { post, startTestServer, type TestServer } from './test-server.ts';

let server: TestServer;
before(async () => {
  server = await startTestServer({ limits: { operationsBurst: 10_000, operationsPerSecond: 10_000 } });
});
after(() => server.close());

const RESPONSE_JSON = 'application/graphql-response+json';

function many(count: number, text: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => text(index)).join(' ');
}

const ATTACKS: Record<string, string> = {
  'a dozen levels': `{ ${'self { '.repeat(12)} hello ${'}'.repeat(12)} }`,
  'thousands of levels': `{ ${'self { '.repeat(5_000)} hello ${'}'.repeat(5_000)} }`,
  'a hundred thousand levels': `{ ${'self{'.repeat(100_000)}`,
  'a list as deep': `{ echo(text: ${'['.repeat(100_000)}) }`,
  'an object nested deep': `{ echo(input: ${'{text:'.repeat(100)}1${'}'.repeat(100)}) }`,
  'hundreds of aliases': `{ ${many(300, n => `a${n}: hello`)} }`,
  'tens of thousands of aliases': `{ ${many(30_000, n => `a${n}: hello`)} }`,
  'one field a hundred thousand times': `{ ${many(100_000, () => 'hello')} }`,
  'hundreds of directives': `{ hello ${many(300, () => '@include(if: true)')} }`,
  'hundreds of unknown directives': `{ hello ${many(300, n => `@d${n}`)} }`,
  'circular fragments':
    '{ ...a } fragment a on Query { self { ...b } } fragment b on Query { self { ...a } }',
  'doubling fragments': `{ ...f0 } ${many(25, n => `fragment f${n} on Query { self { ...f${n + 1} } x: self { ...f${n + 1} } }`)} fragment f25 on Query { hello }`,
  'overlapping fields through fragments': `{ ${many(100, n => `...f${n}`)} } ${many(100, n => `fragment f${n} on Query { self { self { hello } } }`)}`,
  'thousands of operations': many(5_000, n => `query q${n} { hello }`),
  'hundreds of unknown fields': `{ self { ${many(300, n => `unknown${n}`)} } }`,
  'megabytes of commas': `{ hello ${','.repeat(900_000)} } }`,
  'a long string as a mistake': `{ hello "${'CANARY'.repeat(10_000)}" }`,
  'introspection under many names': `{ ${many(10, n => `a${n}: __schema { types { name } }`)} }`,
  'circular introspection': `{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }`,
  'defer where it is not offered': '{ ... @defer { hello } }',
};

describe('attacks on the query', () => {
  for (const [name, query] of Object.entries(ATTACKS)) {
    test(`${name}: 400 with a small answer, and the server stays fast`, async () => {
      const atMs = performance.now();
      const response = await post(server, { query }, { accept: RESPONSE_JSON });
      const tookMs = performance.now() - atMs;
      const text = await response.text();
      assert.equal(response.status, 400, text);
      assert.ok(text.length <= 16_000, `${text.length} characters`);
      assert.doesNotMatch(text, /CANARY/);
      assert.ok(tookMs < 500, `${tookMs} ms`);
      assert.equal((await post(server, { query: '{ hello }' })).status, 200);
    });
  }

  test('all that fit a socket message are refused there too, each on its id', async () => {
    const raw = await connect(server);
    for (const [name, query] of Object.entries(ATTACKS)) {
      const message = JSON.stringify(subscribe(name, query));
      if (message.length > 262_144) continue;
      raw.send(message);
      const error = await raw.until('error', name);
      assert.ok(JSON.stringify(error).length <= 16_500);
    }
    raw.send(subscribe('last', '{ hello }'));
    await raw.until('complete', 'last');
    await raw.close();
  });

  test('what stands in a document is not repeated, whatever is wrong with it', async () => {
    const mistakes = [
      '{ echo(text: 47114711) }',
      '{ echo(text: "47114711" }',
      '{ echo(text: { secret: "47114711" }) }',
      '{ echo(input: "47114711") }',
      '{ echo(input: { secret: "47114711" }) }',
      '{ echo(input: { text: "47114711", priorit: 1 }) }',
      '{ echo(input: { text: "", priority: "47114711" }) }',
      '{ echo(input: { text: "", priority: 47114711.5 }) }',
      '{ echo(input: { text: "", priority: 4711471147114711 }) }',
      '{ echo(input: { text: """47114711""", priority: [47114711] }) }',
      '{ hello @include(if: "47114711") }',
      'query ($t: EchoInput = { secret: "47114711" }) { echo(input: $t) }',
    ];
    for (const query of mistakes) {
      const text = await (await post(server, { query }, { accept: RESPONSE_JSON })).text();
      assert.match(text, /"code":"BAD_USER_INPUT"/, query);
      assert.doesNotMatch(text, /4711/, query);
    }
    const text = await (await post(server, { query: mistakes[5] })).text();
    assert.match(text, /not to include unknown field \\"priorit\\"\. Did you mean \\"priority\\"\?"/);
  });

  test('the answer names the limit', async () => {
    const limits: Record<string, string> = {
      'a dozen levels': 'depth',
      'thousands of levels': 'characters',
      'hundreds of directives': 'tokens',
      'circular fragments': 'depth',
      'doubling fragments': 'depth',
      'an object nested deep': 'valueDepth',
    };
    for (const [name, limit] of Object.entries(limits)) {
      const response = await post(server, { query: ATTACKS[name] });
      const { errors } = (await response.json()) as { errors: { extensions: object }[] };
      const { code, limit: told } = errors[0]!.extensions as { code: string; limit: string };
      assert.deepEqual([name, code, told], [name, 'QUERY_TOO_COMPLEX', limit]);
    }
  });
});

describe('odd but harmless', () => {
  test('the standard introspection query is served to whoever may introspect', async () => {
    const response = await post(server, { query: getIntrospectionQuery() });
    assert.deepEqual(Object.keys((await response.json()) as object), ['data']);
  });

  test('names of object properties pollute nothing', async () => {
    const body = `{"query":"query constructor($__proto: String) { constructor: hello toString: echo(text: $__proto) }",
      "variables":{"__proto__":{"polluted":1},"__proto":"x"},"extensions":{"__proto__":{"polluted":1}}}`;
    const response = await post(server, body);
    assert.ok([200, 400].includes(response.status));
    assert.equal(({} as { polluted?: number }).polluted, undefined);
  });

  test('NUL, lone surrogates and a byte order mark are 200 or 400', async () => {
    for (const text of ['\u0000', '\ud800', '\ufeff{"query":"{ hello }"}']) {
      const bodies = [
        text,
        { query: `{ echo(text: "${text}") }` },
        { query: '{ hello }', operationName: text },
      ];
      for (const body of bodies) assert.ok([200, 400].includes((await post(server, body)).status));
    }
  });

  test('a hundred thousand variables, and ones nested deep, do no harm', async () => {
    for (const [count, status] of [
      [10_000, 200],
      [50_000, 400],
    ] as const) {
      const variables = Object.fromEntries(Array.from({ length: count }, (_, index) => [`v${index}`, 1]));
      assert.equal((await post(server, { query: '{ hello }', variables })).status, status);
    }
    const deep = `{"query":"{ hello }","variables":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`;
    assert.equal((await post(server, deep)).status, 400);
  });

  test('thousands of distinct long documents do not fill the memory', async () => {
    const before = process.memoryUsage().heapUsed;
    for (let count = 0; count < 200; count++) {
      await post(server, { query: `{ hello } # ${count} ${'x'.repeat(100_000)}` });
    }
    assert.ok(process.memoryUsage().heapUsed - before < 100_000_000);
  });
});
