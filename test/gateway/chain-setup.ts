// A server whose alias `chain` asks scripted providers one after the other: p1/m, then p2/m, and so on.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Data, startTestApp, type TestApp } from '../support/app.ts';
import type { openTestStore } from '../support/database.ts';
import { REQUEST, readStream, submit } from '../support/requests.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';

export interface Chain {
  readonly app: TestApp;
  readonly upstreams: readonly Upstream[];
}

/** `file` is added to the configuration file. */
export async function startChain(
  t: TestContext,
  length: number,
  options: { readonly env?: Record<string, string>; readonly file?: object } = {},
  openStore?: typeof openTestStore,
): Promise<Chain> {
  const upstreams = await Promise.all(Array.from({ length }, () => startUpstream(t)));
  const ids = upstreams.map((_, index) => `p${index + 1}`);
  const [first, ...others] = ids.map(id => `${id}/m`);
  const file = {
    providers: ids.map((id, index) => ({
      kind: 'openai',
      id,
      baseUrl: `${upstreams[index]!.url}/v1`,
      onlyModels: true,
      models: ['m'],
    })),
    aliases: { chain: { deployments: [first], fallbacks: others } },
    ...options.file,
  };
  const directory = await mkdtemp(join(tmpdir(), 'mcplane-'));
  t.after(() => rm(directory, { recursive: true }));
  const path = join(directory, 'mcplane.yaml');
  // YAML includes JSON.
  await writeFile(path, JSON.stringify(file));
  const env = { MCPLANE_CONFIG: path, MCPLANE_SIMULATED: 'off', ...options.env };
  return { app: await startTestApp(t, env, openStore), upstreams };
}

export interface Ended {
  readonly events: readonly Data[];
  readonly request: Data;
  /** Of each attempt: the deployment, and its outcome or the code of its error. */
  readonly attempts: readonly string[];
}

/** One request along the chain, to its end. */
export async function ask({ app }: Chain, input: object = {}): Promise<Ended> {
  const id = await submit(app, { prompt: 'Hello', model: 'chain', ...input });
  const events = await readStream(app, id);
  const { request } = await app.ask(REQUEST, { id });
  return { events, request, attempts: attemptsOf(request) };
}

export function attemptsOf(request: Data): string[] {
  return request.attempts.map(
    ({ deployment, outcome, error }: Data) => `${deployment.id} ${error?.code ?? outcome}`,
  );
}
