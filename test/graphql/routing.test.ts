// What callers see of a routing decision: before sending it, and afterwards with the request.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startTestApp } from '../support/app.ts';
import { readStream, submit } from '../support/requests.ts';
import { startUpstream, text } from '../support/upstream.ts';

const DECISION = `draw drawn explanation chosen { deploymentId heldBack } runnerUp { deploymentId estimatedCost }
  candidates { deploymentId estimatedCost } rejections { deploymentId reason }`;
const SIMULATE = `query ($input: SubmitRequestInput!) { simulateRoute(input: $input) { ${DECISION} } }`;

const YAML = (url: string) => `
providers:
  - { kind: openai, baseUrl: "${url}/v1", onlyModels: true, models: [
      { model: near, price: { input: 1, output: 1 } },
      { model: twin, price: { input: 1, output: 1 } },
      { model: dear, price: { input: 90, output: 90 }, tags: [eu], weight: 0.5, maxConcurrency: 4 },
      { model: reserved, weight: 0 } ] }
  - { kind: ollama, enabled: false }
  - { kind: lmstudio, enabled: false }
aliases:
  careful: { deployments: [openai/dear], fallbacks: [openai/near] }
`;

async function start(t: TestContext) {
  const upstream = await startUpstream(t, { models: [] });
  upstream.answerWith(() => [text('done')]);
  const directory = await mkdtemp(join(tmpdir(), 'mcplane-test-'));
  t.after(() => rm(directory, { recursive: true }));
  const path = join(directory, 'mcplane.yaml');
  writeFileSync(path, YAML(upstream.url));
  const app = await startTestApp(t, { MCPLANE_CONFIG: path });
  const simulate = async (input: object) =>
    (await app.ask(SIMULATE, { input: { prompt: 'Hello', ...input } })).simulateRoute;
  return { app, upstream, simulate };
}

test('a simulated decision shows the draw, who was drawn, and what the runner-up would cost', async t => {
  const { simulate, upstream } = await start(t);

  const { draw, drawn, chosen, runnerUp, candidates, rejections, explanation } = await simulate({
    strategy: 'COST',
  });

  assert.ok(draw >= 0 && draw < 1);
  assert.deepEqual([...drawn].sort(), ['openai/near', 'openai/twin']);
  assert.deepEqual(chosen, { deploymentId: drawn[0], heldBack: null });
  assert.deepEqual(runnerUp, { deploymentId: drawn[1], estimatedCost: candidates[1].estimatedCost });
  assert.ok(Number(runnerUp.estimatedCost) > 0);
  assert.deepEqual(rejections[0], { deploymentId: 'openai/reserved', reason: 'POLICY' });
  assert.match(explanation, /^openai\/\w+ first: two drawn: openai\/\w+, openai\/\w+; they score the same/);
  assert.equal(upstream.modelCalls.length, 0);
});

test('an alias of the file prescribes the order, and a tag asks for what bears it', async t => {
  const { simulate } = await start(t);

  const ordered = await simulate({ model: 'careful', strategy: 'COST' });
  assert.equal(
    ordered.explanation,
    'openai/dear first: ahead of the others in careful; openai/near is next.',
  );
  assert.deepEqual([ordered.draw, ordered.drawn], [null, []]);

  const tagged = await simulate({ model: 'tag:eu' });
  assert.deepEqual([tagged.chosen.deploymentId, tagged.runnerUp], ['openai/dear', null]);
});

test('deployments show their tags, weight and limit of calls, as configured or as assumed', async t => {
  const { app } = await start(t);

  const { providers } = await app.ask('{ providers { deployments { model tags weight maxConcurrency } } }');

  const unlimited = { tags: [], maxConcurrency: null };
  assert.deepEqual(providers[0].deployments, [
    { model: 'near', weight: 1, ...unlimited },
    { model: 'twin', weight: 1, ...unlimited },
    { model: 'dear', weight: 0.5, tags: ['eu'], maxConcurrency: 4 },
    { model: 'reserved', weight: 0, ...unlimited },
  ]);
});

test('the decision is kept with the request', async t => {
  const { app } = await start(t);
  const id = await submit(app, { prompt: 'Hello', strategy: 'COST' });
  await readStream(app, id);

  const { request } = await app.ask(`query ($id: ID!) { request(id: $id) { routing { ${DECISION} } } }`, {
    id,
  });

  const { draw, drawn, chosen, runnerUp } = request.routing;
  assert.ok(draw >= 0 && draw < 1);
  assert.deepEqual(drawn, [chosen.deploymentId, runnerUp.deploymentId]);
  assert.ok(Number(runnerUp.estimatedCost) > 0);
});
