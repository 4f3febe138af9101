// GraphQL over HTTP, judged by the public conformance suite.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { serverAudits } from 'graphql-http';
import { startTestServer, type TestServer } from './test-server.ts';

describe('the audits of graphql-http', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  after(() => server.close());

  const audits = serverAudits({
    url: () => server.graphql,
    fetchFn: (input: string | URL, init: RequestInit = {}) =>
      fetch(input, { ...init, headers: { ...init.headers, authorization: 'Bearer user' } }),
  });
  for (const audit of audits) {
    test(audit.name, async () => {
      const result = await audit.fn();
      assert.equal(result.status, 'ok', 'reason' in result ? result.reason : '');
    });
  }
});
