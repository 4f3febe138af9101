// The bytes of a request body, no more than allowed, and as text only when they are UTF-8.

import type { IncomingMessage, ServerResponse } from 'node:http';

/** The body, or why not: over the limit, or the client left. */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | 'too-large' | 'gone'> {
  // It left before anybody listened.
  if (request.destroyed) return Promise.resolve('gone');
  if (declaredBytes(request) > maxBytes) return Promise.resolve('too-large');
  const chunks: Buffer[] = [];
  let bytes = 0;
  const { promise, resolve } = Promise.withResolvers<Buffer | 'too-large' | 'gone'>();
  const onData = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      request.off('data', onData);
      resolve('too-large');
    } else chunks.push(chunk);
  };
  request.on('data', onData);
  request.once('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, bytes)));
  request.once('close', () => resolve('gone'));
  request.once('error', () => resolve('gone'));
  return promise;
}

/** 0 when the length is not told beforehand. */
export function declaredBytes({ headers }: IncomingMessage): number {
  return Number(headers['content-length'] ?? 0);
}

/** How long a client may go on sending what nobody reads, so that it gets to read the refusal. */
const DISCARD_MS = 500;

/** Writes an answer whose head says `connection: close`, then ends. Closing at once would reset it, and the answer could be lost on its way. */
export function endAndClose(request: IncomingMessage, response: ServerResponse, body: string): void {
  response.write(body);
  const close = () => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(close, DISCARD_MS);
  request.once('end', close);
  request.once('close', close);
  request.resume();
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The text, or undefined when the bytes are not UTF-8. */
export function decodeUtf8(bytes: Buffer): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
