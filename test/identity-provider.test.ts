// A server that accepts the tokens of an organisation's identity provider beside its own: configured as people do it, asked
// over every transport.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Answer, startTestApp } from './support/app.ts';
import { createSigningKey, environmentOf, startIdentityProvider } from './support/identity-provider.ts';
import { readStream, submit, textOf } from './support/requests.ts';
import { transportsOf } from './support/transports.ts';

async function start(t: TestContext) {
  const idp = await startIdentityProvider(t);
  return { idp, app: await startTestApp(t, environmentOf(idp)) };
}

const WHO = '{ viewer { username role } }';

test('a token of the provider is a credential over every transport, beside our own', async t => {
  const { idp, app } = await start(t);
  const [anna, operator] = [
    idp.token(),
    idp.token({ sub: 'subject-2', preferred_username: 'olga', roles: ['operators'] }),
  ];

  assert.deepEqual((await app.ask(WHO, {}, anna)).viewer, { username: 'anna', role: 'USER' });
  assert.deepEqual((await app.ask(WHO, {}, operator)).viewer, { username: 'olga', role: 'ADMIN' });
  assert.deepEqual((await app.ask(WHO)).viewer, { username: 'admin', role: 'ADMIN' });
  for (const [transport, send] of Object.entries(transportsOf(t, app))) {
    const codeFor = async (query: string, token: string) =>
      (await send({ query, variables: {}, token })).code;
    assert.equal(await codeFor(WHO, anna), undefined, transport);
    assert.equal(await codeFor('{ users { nodes { id } } }', anna), 'FORBIDDEN', transport);
    assert.equal(await codeFor('{ users { nodes { id } } }', operator), undefined, transport);
    assert.equal(
      await codeFor('{ viewer { id } }', idp.token({ aud: 'another' })),
      'UNAUTHENTICATED',
      transport,
    );
  }
  const id = await submit(app, { prompt: 'Why?' }, anna);
  const own = await app.ask(
    'query ($id: ID!) { request(id: $id) { submittedBy { username } } }',
    { id },
    anna,
  );
  assert.equal(own.request.submittedBy.username, 'anna');
  assert.notEqual(textOf(await readStream(app, id)), '');
  assert.deepEqual(idp.asked, ['/.well-known/openid-configuration', '/keys']);
});

test('whatever is wrong with a token, the answer is the one to none at all', async t => {
  const { idp, app } = await start(t);
  await app.ask(WHO, {}, idp.token());
  const answerTo = async (token: string | null): Promise<string> => {
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token !== null && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query: WHO }),
    });
    const headers = [...response.headers].filter(([name]) => name !== 'date');
    return JSON.stringify([response.status, headers, await response.text()]);
  };
  const none = await answerTo(null);

  for (const [name, token] of Object.entries({
    'by a stranger': idp.token({}, { key: createSigningKey('first') }),
    'by a key that is not known': idp.token({}, { key: createSigningKey('unknown') }),
    expired: idp.token({ exp: Math.floor(Date.now() / 1_000) - 1 }),
    'for another audience': idp.token({ aud: 'another' }),
    'with no role': idp.token({ sub: 'guest', preferred_username: 'guest', roles: [] }),
    'with a name that is taken': idp.token({
      sub: 'thief',
      preferred_username: 'admin',
      roles: ['operators'],
    }),
    'with an address of keys': idp.token({}, { header: { jku: `${idp.url}/elsewhere` } }),
  }))
    assert.equal(await answerTo(token), none, name);

  assert.ok(!idp.asked.includes('/elsewhere'));
  const { auditEvents } = await app.ask(
    '{ auditEvents(filter: { action: "identity.refuse" }) { nodes { actorId reason data } } }',
  );
  assert.deepEqual(auditEvents.nodes, [
    {
      actorId: null,
      reason: 'the name is taken',
      data: { issuer: idp.url, subject: 'thief', username: 'admin' },
    },
    {
      actorId: null,
      reason: 'the claims give no role',
      data: { issuer: idp.url, subject: 'guest', username: 'guest' },
    },
  ]);
});

test('a subscription ends with its token, and with the claim that allowed it', async t => {
  const { idp, app } = await start(t);
  const seconds = Math.floor(Date.now() / 1_000);
  const operator = { sub: 'subject-2', preferred_username: 'olga', roles: ['operators'] };
  // Issued a while ago, so that the next one is newer.
  const short = idp.token({ ...operator, iat: seconds - 60, exp: seconds + 3 });
  const long = idp.token({ ...operator, iat: seconds - 60 });
  const endOf = async (token: string) => {
    try {
      for await (const _ of app.follow('subscription { metricsUpdates { computedAt } }', {}, token));
    } catch (end) {
      return `${(end as { code?: unknown }).code} ${(end as Error).message}`;
    }
    return 'completed';
  };
  const [byExpiry, byClaim] = [endOf(short), endOf(long)];

  assert.match(await byExpiry, /4403|UNAUTHENTICATED/);
  await app.ask(WHO, {}, idp.token({ ...operator, roles: ['staff'] }));
  assert.match(await byClaim, /4403|UNAUTHENTICATED/);
  const again: Answer = await app.send('{ users { nodes { id } } }', {}, long);
  assert.equal(again.errors?.[0]?.extensions.code, 'FORBIDDEN');
});

test('while the provider is away, those who are known come in, and so do our own', async t => {
  const { idp, app } = await start(t);
  await app.ask(WHO, {}, idp.token());
  idp.state.answer = (_request, response) => response.destroy();

  const later = idp.token({ jti: 'another token' });
  assert.equal((await app.ask(WHO, {}, later)).viewer.username, 'anna');
  assert.equal((await app.ask(WHO)).viewer.username, 'admin');
  const unknown = await app.send(WHO, {}, idp.token({}, { key: createSigningKey('new') }));
  assert.equal(unknown.status, 401);
});
