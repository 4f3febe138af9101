// A provider that costs next to nothing: speaks OpenAI's Chat Completions and streams what the prompt asks for (pace.ts).
// A process of its own, so that its work is not counted as ours.

import { createServer, type ServerResponse } from 'node:http';
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

const server = createServer((request, response) => {
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
});
// Never: a client that calls just as its idle connection is closed sees a reset.
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as { port: number }).port}`);
});
