// A server whose deployments take few calls at once, in front of a provider that counts how many it has.

import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { startTestApp } from '../support/app.ts';
import {
  finish,
  type Step,
  startUpstream,
  type Upstream,
  type UpstreamRequest,
} from '../support/upstream.ts';

/** Models of one provider, `house`, each with its `maxConcurrency`. */
export async function startLimited(
  t: TestContext,
  models: Readonly<Record<string, number>>,
  env: Record<string, string> = {},
) {
  const upstream = await startUpstream(t, { models: [] });
  const list = Object.entries(models).map(([model, max]) => `{ model: ${model}, maxConcurrency: ${max} }`);
  const yaml = `
providers:
  - { id: house, kind: openai, baseUrl: "${upstream.url}/v1", onlyModels: true, models: [${list.join(', ')}] }
  - { kind: ollama, enabled: false }
  - { kind: lmstudio, enabled: false }
`;
  return { upstream, app: await startConfigured(t, yaml, env) };
}

export async function startConfigured(t: TestContext, yaml: string, env: Record<string, string> = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'mcplane-test-'));
  t.after(() => rm(directory, { recursive: true }));
  const path = join(directory, 'mcplane.yaml');
  writeFileSync(path, yaml);
  return startTestApp(t, { MCPLANE_CONFIG: path, ...env });
}

export interface Census {
  /** Calls that the provider is still busy with. */
  now: number;
  peak: number;
}

/** Every call is counted from its arrival until the provider is done with it, or its caller has left. */
export function census(upstream: Upstream, steps: (request: UpstreamRequest) => readonly Step[]): Census {
  const counted: Census = { now: 0, peak: 0 };
  upstream.answerWith(request => {
    counted.now += 1;
    counted.peak = Math.max(counted.peak, counted.now);
    let left = false;
    const leave = async () => {
      if (!left) counted.now -= 1;
      left = true;
    };
    void request.closed.then(leave);
    const given = steps(request);
    const ends = given.some(step => step.do === 'finish' || step.do === 'cut' || step.do === 'end');
    return [...given, ...(ends ? [] : [finish()]), { do: 'wait', until: leave }];
  });
  return counted;
}

export const promptOf = ({ body }: UpstreamRequest): string => body.messages.at(-1).content;
