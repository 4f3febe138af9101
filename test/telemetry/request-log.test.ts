// What a server prints of requests, by its policy: by itself nothing, and what is asked for by name.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogContent } from '../../src/domain/log-content.ts';
import type { ModelRequest } from '../../src/domain/request.ts';
import type { Log } from '../../src/telemetry/log.ts';
import { createRequestLog } from '../../src/telemetry/request-log.ts';
import { aRequest } from '../store/samples.ts';
import { startServerProcess, temporaryDirectory } from '../support/server-process.ts';

const QUESTION = 'Where does Canary7f3a live?';
const INPUT = { system: 'Be as brief as Canary9c1e.', prompt: `[[echo]] ${QUESTION}` };

function aModelRequest(): ModelRequest {
  const { spec: _spec, ...request } = aRequest();
  return { ...request, status: 'SUCCEEDED', deploymentId: 'openai/gpt', attemptCount: 1 } as never;
}

/** What is said of one request that was answered. */
function said(content: LogContent): object[] {
  const lines: object[] = [];
  const log = { info: (line: object) => void lines.push(line) } as Pick<Log, 'info'>;
  const createdAt = new Date();
  const request = { ...aModelRequest(), createdAt, finishedAt: new Date(createdAt.getTime() + 250) };
  const messages = [{ role: 'USER', content: QUESTION }] as const;
  const exchange = { spec: { system: 'Canary9c1e', messages }, output: QUESTION };
  createRequestLog({ log, content, maxCharacters: 100 })(request, [], exchange);
  return lines;
}

test('without a policy nothing is said, and with metadata not a word of what people said', () => {
  assert.deepEqual(said('none'), []);
  const [line, ...others] = said('metadata');
  assert.deepEqual(others, []);
  assert.doesNotMatch(JSON.stringify(line), /Canary/);
  assert.deepEqual({ ...line }, { ...line, status: 'SUCCEEDED', durationMs: 250, deployment: 'openai/gpt' });
});

test('in full it has what was asked and answered too, each to a length', async t => {
  const settings = { LOG_LEVEL: 'info', MCPLANE_SIMULATED: 'on', MCPLANE_LOG_CONTENT: 'full' };
  const env = { ...settings, MCPLANE_LOG_MAX_CHARACTERS: '30' };
  const server = await startServerProcess(t, temporaryDirectory(t), env);

  const { submitRequest } = await server.client.submitRequest({ input: INPUT });
  const line = await server.logged({ msg: 'a request ended' });

  assert.equal(`req_${line.requestId.replaceAll('-', '')}`, submitRequest.request.id);
  assert.deepEqual([line.status, line.taskType, line.attempts], ['SUCCEEDED', 'CHAT', 1]);
  assert.match(line.deployment, /^simulated\//);
  assert.ok(line.inputTokens > 0 && line.outputTokens > 0);
  assert.deepEqual(line.prompt, [
    { role: 'SYSTEM', content: INPUT.system },
    { role: 'USER', content: `${INPUT.prompt.slice(0, 30)}…` },
  ]);
  assert.equal(line.output, `${`[simulated] ${QUESTION}`.slice(0, 30)}…`);
});
