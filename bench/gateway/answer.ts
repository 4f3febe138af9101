// Answers calls of OpenAI's Chat Completions with what the prompt asks for (pace.ts), at next to no cost.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { readPace, sendTokens } from './pace.ts';

const MODEL = 'bench-model';
const created = 1_700_000_000;

function chunk(delta: object, finish: string | null = null, usage?: object): string {
  const choices = usage ? [] : [{ index: 0, delta, finish_reason: finish }];
  const head = { id: 'chatcmpl-bench', object: 'chat.completion.chunk', created, model: MODEL };
  return `data: ${JSON.stringify({ ...head, choices, ...(usage && { usage }) })}\n\n`;
}

const [HEAD = '', TAIL = ''] = chunk({ content: '|' }).split('|');

async function stream(response: ServerResponse, prompt: string): Promise<void> {
  const pace = readPace(prompt);
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.write(chunk({ role: 'assistant', content: '' }));
  // A chunk of the body in one write: half of what it costs by way of the response.
  const connection = response.socket!;
  await sendTokens(pace, token => {
    const bytes = HEAD.length + token.length + TAIL.length;
    connection.write(`${bytes.toString(16)}\r\n${HEAD}${token}${TAIL}\r\n`, 'latin1');
    return !response.destroyed;
  });
  if (response.destroyed) return;
  response.write(chunk({}, 'stop'));
  const usage = {
    prompt_tokens: 10,
    completion_tokens: pace.tokens,
    total_tokens: pace.tokens + 10,
  };
  response.write(chunk({}, null, usage));
  response.end('data: [DONE]\n\n');
}

/** A model list for GET, an answer for everything else. */
export function answerCall(request: IncomingMessage, response: ServerResponse): void {
  if (request.method === 'GET') {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({
        object: 'list',
        data: [{ id: MODEL, object: 'model', created, owned_by: 'bench' }],
      }),
    );
    return;
  }
  const parts: Buffer[] = [];
  request
    .on('data', part => parts.push(part))
    .on('end', () => {
      const { messages } = JSON.parse(Buffer.concat(parts).toString()) as {
        messages: { content: string }[];
      };
      void stream(response, messages.at(-1)!.content);
    });
}
