// The scalars of ours, strict on the way in: what is not exactly the format is refused and never repaired.

import { GraphQLError } from 'graphql';
import { formatUsd, parseUsd } from '../domain/usage.ts';
import { builder } from './builder.ts';

builder.scalarType('DateTime', {
  description:
    'A moment: RFC 3339 in UTC with milliseconds, for example `2026-11-22T18:20:00.000Z`. As input, another offset and fewer digits of the second are accepted, and nothing else.',
  specifiedByURL: 'https://scalars.graphql.org/andimarek/date-time.html',
  serialize: date => date.toISOString(),
  parseValue: parseDateTime,
});

builder.scalarType('Decimal', {
  description:
    'An exact amount of money in USD as a string of decimal digits, without exponent, down to 10⁻⁹ USD, for example `"0.0015"`. As input a string too, not negative, with at most 10 digits before the point.',
  serialize: formatUsd,
  parseValue: parseDecimal,
});

builder.scalarType('BigInt', {
  description:
    'A whole number of any size as a string of digits, for example `"12000000000"`. Only a result.',
  serialize: value => value.toString(),
  parseValue() {
    throw new GraphQLError('BigInt is a result and cannot be an input');
  },
});

builder.scalarType('JSON', {
  description:
    'Any JSON value that is kept and handed back as it is. As input at most 20 levels deep and 1,000 values in all.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc8259',
  serialize: value => value,
  parseValue: parseJson,
});

/** The nano-USD meant; numbers are refused, for they may have been rounded on their way. */
export function parseDecimal(value: unknown): bigint {
  const nanoUsd = typeof value === 'string' ? parseUsd(value) : undefined;
  if (nanoUsd === undefined)
    throw new GraphQLError('A Decimal is a string of decimal digits in USD, for example "0.0015"');
  return nanoUsd;
}

const DATE_TIME =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** The Date meant; throws for anything but RFC 3339 with an existing day and time from year 1 on. */
export function parseDateTime(value: unknown): Date {
  const match = typeof value === 'string' ? DATE_TIME.exec(value) : null;
  if (!match) throw notDateTime();
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  const date = new Date(value as string);
  // Date rolls 30 February over into March; the number of days of the month does not.
  const daysInMonth = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
  const exists = month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth;
  if (!exists || year < 1 || hour > 23 || minute > 59 || second > 59 || Number.isNaN(date.getTime()))
    throw notDateTime();
  if (date.getUTCFullYear() < 1 || date.getUTCFullYear() > 9999) throw notDateTime();
  return date;
}

function notDateTime(): GraphQLError {
  return new GraphQLError('A DateTime is a string in RFC 3339, for example "2026-11-22T18:20:00.000Z"');
}

const MAX_JSON_DEPTH = 20;
const MAX_JSON_VALUES = 1_000;

/** The value itself when it is JSON within the bounds. */
export function parseJson(value: unknown): unknown {
  let level: unknown[] = [value];
  let seen = 0;
  for (let depth = 0; level.length > 0; depth++) {
    seen += level.length;
    if (depth > MAX_JSON_DEPTH) throw new GraphQLError(`JSON may be ${MAX_JSON_DEPTH} levels deep`);
    if (seen > MAX_JSON_VALUES) throw new GraphQLError(`JSON may hold ${MAX_JSON_VALUES} values`);
    level = level.flatMap(childrenOf);
  }
  return value;
}

function childrenOf(value: unknown): unknown[] {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new GraphQLError('JSON knows only finite numbers');
  if (typeof value === 'string' && (value.includes('\0') || !value.isWellFormed()))
    throw new GraphQLError('JSON text must be well-formed Unicode without the character NUL');
  if (value === null || typeof value !== 'object') return [];
  return Array.isArray(value) ? value : Object.entries(value).flat();
}
