// Every fault of a provider that we know of, as a script for the scripted provider, and what the gateway makes of it:
// with a sound provider behind the faulty one, and with nobody else to ask.

import type { Deadlines } from '../../src/domain/model.ts';
import {
  comment,
  cut,
  endless,
  errorEvent,
  finish,
  malformed,
  raw,
  type Script,
  type Step,
  stall,
  status,
  text,
  waitMs,
  withoutEnd,
} from '../support/upstream.ts';

/** What the sound provider says. A faulty one that breaks off in the middle has said PART of it. */
export const ANSWER = 'The answer is 42.';
const PART = 'The answer ';
/** What a provider says whose fault takes nothing away from the answer. */
export const OWN = 'Grüße, 世界 🌍';
/** MCPLANE_MAX_ANSWER_BYTES for these tests. */
export const MAX_ANSWER_BYTES = 4_000;

export interface FaultRow {
  readonly name: string;
  readonly script: Script | readonly Step[];
  /** Other bytes for a provider that speaks the Messages API. */
  readonly messagesScript?: readonly Step[];
  /** What the request ends with when a sound provider comes next: whose answer, or an error. */
  readonly withSecond: 'first' | 'second' | 'begun again' | string;
  /** What it ends with when there is nobody else: SUCCEEDED or an error. */
  readonly alone: 'SUCCEEDED' | string;
  /** How often the faulty provider is called when there is nobody else; 0: it is not even reached. */
  readonly callsAlone: number;
  /** The breaker of the faulty deployment afterwards. */
  readonly breaker: 'not counted' | 'counted' | 'opened';
  /** What the deployment is configured with; none of them matters to the sound provider. */
  readonly deadlines?: Partial<Deadlines>;
  /** What the caller asks for; the sound provider is held to it too. */
  readonly wishes?: Partial<Deadlines>;
  readonly usageEstimated?: boolean;
  readonly endpoint?: 'closed port' | 'https';
  readonly retryAfterMs?: number;
}

type Common = Omit<FaultRow, 'name' | 'script'>;

/** The next provider answers; alone, the same one is asked once more. */
const PASSING: Common = { withSecond: 'second', alone: 'PROVIDER_FAILED', callsAlone: 2, breaker: 'counted' };
const BAD: Common = { ...PASSING, alone: 'BAD_RESPONSE', callsAlone: 1 };
const LATE: Common = { ...PASSING, alone: 'TIMEOUT', callsAlone: 1 };
const TRUNCATED: Common = { ...PASSING, alone: 'STREAM_TRUNCATED' };
/** Nothing is wrong with what the client gets. */
const HARMLESS: Common = { withSecond: 'first', alone: 'SUCCEEDED', callsAlone: 1, breaker: 'not counted' };
const LIMITED: Common = { ...PASSING, breaker: 'not counted' };
const REFUSED_BY_KEY: Common = { ...PASSING, callsAlone: 1, breaker: 'opened' };
/** The caller's own doing: nobody else is asked. */
const final = (code: string): Common => ({ ...HARMLESS, withSecond: code, alone: code });

const error = (code: string, message: string) => ({
  error: { type: 'invalid_request_error', code, message },
});
const html = '<!doctype html><title>Sign in</title><p>Please sign in to the network.';
const answered = (body: string, type: string): Script => ({ headers: { 'content-type': type }, body });
const messageStop = 'event: message_stop\ndata: {"type":"message_stop"}\n\n';

export const FAULTS: Readonly<Record<string, readonly FaultRow[]>> = {
  'before its headers': [
    {
      name: 'refuses connections',
      script: { before: 'never' },
      ...PASSING,
      callsAlone: 0,
      breaker: 'opened',
      endpoint: 'closed port',
    },
    {
      name: 'never answers a TLS handshake',
      script: { before: 'never' },
      ...LATE,
      callsAlone: 0,
      endpoint: 'https',
      deadlines: { connectMs: 100 },
    },
    { name: 'resets the connection before the headers', script: { before: 'reset' }, ...PASSING },
    { name: 'closes the connection before the headers', script: { before: 'close' }, ...PASSING },
    {
      name: 'is silent before the headers',
      script: { before: 'never' },
      ...LATE,
      deadlines: { firstTokenMs: 100 },
    },
    {
      name: 'is silent for longer than the caller wants to wait',
      script: { before: 'never' },
      ...LATE,
      breaker: 'not counted',
      wishes: { firstTokenMs: 300 },
    },
  ],
  'before its first token': [
    { name: 'is slow, but within the deadline', script: [waitMs(50), text(OWN)], ...HARMLESS },
    {
      name: 'sends keep-alives and no token',
      script: [comment(), comment(), stall()],
      ...LATE,
      deadlines: { firstTokenMs: 100 },
    },
    { name: 'answers 200 with HTML', script: answered(html, 'text/html'), ...BAD },
    { name: 'answers 200 with other JSON', script: answered('{"ok":true}', 'application/json'), ...BAD },
    { name: 'answers 200 with an empty body', script: answered('', 'text/event-stream'), ...BAD },
    {
      name: 'sends nothing but the end marker',
      script: [raw('data: [DONE]\n\n'), withoutEnd()],
      messagesScript: [raw(messageStop), withoutEnd()],
      ...TRUNCATED,
    },
    { name: 'begins with an error event', script: [errorEvent('overloaded_error')], ...PASSING },
    { name: 'begins with a malformed event', script: [malformed(), withoutEnd()], ...BAD },
    {
      name: 'redirects',
      script: status(307, { location: 'http://127.0.0.1:9/elsewhere' }),
      ...BAD,
    },
  ],
  'by refusing': [
    { name: 'answers 400', script: status(400, {}, error('', 'no')), ...final('PROVIDER_FAILED') },
    { name: 'answers 413', script: status(413), ...final('PROVIDER_FAILED') },
    { name: 'answers 422', script: status(422), ...final('PROVIDER_FAILED') },
    {
      name: 'finds the prompt too long',
      script: status(400, {}, error('context_length_exceeded', 'prompt is too long')),
      ...PASSING,
      alone: 'CONTEXT_TOO_LONG',
      callsAlone: 1,
      breaker: 'not counted',
    },
    {
      name: 'refuses the content',
      script: status(400, {}, error('content_policy_violation', 'against our usage policies')),
      ...final('CONTENT_REFUSED'),
    },
    {
      name: 'ends an empty answer with a refusal',
      script: [finish({ reason: 'content-filter' })],
      ...final('CONTENT_REFUSED'),
    },
    { name: 'does not know the model', script: status(404), ...LIMITED, callsAlone: 1 },
    { name: 'answers 401', script: status(401), ...REFUSED_BY_KEY },
    { name: 'answers 402', script: status(402), ...REFUSED_BY_KEY },
    { name: 'answers 403', script: status(403), ...REFUSED_BY_KEY },
    { name: 'answers 429 with a hint', script: status(429, { 'retry-after-ms': '50' }), ...LIMITED },
    { name: 'answers 429 without a hint', script: status(429), ...LIMITED },
    {
      name: 'answers 429 with a hint of a day',
      script: status(429, { 'retry-after': '86400' }),
      ...LIMITED,
      callsAlone: 1,
      retryAfterMs: 300_000,
    },
    { name: 'answers 429 with junk for a hint', script: status(429, { 'retry-after': '-5' }), ...LIMITED },
    { name: 'answers 500', script: status(500), ...PASSING },
    { name: 'answers 503 with HTML', script: { ...answered(html, 'text/html'), status: 503 }, ...PASSING },
    { name: 'answers 529', script: status(529), ...PASSING },
  ],
  'in the middle': [
    {
      name: 'stalls in the middle',
      script: [text(PART), stall()],
      ...LATE,
      alone: 'STREAM_STALLED',
      deadlines: { idleMs: 100 },
    },
    {
      name: 'stalls for longer than the caller wants to wait',
      script: [text(PART), stall()],
      ...LATE,
      alone: 'STREAM_STALLED',
      breaker: 'not counted',
      wishes: { idleMs: 300 },
    },
    { name: 'is cut in the middle', script: [text(PART), cut()], ...TRUNCATED },
    { name: 'is cut inside a line', script: [text(PART), raw('data: {"id":'), cut()], ...TRUNCATED },
    { name: 'ends inside a line', script: [text(PART), raw('data: {"id":'), withoutEnd()], ...TRUNCATED },
    { name: 'ends without saying why', script: [text(PART), withoutEnd()], ...TRUNCATED },
    {
      name: 'ends before its Content-Length',
      script: {
        ...answered('data: {"choices":[]}\n\n', 'text/event-stream'),
        headers: { 'content-type': 'text/event-stream', 'content-length': '900' },
        closes: true,
      },
      ...TRUNCATED,
    },
    {
      name: 'sends an error event in the middle',
      script: [text(PART), errorEvent('server_error')],
      ...PASSING,
    },
    {
      name: 'sends a malformed event in the middle',
      script: [text(PART), malformed(), text('is 42.')],
      ...BAD,
    },
    {
      name: 'says something else before it is cut',
      script: [text('My reply '), cut()],
      ...TRUNCATED,
      withSecond: 'begun again',
    },
    {
      name: 'sends a line of 2 MB',
      script: [text(PART), raw(`data: ${'x'.repeat(2_000_000)}`), stall()],
      ...BAD,
    },
    {
      name: 'never comes to an end',
      script: [endless(text(`${'and so on '.repeat(20)}`))],
      ...BAD,
      withSecond: 'begun again',
    },
  ],
  'without harm to the answer': [
    { name: 'sends the end marker twice', script: [text(OWN), finish(), finish()], ...HARMLESS },
    { name: 'sends text after the end', script: [text(OWN), finish(), text(' ghost')], ...HARMLESS },
    { name: 'leaves the connection open after the end', script: [text(OWN), finish(), stall()], ...HARMLESS },
    {
      name: 'says why it ended and sends no marker',
      script: [text(OWN), finish({ marker: false, usage: 'none' }), withoutEnd()],
      ...HARMLESS,
      usageEstimated: true,
    },
    {
      name: 'is cut after it said why it ended',
      script: [text(OWN), finish({ marker: false, usage: 'none' }), cut()],
      ...HARMLESS,
      usageEstimated: true,
    },
    {
      name: 'reports no usage',
      script: [text(OWN), finish({ usage: 'none' })],
      ...HARMLESS,
      usageEstimated: true,
    },
    {
      name: 'reports negative usage',
      script: [text(OWN), finish({ usage: { inputTokens: -5, outputTokens: -3 } })],
      ...HARMLESS,
      usageEstimated: true,
    },
    { name: 'sends byte by byte', script: { steps: [text(OWN)], bytesPerWrite: 1 }, ...HARMLESS },
    {
      name: 'ends its lines with CRLF',
      script: { steps: [text(OWN)], rewrite: events => events.replaceAll('\n', '\r\n') },
      ...HARMLESS,
    },
    {
      name: 'calls its event stream text/plain',
      script: { steps: [text(OWN)], headers: { 'content-type': 'text/plain' } },
      ...HARMLESS,
    },
  ],
};
