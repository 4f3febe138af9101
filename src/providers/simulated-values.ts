// Numbers and texts within the bounds of a JSON Schema.

import type { JsonSchema } from '../lib/json-schema.ts';

export interface Luck {
  /** From 0 to 1, excluding 1. */
  readonly random: () => number;
  /** So many words. */
  readonly words: (count: number) => string;
  /** Stands before each text that has room for it. */
  readonly label: string;
}

const SPAN = 100;
const MAX_LENGTH = 100_000;
const LETTERS_PER_WORD = 3;

const EXAMPLES: Readonly<Record<string, string>> = {
  'date-time': '2026-01-01T12:00:00Z',
  date: '2026-01-01',
  time: '12:00:00Z',
  duration: 'PT1H',
  email: 'simulated@example.com',
  hostname: 'simulated.example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/simulated',
};

export function textOf({ format, minLength = 0, maxLength = MAX_LENGTH }: JsonSchema, luck: Luck): string {
  if (format === 'uuid') return uuidOf(luck);
  const example =
    typeof format === 'string' && Object.hasOwn(EXAMPLES, format) ? EXAMPLES[format] : undefined;
  if (example !== undefined) return example;
  const atLeast = Math.min(Number(minLength), MAX_LENGTH);
  const words = Math.max(3 + Math.floor(luck.random() * 4), Math.ceil(atLeast / LETTERS_PER_WORD));
  const text = `${luck.label} ${luck.words(words)}`;
  const greatest = Math.max(atLeast, luck.label.length + 40);
  return text.slice(0, Math.min(greatest, Number(maxLength)));
}

function uuidOf({ random }: Luck): string {
  const digits = (count: number) =>
    Array.from({ length: count }, () => Math.floor(random() * 16).toString(16)).join('');
  return `${digits(8)}-${digits(4)}-4${digits(3)}-8${digits(3)}-${digits(12)}`;
}

/** Whole where the type says so, and a multiple of what it should be one of. */
export function numberOf(schema: JsonSchema, { random }: Luck): number {
  const isWhole = [schema.type].flat()[0] === 'integer';
  const step = isNumber(schema.multipleOf) ? schema.multipleOf : isWhole ? 1 : undefined;
  const [low, high] = boundsOf(schema, step);
  if (step !== undefined) return multipleOf(step, Math.ceil(low / step), Math.floor(high / step), random);
  const middle = low + (high - low) * (0.25 + random() / 2);
  const short = Math.round(middle * 10) / 10;
  return short > low && short < high ? short : middle;
}

/** One that can be told to be a multiple: 3 × 0.1 is not quite one of 0.1. */
function multipleOf(step: number, first: number, last: number, random: () => number): number {
  const drawn = first + Math.floor(random() * (last - first + 1));
  for (const factor of [drawn, drawn + 1, drawn - 1, first, last])
    if (factor >= first && factor <= last && Number.isInteger((factor * step) / step)) return factor * step;
  return drawn * step;
}

/** The smallest and the largest number allowed; where one side is open, not far from the other. */
function boundsOf(schema: JsonSchema, step: number | undefined): [low: number, high: number] {
  const { minimum, maximum, exclusiveMinimum: above, exclusiveMaximum: below } = schema;
  const next = (bound: number) => (step === undefined ? bound : (Math.floor(bound / step) + 1) * step);
  const previous = (bound: number) => (step === undefined ? bound : (Math.ceil(bound / step) - 1) * step);
  const lows = [minimum, isNumber(above) ? next(above) : undefined].filter(isNumber);
  const highs = [maximum, isNumber(below) ? previous(below) : undefined].filter(isNumber);
  const low = lows.length > 0 ? Math.max(...lows) : undefined;
  const high = highs.length > 0 ? Math.min(...highs) : undefined;
  const span = Math.max(SPAN, 2 * (step ?? 0));
  return [low ?? Math.min(1, (high ?? SPAN) - span), high ?? Math.max(SPAN, (low ?? 0) + span)];
}

function isNumber(bound: unknown): bound is number {
  return typeof bound === 'number';
}
