// Faults below the event stream: connections, heads, lengths, chunks, encodings and statuses of HTTP.

import {
  cut,
  endless,
  errorEvent,
  raw,
  type Script,
  type Step,
  stall,
  status,
  text,
  waitMs,
  wire,
  withoutEnd,
} from '../support/upstream.ts';
import {
  answered,
  BAD,
  error,
  type FaultRow,
  HARMLESS,
  html,
  LATE,
  LIMITED,
  OWN,
  PART,
  PASSING,
  REFUSED_BY_KEY,
  TRUNCATED,
} from './fault-row.ts';

/** What follows is not read as HTTP any more, whatever it is. */
const instead = (bytes: string | Uint8Array): Script => ({ preface: bytes, before: 'never' });
const withHeaders = (headers: Record<string, string>, steps: readonly Step[] = [text(OWN)]): Script => ({
  headers,
  steps,
});
const gzipped = Uint8Array.of(0x1f, 0x8b, 8, 0, 0xde, 0xad, 0xbe, 0xef, 0, 0xff);
/** The first byte of a character of three. */
const halfACharacter = Uint8Array.of(...Buffer.from('data: {"id":"'), 0xe4);
const PART_EVENT = `data: ${JSON.stringify({ choices: [{ delta: { content: PART } }] })}\n\n`;
const partialLength = { 'content-length': String(PART_EVENT.length) };
/** Longer than the event that it stands before. */
const chunk = (size: string, bytes: string) => wire(`${size}\r\n${bytes}`);
const inTime: FaultRow['deadlines'] = { firstTokenMs: 300 };

const faults: Readonly<Record<string, readonly FaultRow[]>> = {
  'in the head of its answer': [
    { name: 'answers in something like HTTP/0.9', script: instead('data: hello\n\n'), ...BAD },
    { name: 'greets like another protocol', script: instead('SSH-2.0-OpenSSH_9.9\r\n'), ...BAD },
    { name: 'answers with a TLS alert', script: instead(Uint8Array.of(21, 3, 1, 0, 2, 2, 40)), ...BAD },
    {
      name: 'sends its headers byte by byte and never ends them',
      script: { preface: 'HTTP/1.1 200 OK\r\n', before: { dribble: 'x', everyMs: 20 } },
      ...LATE,
      deadlines: inTime,
    },
    {
      name: 'sends its headers byte by byte',
      script: {
        preface: 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n',
        bytesPerWrite: 1,
        steps: [text(OWN)],
      },
      ...HARMLESS,
    },
    {
      name: 'sends headers without end',
      script: {
        preface: 'HTTP/1.1 200 OK\r\n',
        before: { dribble: `a: ${'x'.repeat(4_000)}\r\n`, everyMs: 0 },
      },
      ...BAD,
    },
    { name: 'sends a header of 100 kB', script: withHeaders({ 'x-long': 'x'.repeat(100_000) }), ...BAD },
    {
      name: 'hints twice before it answers',
      script: { preface: 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(2), steps: [text(OWN)] },
      ...HARMLESS,
    },
    // Nothing had asked whether to continue, and undici takes offence.
    {
      name: 'continues',
      script: { preface: 'HTTP/1.1 100 Continue\r\n\r\n', steps: [text(OWN)] },
      ...PASSING,
    },
    {
      name: 'hints and never answers',
      script: { before: { dribble: 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n', everyMs: 20 } },
      ...LATE,
      deadlines: inTime,
    },
    {
      name: 'switches protocols',
      script: { status: 101, headers: { upgrade: 'h2c' }, steps: [] },
      ...PASSING,
    },
    { name: 'answers 204', script: { status: 204, body: '' }, ...BAD },
    { name: 'answers 206 with all of it', script: { status: 206, steps: [text(OWN)] }, ...HARMLESS },
    {
      name: 'answers 206 with a part',
      script: { status: 206, steps: [text(PART), withoutEnd()] },
      ...TRUNCATED,
    },
    { name: 'redirects to itself', script: status(308, { location: '/v1/chat/completions' }), ...BAD },
    { name: 'answers 304', script: status(304), ...BAD },
  ],
  'by its length or its chunks': [
    {
      name: 'says more than its Content-Length',
      script: {
        ...answered(PART_EVENT + PART_EVENT, 'text/event-stream'),
        headers: partialLength,
        closes: true,
      },
      ...TRUNCATED,
    },
    { name: 'gives a length and chunks', script: withHeaders({ 'content-length': '9' }), ...BAD },
    {
      name: 'gives a length that is no number',
      script: { ...answered(html, 'text/html'), headers: { 'content-length': 'x' } },
      ...BAD,
    },
    { name: 'is reset in the middle', script: [text(PART), waitMs(50), cut('reset')], ...TRUNCATED },
    { name: 'is cut inside a chunk', script: [text(PART), chunk('ff', 'data: {"choi'), cut()], ...TRUNCATED },
    { name: 'is cut inside the size of a chunk', script: [text(PART), wire('1f'), cut()], ...TRUNCATED },
    { name: 'is cut inside a character', script: [text(PART), raw(halfACharacter), cut()], ...TRUNCATED },
    {
      name: 'ends inside a character',
      script: [text(PART), raw(halfACharacter), withoutEnd()],
      ...TRUNCATED,
    },
    {
      name: 'sends a chunk size that is no number',
      script: [text(PART), waitMs(50), wire('zz\r\n')],
      ...BAD,
    },
    {
      name: 'sends a chunk size beyond all bounds',
      script: [text(PART), waitMs(50), wire('fffffffffffffffffff\r\n')],
      ...BAD,
    },
    {
      name: 'ends its chunks and goes on with another answer',
      script: [text(PART), wire('0\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nghost'), stall()],
      ...TRUNCATED,
    },
  ],
  'by its encoding, or by what stands in front of it': [
    {
      name: 'compresses its answer',
      script: { headers: { 'content-encoding': 'gzip' }, body: gzipped },
      ...BAD,
    },
    {
      name: 'encodes its answer in an unknown way',
      script: withHeaders({ 'content-encoding': 'rot13' }),
      ...BAD,
    },
    {
      name: 'says that its plain answer is plain',
      script: withHeaders({ 'content-encoding': 'identity' }),
      ...HARMLESS,
    },
    {
      name: 'compresses its refusal',
      script: { status: 503, headers: { 'content-encoding': 'gzip' }, body: gzipped },
      ...PASSING,
    },
    {
      name: 'compresses its refusal of the key',
      script: { status: 401, headers: { 'content-encoding': 'br' }, body: gzipped },
      ...REFUSED_BY_KEY,
    },
    {
      name: 'closes the connection after each answer',
      script: withHeaders({ connection: 'close' }),
      ...HARMLESS,
    },
    {
      name: 'has its error page put behind the text by a proxy',
      script: [text(PART), raw(`\n\n${html}\n\n`), withoutEnd()],
      ...TRUNCATED,
    },
    {
      name: 'has HTML called an event stream by a proxy',
      script: answered(html, 'text/event-stream'),
      ...BAD,
    },
    {
      name: 'refuses without end',
      script: { status: 500, steps: [endless(raw('x'.repeat(8_000)))] },
      ...PASSING,
    },
    {
      name: 'sends an error event under a refusal',
      script: { status: 500, steps: [errorEvent('server_error')] },
      ...PASSING,
    },
  ],
  'with a status': [
    ...[408, 409, 502, 504].map(code => ({ name: `answers ${code}`, script: status(code), ...PASSING })),
    {
      name: 'answers 429 because the budget of the key is used up',
      script: status(429, {}, error('insufficient_quota', 'You exceeded your current quota')),
      ...REFUSED_BY_KEY,
    },
    { name: 'answers 429 with a hint in seconds', script: status(429, { 'retry-after': '0.1' }), ...LIMITED },
    {
      name: 'answers 429 with a date for a hint',
      script: status(429, { 'retry-after': 'Thu, 01 Jan 1970 00:00:10 GMT' }),
      ...LIMITED,
    },
    { name: 'answers a status that nobody knows', script: status(599), ...PASSING },
    { name: 'answers an impossible status', script: instead('HTTP/1.1 999999 No\r\n\r\n'), ...BAD },
  ],
};

/** HTTP is the same beneath all APIs. */
export const HTTP_FAULTS: typeof faults = Object.fromEntries(
  Object.entries(faults).map(([place, rows]) => [place, rows.map(row => ({ ...row, kinds: ['openai'] }))]),
);
