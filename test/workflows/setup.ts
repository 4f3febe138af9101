// A server and a scripted provider for tests of workflows: every prompt is answered by a rule, and counted.

import type { TestContext } from 'node:test';
import { type Data, startTestApp, type TestApp } from '../support/app.ts';
import { startUpstream, type Upstream, type UpstreamRequest } from '../support/upstream.ts';

export const STATE = `
  id status output error { code message }
  cost usage { inputTokens outputTokens }
  workflow {
    cost pausedAt progress { total ended running waiting percent }
    steps { id title kind status output note tries reused dependsOn itemCount itemsEnded error { code message retryable } }
  }`;

export interface WorkflowWorld extends TestApp {
  readonly upstream: Upstream;
  /** Prompts in the order in which the provider got them. */
  prompts(): string[];
  /** Submits a workflow; resolves with the id of its request. */
  start(workflow: object, rest?: object): Promise<string>;
  /** The request when it has ended. */
  ended(requestId: string): Promise<Data>;
  state(requestId: string): Promise<Data>;
}

export function promptIn(request: UpstreamRequest): string {
  return request.body.messages.at(-1).content;
}

export async function startWorkflowWorld(
  t: TestContext,
  env: Record<string, string> = {},
): Promise<WorkflowWorld> {
  const upstream = await startUpstream(t);
  return workflowsOn(await startTestApp(t, { ...providerAt(upstream), ...env }), upstream);
}

export function providerAt({ url }: Upstream): Record<string, string> {
  return { OPENAI_BASE_URL: `${url}/v1`, OPENAI_API_KEY: 'test' };
}

/** The same for a server that is there already. */
export function workflowsOn(app: TestApp, upstream: Upstream): WorkflowWorld {
  async function state(requestId: string) {
    const { request } = await app.ask(`query ($id: ID!) { request(id: $id) { ${STATE} } }`, {
      id: requestId,
    });
    return request;
  }
  return {
    ...app,
    upstream,
    prompts: () => upstream.modelCalls.map(promptIn),
    async start(workflow, rest = {}) {
      const { submitRequest } = await app.ask(
        'mutation ($input: SubmitRequestInput!) { submitRequest(input: $input) { request { id } } }',
        { input: { workflow, ...rest } },
      );
      return submitRequest.request.id;
    },
    state,
    async ended(requestId) {
      for await (const _ of app.follow(STREAM, { id: requestId }));
      return state(requestId);
    },
  };
}

export const STREAM = `subscription ($id: ID!, $after: String) { tokenStream(requestId: $id, after: $after) {
  __typename cursor
  ... on TokenDelta { text step }
  ... on StreamRestarted { step }
  ... on StepUpdated { updated: step { id } } } }`;

/** What a subscriber has of each step in the end. */
export function textsIn(events: readonly Data[]): Record<string, string> {
  const texts = new Map<string, string>();
  for (const { __typename: type, step, text } of events) {
    if (type === 'StreamRestarted' && step === null) texts.clear();
    else if (type === 'StreamRestarted') texts.delete(step);
    else if (type === 'TokenDelta') texts.set(step, (texts.get(step) ?? '') + text);
  }
  return Object.fromEntries(texts);
}

/** The status of each step by its id. */
export function statusesOf(request: Data): Record<string, string> {
  return Object.fromEntries(
    request.workflow.steps.map((step: { id: string; status: string }) => [step.id, step.status]),
  );
}
