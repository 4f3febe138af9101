// Plays one script on a socket: writes the HTTP/1.1 head, then the steps as chunks of an event stream, byte-exact and
// as slowly or as broken as the script says. Stops at once when the client leaves.

import type { Socket } from 'node:net';
import type { UpstreamRequest } from './upstream.ts';
import {
  type Ending,
  pause,
  type Script,
  type ScriptedUsage,
  type Step,
  scriptedTokens,
} from './upstream-script.ts';
import { type WireFormat, wireFormat } from './wire-formats.ts';

/** Resolves with what was used up when the answer got to its end, else with undefined. */
export async function playScript(
  socket: Socket,
  request: UpstreamRequest,
  script: Script,
  number: number,
): Promise<ScriptedUsage | undefined> {
  if (script.preface) await write(socket, script.preface, script.bytesPerWrite);
  if (typeof script.before === 'object') return void (await dribble(socket, request, script.before));
  if (script.before === 'never') return void (await request.closed);
  if (script.before === 'reset') return void socket.resetAndDestroy();
  if (script.before === 'close') return void socket.destroy();
  if (script.body !== undefined) {
    const length = Buffer.byteLength(script.body);
    socket.write(head(script, { 'content-length': String(length) }));
    await write(socket, script.body, script.bytesPerWrite);
    if (script.closes) socket.destroySoon();
    return undefined;
  }
  return playSteps(socket, request, script, number);
}

async function playSteps(
  socket: Socket,
  request: UpstreamRequest,
  script: Script,
  number: number,
): Promise<ScriptedUsage | undefined> {
  const given = script.steps ?? [];
  const ends = given.some(
    step => step.do === 'finish' || step.do === 'end' || step.do === 'cut' || step.do === 'error',
  );
  const steps: readonly Step[] = ends ? given : [...given, { do: 'finish', ending: {} }];
  const inputTokens = countInput(request.body);
  const format = wireFormat(request.api ?? 'chat', {
    id: `scripted-${number}`,
    model: String(request.body?.model ?? 'scripted-model'),
    inputTokens,
    includeUsage: request.body?.stream_options?.include_usage === true,
  });
  const send = (bytes: string | Uint8Array) => writeChunk(socket, script, bytes);

  socket.write(head(script, { 'content-type': 'text/event-stream', 'transfer-encoding': 'chunked' }));
  let outputTokens = 0;
  let started = false;
  let used: ScriptedUsage | undefined;
  for (const step of steps) {
    if (socket.destroyed) return used;
    // A stream that opens with bytes or an error of its own is not introduced.
    if (!started && ['text', 'reasoning', 'tool-call', 'repeat', 'finish'].includes(step.do)) {
      started = true;
      await send(format.start());
    }
    if (step.do === 'cut') {
      if (step.how === 'reset') socket.resetAndDestroy();
      else socket.destroySoon();
      return undefined;
    }
    if (step.do === 'end') break;
    if (step.do === 'repeat')
      while (!socket.destroyed) {
        if (step.step.do === 'wire') await write(socket, step.step.bytes);
        else await send(bytesOf(step.step, format));
        // A write that fits into the socket is done at once: without a turn of the loop nobody else would run.
        if (step.everyMs === undefined) await new Promise(resolve => setImmediate(resolve));
        else await pause(step.everyMs, request.closed);
      }
    else if (step.do === 'wire') await write(socket, step.bytes);
    else if (step.do === 'wait') await step.until(request.closed);
    else if (step.do === 'finish') {
      const counted = usageOf(step.ending, { inputTokens, outputTokens });
      await send(format.finish(step.ending, counted));
      used ??= counted ?? { inputTokens, outputTokens };
    } else await send(bytesOf(step, format));
    if (step.do === 'text') outputTokens += scriptedTokens(step.text).length;
  }
  socket.write('0\r\n\r\n');
  return used;
}

async function dribble(
  socket: Socket,
  { closed }: UpstreamRequest,
  { dribble, everyMs }: { readonly dribble: string; readonly everyMs: number },
): Promise<void> {
  while (!socket.destroyed) {
    await write(socket, dribble);
    await pause(everyMs, closed);
  }
}

function bytesOf(
  step: Exclude<Step, { do: 'finish' | 'wait' | 'wire' | 'repeat' | 'end' | 'cut' }>,
  format: WireFormat,
) {
  if (step.do === 'raw') return step.bytes;
  if (step.do === 'comment') return `: ${step.text}\n\n`;
  if (step.do === 'error') return format.error(step.type, step.message);
  if (step.do === 'tool-call') return format.toolCall(step.name, step.pieces);
  return format[step.do](step.text);
}

function usageOf({ usage }: Ending, counted: ScriptedUsage): ScriptedUsage | undefined {
  return usage === 'none' ? undefined : (usage ?? counted);
}

// biome-ignore lint/suspicious/noExplicitAny: the body of any of three APIs.
function countInput(body: any): number {
  const turns: { content: unknown }[] = Array.isArray(body?.input) ? body.input : (body?.messages ?? []);
  const texts = [body?.system, body?.instructions, ...turns.map(turn => turn.content)];
  return texts.reduce<number>(
    (sum, content) => sum + (typeof content === 'string' ? scriptedTokens(content).length : 0),
    0,
  );
}

function head({ status = 200, headers = {} }: Script, defaults: Record<string, string>): string {
  const lines = Object.entries({ ...defaults, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Scripted\r\n${lines.join('')}\r\n`;
}

async function writeChunk(socket: Socket, { bytesPerWrite, rewrite }: Script, content: string | Uint8Array) {
  const rewritten = typeof content === 'string' && rewrite ? rewrite(content) : content;
  const bytes = Buffer.from(rewritten as Uint8Array);
  const size = bytesPerWrite ?? bytes.length;
  for (let start = 0; start < bytes.length; start += size) {
    const piece = bytes.subarray(start, start + size);
    const framed = [Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')];
    await write(socket, Buffer.concat(framed));
  }
}

/** Waits for the socket to take it, so that an endless script feels the client's backpressure. */
async function write(socket: Socket, bytes: string | Uint8Array, bytesPerWrite?: number): Promise<void> {
  const buffer = Buffer.from(bytes as Uint8Array);
  const size = bytesPerWrite ?? buffer.length;
  for (let start = 0; start < buffer.length && !socket.destroyed; start += size)
    await new Promise(resolve => socket.write(buffer.subarray(start, start + size), resolve));
}
