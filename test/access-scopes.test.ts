// Which root field an API key may use by what it is for: every one of the schema, with a key of an ADMIN for each scope,
// over every transport. A new root field, or another scope, is on purpose: run this file with UPDATE_ACCESS=1, read the
// difference, and commit test/fixtures/access-scopes.txt with it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { API_KEY_SCOPES, type ApiKeyScope } from '../src/domain/access.ts';
import { BOUNDLESS_CALLERS, startTestApp, type TestApp } from './support/app.ts';
import { type RootField, rootFields } from './support/root-fields.ts';
import { assertCommitted, printedTable } from './support/tables.ts';
import { makeEvents, type Send, transportsOf } from './support/transports.ts';

test('every root field admits keys of the scopes that the committed table says, over every transport', async t => {
  // All keys are one user's.
  const app = await startTestApp(t, BOUNDLESS_CALLERS);
  const keys = await Promise.all(API_KEY_SCOPES.map(scope => keyWith(app, [scope])));
  const unlimited = await keyWith(app, undefined);

  const sections: string[] = [];
  for (const [transport, send] of Object.entries(transportsOf(t, app))) {
    const rows: string[][] = [];
    for (const field of rootFields()) {
      // Subscriptions do not exist over plain HTTP.
      if (transport === 'HTTP' && field.operation === 'subscription') continue;
      const cells = [];
      for (const key of keys) cells.push(await cellOf(field, send, { app, key }));
      assert.equal(
        await cellOf(field, send, { app, key: unlimited }),
        cells.at(-1),
        'like a key for everything',
      );
      rows.push([field.name, ...cells]);
    }
    if (transport === 'HTTP')
      rows.push(['/metrics', ...(await Promise.all(keys.map(key => scrape(app, key))))]);
    sections.push(printedTable([[transport, ...API_KEY_SCOPES], ...rows]));
  }

  assertCommitted('access-scopes.txt', sections.join('\n'));
});

async function keyWith({ app, adminToken }: TestApp, scopes: ApiKeyScope[] | undefined): Promise<string> {
  const admin = (await app.members.authenticate(adminToken))!;
  return (await app.members.createApiKey(admin, { name: `for ${scopes ?? 'all'}`, scopes })).secret;
}

async function cellOf(
  field: RootField,
  send: Send,
  { app, key }: { app: TestApp; key: string },
): Promise<string> {
  const stop = field.operation === 'subscription' ? makeEvents(app, app.adminToken) : undefined;
  const { code, message } = await send({ query: field.query, variables: field.variables, token: key });
  await stop?.();
  assert.notEqual(code, 'INTERNAL', field.name);
  assert.doesNotMatch(message ?? '', /^Too many operations/, field.name);
  if (code !== 'FORBIDDEN') return 'allowed';
  // By the field, or by what else is needed for it.
  assert.match(
    message!,
    new RegExp(`^(${field.name}|request:read) needs an API key with the scope [A-Z]+( or [A-Z]+)*\\.$`),
  );
  return code;
}

async function scrape({ url }: TestApp, key: string): Promise<string> {
  const response = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${key}` } });
  const body = await response.text();
  if (response.status === 200) return 'allowed';
  assert.match(body, /"FORBIDDEN".*with the scope METRICS/);
  return 'FORBIDDEN';
}
