// Every fault a provider can have, as a script for the scripted upstream, and the one name it gets.

import {
  comment,
  cut,
  errorEvent,
  finish,
  malformed,
  raw,
  type Script,
  type Step,
  stall,
  status,
  text,
  withoutEnd,
} from '../support/upstream.ts';

export interface Fault {
  readonly title: string;
  readonly script: Script | readonly Step[];
  /** As `faultOf` prints it. */
  readonly fault: string;
  /** The text that had come, and must not be lost. */
  readonly text?: string;
}

const PAGE = '<!doctype html><html><body><h1>Bad gateway</h1></body></html>';
const MEGABYTE = 'x'.repeat(1_000_000);

const CONNECTION: readonly Fault[] = [
  { title: 'resets the connection before its headers', script: { before: 'reset' }, fault: 'connection' },
  { title: 'closes the connection before its headers', script: { before: 'close' }, fault: 'connection' },
  { title: 'is cut mid-stream', script: [text('Hel'), cut()], fault: 'truncated', text: 'Hel' },
  { title: 'is reset mid-stream', script: [text('Hel'), cut('reset')], fault: 'truncated' },
  {
    title: 'is cut inside a line',
    script: [text('Hel'), raw('data: {"choi'), cut()],
    fault: 'truncated',
    text: 'Hel',
  },
  {
    title: 'ends without a marker',
    script: [text('Hel'), withoutEnd()],
    fault: 'truncated',
    text: 'Hel',
  },
  {
    title: 'sends its marker without a reason',
    script: [text('Hel'), finish({ reason: 'none' })],
    fault: 'truncated',
    text: 'Hel',
  },
  {
    title: 'begins and ends without a word',
    script: [text(''), withoutEnd()],
    fault: 'truncated',
    text: '',
  },
  {
    title: 'ends inside a line',
    script: [text('Hel'), raw('data: {"choi'), withoutEnd()],
    fault: 'truncated',
    text: 'Hel',
  },
  {
    title: 'sends less than its content length',
    script: { headers: { 'content-length': '5000' }, body: ': nothing yet\n\n', closes: true },
    fault: 'truncated',
  },
];

const STATUSES: readonly Fault[] = (
  [
    [400, 'bad-request'],
    [401, 'credentials'],
    [402, 'credentials'],
    [403, 'credentials'],
    [404, 'unknown-model'],
    [408, 'server'],
    [409, 'server'],
    [413, 'bad-request'],
    [422, 'bad-request'],
    [429, 'rate-limit'],
    [500, 'server'],
    [502, 'server'],
    [503, 'server'],
    [504, 'server'],
    [529, 'server'],
  ] as const
).flatMap(([code, fault]) => [
  {
    title: `answers ${code}`,
    script: status(code, {}, { error: { type: 'some_error', message: 'no' } }),
    fault: `${fault} ${code}`,
  },
  {
    title: `answers ${code} with a page`,
    script: status(code, { 'content-type': 'text/html' }, PAGE),
    fault: `${fault} ${code}`,
  },
]);

const BAD_RESPONSES: readonly Fault[] = [
  {
    title: 'sends a page',
    script: status(200, { 'content-type': 'text/html' }, PAGE),
    fault: 'bad-response',
  },
  {
    title: 'sends other JSON',
    script: status(200, {}, { object: 'chat.completion', choices: [] }),
    fault: 'bad-response',
  },
  { title: 'sends an empty body', script: status(200), fault: 'bad-response' },
  { title: 'sends only the end marker', script: [finish({ reason: 'none' })], fault: 'bad-response' },
  {
    title: 'sends only a keep-alive and the end marker',
    script: [comment(), finish({ reason: 'none' })],
    fault: 'bad-response',
  },
  { title: 'stops without a word', script: [finish({ usage: 'none' })], fault: 'bad-response' },
  {
    title: 'stops without a word, and reports usage without output',
    script: [finish({ usage: { inputTokens: 5, outputTokens: 0 } })],
    fault: 'bad-response',
  },
  {
    title: 'sends a malformed event',
    script: [text('Hel'), malformed(), text('lo')],
    fault: 'bad-response',
    text: 'Hel',
  },
  {
    title: 'sends an event that is no object',
    script: [text('Hel'), raw('data: 42\n\n'), text('lo')],
    fault: 'bad-response',
    text: 'Hel',
  },
  {
    title: 'sends an event of 2 MB',
    script: [text('Hel'), text(MEGABYTE + MEGABYTE)],
    fault: 'bad-response',
    text: 'Hel',
  },
  {
    title: 'sends a line without end that is no event',
    script: [text('Hel'), raw(`nonsense ${MEGABYTE}${MEGABYTE}`), stall()],
    fault: 'bad-response',
    text: 'Hel',
  },
  {
    title: 'compresses its answer unasked',
    script: { headers: { 'content-encoding': 'gzip' }, steps: [text('bomb')] },
    fault: 'bad-response',
    text: '',
  },
];

const ERROR_EVENTS: readonly Fault[] = [
  { title: 'opens with an overload', script: [errorEvent('overloaded_error')], fault: 'server' },
  {
    title: 'is overloaded mid-stream',
    script: [text('Hel'), errorEvent('overloaded_error')],
    fault: 'server',
    text: 'Hel',
  },
  {
    title: 'fails mid-stream',
    script: [text('Hel'), errorEvent('server_error')],
    fault: 'server',
    text: 'Hel',
  },
  { title: 'limits the rate mid-stream', script: [errorEvent('rate_limit_error')], fault: 'rate-limit' },
  {
    title: 'finds the call wrong mid-stream',
    script: [errorEvent('invalid_request_error')],
    fault: 'bad-request',
  },
  {
    title: 'finds the prompt too long mid-stream',
    script: [errorEvent('invalid_request_error', 'prompt is too long: 9 tokens > 8 maximum')],
    fault: 'context-length',
  },
  { title: 'refuses the key mid-stream', script: [errorEvent('authentication_error')], fault: 'credentials' },
  { title: 'has an error nobody knows', script: [errorEvent('gremlins')], fault: 'server' },
];

export const FAULTS: readonly Fault[] = [...CONNECTION, ...STATUSES, ...BAD_RESPONSES, ...ERROR_EVENTS];
