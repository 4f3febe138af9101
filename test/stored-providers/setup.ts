// A server whose administrator makes providers, and the upstream that they lead to.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { type Data, startTestApp, type TestApp } from '../support/app.ts';
import type { openTestStore } from '../support/database.ts';
import { readStream, submit, textOf } from '../support/requests.ts';
import { startUpstream } from '../support/upstream.ts';

export const KEY = 'sk-first-0123456789-abcd';
export const OTHER_KEY = 'sk-other-0123456789-wxyz';
const PROVIDER =
  'id kind source origin keyHint status statusReason local deployments { id local price { input } }';
export const CREATE = `mutation ($input: CreateProviderInput!) { createProvider(input: $input) { provider { ${PROVIDER} } } }`;
export const UPDATE = `mutation ($input: UpdateProviderInput!) { updateProvider(input: $input) { provider { ${PROVIDER} } } }`;
export const DELETE =
  'mutation ($input: DeleteProviderInput!) { deleteProvider(input: $input) { providerId } }';
const PRIVATE = { MCPLANE_ALLOW_PRIVATE_PROVIDERS: 'true' };

/** A provider that leads to the upstream. */
export function inputFor({ url }: { url: string }) {
  return { id: 'vllm', kind: 'openai', baseUrl: `${url}/v1`, apiKey: KEY, allowPrivate: true };
}

/** A server that knows one upstream's models, and none of its own but the simulated ones. */
export async function start(
  t: TestContext,
  env: Record<string, string> = {},
  openStore?: typeof openTestStore,
) {
  const upstream = await startUpstream(t, { models: [{ id: 'alpha' }, { id: 'beta' }] });
  const app = await startTestApp(t, { ...PRIVATE, MCPLANE_SIMULATED: 'on', ...env }, openStore);
  const input = inputFor(upstream);
  const create = async (change: object = {}): Promise<Data> =>
    (await app.ask(CREATE, { input: { ...input, ...change } })).createProvider.provider;
  const update = async (change: object): Promise<Data> =>
    (await app.ask(UPDATE, { input: { providerId: 'vllm', ...change } })).updateProvider.provider;
  return { ...app, upstream, input, create, update };
}

export async function refusal({ send }: TestApp, document: string, input: object) {
  const { data, errors } = await send(document, { input });
  assert.ok(errors, `it was done: ${JSON.stringify(data)}`);
  return [errors[0]?.extensions.code, errors[0]?.message];
}

export const modelsOf = ({ deployments }: Data) => deployments.map(({ id }: Data) => id);

export async function answerOf(app: TestApp, model: string): Promise<string> {
  return textOf(await readStream(app, await submit(app, { prompt: 'Hello', model })));
}
