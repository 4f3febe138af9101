// Faults inside a well-formed event stream, for each API that providers speak.

import {
  comment,
  cut,
  endless,
  errorEvent,
  finish,
  raw,
  reasoning,
  type Step,
  text,
  toolCall,
  withoutEnd,
} from '../support/upstream.ts';
import {
  BAD,
  type FaultRow,
  final,
  HARMLESS,
  type Kind,
  LATE,
  LIMITED,
  OWN,
  PART,
  PASSING,
  REFUSED_BY_KEY,
  TRUNCATED,
} from './fault-row.ts';

const event = (value: object): Step => raw(`data: ${JSON.stringify(value)}\n\n`);
const responseFailed: Step = event({
  type: 'response.failed',
  response: { error: { code: 'server_error', message: 'scripted' } },
});
/** The same steps with these in place of the last one, for one API. */
const only = (kind: Kind, steps: readonly Step[]): Pick<FaultRow, 'script' | 'kinds'> => ({
  script: steps,
  kinds: [kind],
});

export const STREAM_FAULTS: Readonly<Record<string, readonly FaultRow[]>> = {
  'by an error event': [
    { name: 'is overloaded in the middle', script: [text(PART), errorEvent('overloaded_error')], ...PASSING },
    {
      name: 'limits the rate in the middle',
      script: [text(PART), errorEvent('rate_limit_error')],
      ...LIMITED,
    },
    {
      name: 'refuses the key in the middle',
      script: [text(PART), errorEvent('authentication_error')],
      ...REFUSED_BY_KEY,
    },
    {
      name: 'finds the call wrong in the middle',
      script: [text(PART), errorEvent('invalid_request_error')],
      ...final('PROVIDER_FAILED'),
    },
    {
      name: 'finds the content against its policy in the middle',
      script: [text(PART), errorEvent('content_policy_violation')],
      ...final('CONTENT_REFUSED'),
    },
    { name: 'has an error nobody knows', script: [text(PART), errorEvent('gremlins')], ...PASSING },
    { name: 'begins with an error nobody knows', script: [errorEvent('gremlins')], ...PASSING },
    {
      name: 'says its error in a string',
      ...only('openai', [text(PART), event({ error: 'CUDA out of memory' }), withoutEnd()]),
      ...PASSING,
    },
    {
      name: 'names the event an error',
      ...only('openai', [text(PART), raw('event: error\ndata: {"message":"died"}\n\n'), withoutEnd()]),
      ...PASSING,
    },
    { name: 'says that the response failed', ...only('responses', [text(PART), responseFailed]), ...PASSING },
    {
      name: 'sends an error behind its finish reason',
      ...only('openai', [text(OWN), finish({ marker: false, usage: 'none' }), errorEvent('server_error')]),
      ...HARMLESS,
      usageEstimated: true,
    },
    {
      name: 'sends its error as JSON without an event',
      script: [text(PART), raw('{"error":{"type":"server_error","message":"died"}}\n'), withoutEnd()],
      ...TRUNCATED,
    },
  ],
  'by tool calls that nobody asked for': [
    {
      name: 'says nothing but a tool call',
      script: [toolCall('search', '{"query":', '"answer"}'), finish({ reason: 'tool-calls' })],
      ...BAD,
    },
    {
      name: 'adds a tool call to its text',
      script: [text(OWN), toolCall('search', '{}'), finish({ reason: 'tool-calls' })],
      ...HARMLESS,
      finishReason: 'tool-calls',
    },
    {
      name: 'is cut inside the arguments of a tool call',
      script: [text(PART), toolCall('search', '{"query":'), cut()],
      ...TRUNCATED,
    },
    {
      name: 'ends inside the arguments of a tool call',
      script: [toolCall('search', '{"query":'), withoutEnd()],
      ...TRUNCATED,
    },
  ],
  'by its pace or its end': [
    {
      name: 'sends keep-alives and no more text',
      script: [text(PART), endless(raw(': keep-alive\n\n'), 20)],
      ...LATE,
      alone: 'STREAM_STALLED',
      deadlines: { idleMs: 200 },
    },
    {
      name: 'floods with keep-alives and sends no text',
      script: [endless(raw(': keep-alive\n\n'.repeat(100)))],
      kinds: ['openai'],
      ...LATE,
      deadlines: { firstTokenMs: 300 },
    },
    {
      name: 'sends empty events and no more text',
      ...only('openai', [text(PART), endless(raw('data: {"choices":[{"delta":{"content":""}}]}\n\n'), 20)]),
      ...LATE,
      alone: 'STREAM_STALLED',
      deadlines: { idleMs: 200 },
    },
    {
      name: 'sends pings and no more text',
      ...only('anthropic', [text(PART), endless(raw('event: ping\ndata: {"type":"ping"}\n\n'), 20)]),
      ...LATE,
      alone: 'STREAM_STALLED',
      deadlines: { idleMs: 200 },
    },
    {
      name: 'thinks and never speaks',
      script: [reasoning('hm'), endless(raw(': thinking\n\n'), 20)],
      ...LATE,
      alone: 'STREAM_STALLED',
      deadlines: { idleMs: 200 },
    },
    {
      name: 'trickles below the minimum speed',
      ...only('openai', [text(PART), endless(text('is '), 200)]),
      ...LATE,
      alone: 'STREAM_STALLED',
      withSecond: 'begun again',
      deadlines: { minTokensPerSecond: 1_000 },
    },
    {
      name: 'ends at the length limit',
      script: [text(OWN), finish({ reason: 'length' })],
      ...HARMLESS,
      finishReason: 'length',
    },
    {
      name: 'ends twice and goes on',
      script: [text(OWN), finish(), text('ghost'), finish(), errorEvent('x')],
      ...HARMLESS,
    },
    {
      name: 'sends junk behind the end',
      script: [text(OWN), finish(), raw('data: {"broken\n\n')],
      ...HARMLESS,
    },
    {
      name: 'floods behind the end',
      script: [text(OWN), finish(), endless(raw(`: ${'x'.repeat(8_000)}\n\n`))],
      ...HARMLESS,
    },
    { name: 'begins with keep-alives', script: [comment(), comment(), text(OWN)], ...HARMLESS },
    {
      name: 'begins with a byte order mark',
      script: { rewrite: first('\ufeff'), steps: [text(OWN)] },
      ...HARMLESS,
    },
    {
      name: 'leaves out the space behind its colons',
      script: { steps: [text(OWN)], rewrite: events => events.replaceAll('data: ', 'data:') },
      ...HARMLESS,
    },
    {
      name: 'reports usage of zero',
      script: [text(OWN), finish({ usage: { inputTokens: 0, outputTokens: 0 } })],
      ...HARMLESS,
      usageEstimated: true,
    },
  ],
};

/** Puts something in front of the first piece of a stream only. */
function first(bytes: string): (events: string) => string {
  let begun = false;
  return events => {
    const before = begun ? '' : bytes;
    begun = true;
    return before + events;
  };
}
