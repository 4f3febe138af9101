// A provider that costs nothing: speaks OpenAI's Chat Completions and streams as many tokens as the prompt asks for,
// `tokens=16 every=20` (milliseconds; 0: all at once). A process of its own, so that its work is not counted as ours.

import { createServer, type ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';

const MODEL = 'bench-model';
const created = 1_700_000_000;

function chunk(delta: object, finish: string | null = null, usage?: object): string {
  const choices = usage ? [] : [{ index: 0, delta, finish_reason: finish }];
  const head = { id: 'chatcmpl-bench', object: 'chat.completion.chunk', created, model: MODEL };
  return `data: ${JSON.stringify({ ...head, choices, ...(usage && { usage }) })}\n\n`;
}

const TOKEN = chunk({ content: 'token ' });

async function stream(response: ServerResponse, prompt: string): Promise<void> {
  const [, tokens, every] = /tokens=(\d+) every=(\d+)/.exec(prompt) ?? ['', '16', '0'];
  const count = Number(tokens);
  const everyMs = Number(every);
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.write(chunk({ role: 'assistant', content: '' }));
  const startMs = performance.now();
  for (let sent = 1; sent <= count; sent += 1) {
    // At the moment it is due: delays of the timers do not add up.
    const restMs = startMs + sent * everyMs - performance.now();
    if (everyMs > 0 && restMs > 0) await wait(restMs);
    if (response.destroyed) return;
    response.write(TOKEN);
  }
  response.write(chunk({}, 'stop'));
  response.write(chunk({}, null, { prompt_tokens: 10, completion_tokens: count, total_tokens: count + 10 }));
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
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as { port: number }).port}`);
});
