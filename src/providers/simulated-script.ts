// What a simulated answer says: read from the directives in the prompt, the rest drawn from the seed. Pure.

import { promptOf } from '../domain/request.ts';
import type { ProviderCall } from './provider.ts';
import { jsonOf } from './simulated-json.ts';

/** Marks every simulated text, so that nobody takes it for a model's. */
export const LABEL = '[simulated]';

export interface Script {
  /** Words to stream, each with the white space before it; a continuation leaves out what the call already has. */
  readonly pieces: readonly string[];
  readonly finish: 'stop' | 'length';
  /** Its name as in `[[fail:name]]`. */
  readonly fault: string | undefined;
}

const DIRECTIVE = /\[\[(echo|json|words:\d{1,6}|fail:[a-z0-9-]{1,20}(?:@[\w.-]{1,40})?)\]\]\s?/g;
const MAX_WORDS = 100_000;
/** A run without white space is cut, so that a token has a bounded size. */
const PIECE = /\s*\S{1,12}|\s+$/gu;
/** Of JSON, on average: not less than this. */
const LETTERS_PER_TOKEN = 5;
const QUOTE_LENGTH = 160;

export function scriptOf(call: ProviderCall, random: () => number): Script {
  const prompt = promptOf(call.messages);
  const directives = [...prompt.matchAll(DIRECTIVE)].map(match => match[1]!);
  const text = beforeStop(write(call, prompt, directives, random), call.stop);
  const pieces = remainder(text, call).match(PIECE) ?? [];
  return {
    pieces: pieces.slice(0, call.maxOutputTokens),
    finish: pieces.length > call.maxOutputTokens ? 'length' : 'stop',
    fault: faultOf(call.model, directives),
  };
}

function write(
  { model, output, maxOutputTokens }: ProviderCall,
  prompt: string,
  directives: readonly string[],
  random: () => number,
): string {
  const asked = prompt.replaceAll(DIRECTIVE, '');
  const words = directives.find(directive => directive.startsWith('words:'));
  // JSON has to stay parseable: there the label is its first member.
  if (directives.includes('json')) return JSON.stringify({ label: LABEL, model, prompt: asked });
  if (directives.includes('echo')) return `${LABEL} ${asked}`;
  if (words) return `${LABEL} ${lorem(Math.min(MAX_WORDS, Number(words.slice(6))), random)}`;
  if (output) {
    const luck = { random, label: LABEL, words: (count: number) => lorem(count, random) };
    return jsonOf(output.schema, luck, maxOutputTokens * LETTERS_PER_TOKEN);
  }
  return `${LABEL} ${cannedAnswer(model, asked, random)}`;
}

/** The last directive that speaks to this model; `[[fail:500@fast]]` speaks to `fast` only. */
function faultOf(model: string, directives: readonly string[]): string | undefined {
  for (const directive of directives.toReversed()) {
    if (!directive.startsWith('fail:')) continue;
    const [name = '', onModel] = directive.slice(5).split('@');
    if (onModel === undefined || onModel === model) return name;
  }
  return undefined;
}

function beforeStop(text: string, stops: readonly string[]): string {
  const ends = stops.filter(stop => stop !== '').map(stop => text.indexOf(stop));
  return text.slice(0, Math.min(text.length, ...ends.filter(end => end >= 0)));
}

/** A last message of the assistant is a beginning that is to be continued, not repeated. */
function remainder(text: string, { messages }: ProviderCall): string {
  const last = messages.at(-1);
  if (last?.role !== 'ASSISTANT') return text;
  return text.slice(text.startsWith(last.content) ? last.content.length : 0);
}

const FACTS = [
  'Each request is stored before it is accepted, so it reaches exactly one end, whatever is restarted in between.',
  'The stream is a numbered log: whoever loses the connection comes back with the last cursor and misses nothing.',
  'Every routing decision is kept with its candidates, their scores and the reasons of those that were rejected.',
  'A deployment that keeps failing is left alone by its circuit breaker, and the next candidate serves the request.',
  'Money is counted in whole nano-dollars; a price that is not known is reported as unpriced and never as zero.',
  'An answer that ends without its end marker is never called a success.',
  'Cancelling a request reaches the provider at once, and what was used until then is accounted for.',
  'Any number of subscribers follow one answer, and the provider is called once.',
  'With preferLocal a healthy model on your own machine is tried before any other.',
  'The strategies COST, PERFORMANCE, RELIABILITY and BALANCED weigh time, price and quality differently.',
] as const;

function cannedAnswer(model: string, asked: string, random: () => number): string {
  const quote = asked.trim().replaceAll(/\s+/g, ' ');
  const shown = quote.length > QUOTE_LENGTH ? `${quote.slice(0, QUOTE_LENGTH)}…` : quote;
  const facts = [...FACTS];
  const chosen = Array.from(
    { length: model === 'smart' ? 4 : 2 },
    () => facts.splice(Math.floor(random() * facts.length), 1)[0]!,
  );
  return [
    `You asked: “${shown}”.`,
    `No model has read it: this text was made up by the built-in provider (model ${model}), so that the control plane can be tried without a key.`,
    ...chosen,
    'For a real answer, set OPENAI_API_KEY or ANTHROPIC_API_KEY, or start Ollama or LM Studio.',
  ].join(' ');
}

const LOREM =
  'lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore magna aliqua'.split(
    ' ',
  );

function lorem(count: number, random: () => number): string {
  return Array.from({ length: count }, () => LOREM[Math.floor(random() * LOREM.length)]!).join(' ');
}
