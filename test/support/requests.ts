// The operations that most tests of the main job send, and reading a stream to its end.

import type { Data, TestApp } from './app.ts';

export const SUBMIT = `mutation ($input: SubmitRequestInput!) { submitRequest(input: $input) { request { id status } } }`;

export const STREAM = `subscription ($id: ID!, $after: String) {
  tokenStream(requestId: $id, after: $after) {
    __typename
    cursor
    ... on AttemptStarted { attempt deployment }
    ... on TokenDelta { text }
    ... on StreamRestarted { attempt reason keepThrough }
    ... on StreamCompleted { request { status output } }
    ... on StreamFailed { error { code message retryable retryAfterMs } request { status output } }
  }
}`;

export const REQUEST = `query ($id: ID!) {
  request(id: $id) {
    status output finishReason cost servedModel overheadMs timeToFirstTokenMs durationMs
    provider { id }
    error { code message retryable }
    usage { inputTokens outputTokens cachedInputTokens totalTokens estimated }
    attempts { number deployment { id } outcome error { code } cost }
    routing { explanation candidates { deployment { id } score } rejections { deploymentId reason } }
  }
}`;

/** Submits and returns the request's id. */
export async function submit({ ask }: TestApp, input: object, token?: string): Promise<string> {
  return (await ask(SUBMIT, { input }, token)).submitRequest.request.id;
}

/** Every event of the stream, to its last one. */
export async function readStream({ follow }: TestApp, id: string, after?: string): Promise<Data[]> {
  const events: Data[] = [];
  for await (const { tokenStream } of follow(STREAM, { id, after })) events.push(tokenStream);
  return events;
}

export function textOf(events: readonly Data[]): string {
  return events.map(event => event.text ?? '').join('');
}
