// Personal data of common forms in text, replaced by what kind it was: `[EMAIL]`. Each form is found by looking from a
// few characters that it must have, a bounded way to both sides, so that no text takes longer than its length.
// What it finds it replaces; what is written in other forms it does not find.

import { isIPv6 } from 'node:net';

export const REDACTION_KINDS = ['email', 'phone', 'card', 'iban', 'ip'] as const;
export type RedactionKind = (typeof REDACTION_KINDS)[number];

/** Replaces what it finds in a text. Once more, it finds nothing. */
export type RedactText = (text: string) => string;

/** Without kinds the text is given back as it is. */
export function createRedactText(kinds: readonly RedactionKind[]): RedactText {
  // Cards, numbers of accounts and addresses first: a part of them may look like a telephone number.
  const passes = (['email', 'iban', 'card', 'ip', 'phone'] as const)
    .filter(kind => kinds.includes(kind))
    .map(kind => PASSES[kind]);
  return text => passes.reduce((redacted, pass) => pass(redacted), text);
}

/** The same in every text and every name of a JSON value; a number that is found becomes text. */
export function redactJson(value: unknown, redact: RedactText): unknown {
  if (typeof value === 'string') return redact(value);
  if (typeof value === 'number') {
    const text = String(value);
    const redacted = redact(text);
    return redacted === text ? value : redacted;
  }
  if (Array.isArray(value)) return value.map(inner => redactJson(inner, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [redact(name), redactJson(inner, redact)]),
  );
}

const PASSES: Readonly<Record<RedactionKind, RedactText>> = {
  email: redactEmails,
  iban: text => replaceFound(text, { candidates: IBAN_LIKE, lengthOf: ibanLength, placeholder: '[IBAN]' }),
  card: text => replaceFound(text, { candidates: CARD_LIKE, lengthOf: cardLength, placeholder: '[CARD]' }),
  ip: text =>
    replaceFound(text, { candidates: IPV6_LIKE, lengthOf: ipv6Length, placeholder: '[IP]' }).replace(
      IPV4_LIKE,
      redactIpv4,
    ),
  phone: text =>
    replaceFound(text, { candidates: PHONE_LIKE, lengthOf: phoneLength, placeholder: '[PHONE]' }),
};

const MAX_LOCAL_LENGTH = 64;
const MAX_DOMAIN_LENGTH = 255;
const LOCAL = /[\p{L}\p{N}.!#$%&'*+/=?^_`{|}~-]/u;
const DOMAIN = /[\p{L}\p{N}.-]/u;
/** `package@1.2.3` is none. */
const DOMAIN_NAME = /^[^.-][^.]*(?:\.[^.]+)*\.\p{L}[\p{L}\p{N}-]+$/u;

function redactEmails(text: string): string {
  const pieces: string[] = [];
  let kept = 0;
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    let from = at;
    const lowest = Math.max(kept, at - MAX_LOCAL_LENGTH);
    while (from > lowest && LOCAL.test(text[from - 1]!)) from -= 1;
    const to = endOfDomain(text, at + 1);
    if (from === at || to === undefined) continue;
    pieces.push(text.slice(kept, from), '[EMAIL]');
    kept = to;
  }
  return pieces.length === 0 ? text : pieces.join('') + text.slice(kept);
}

function endOfDomain(text: string, from: number): number | undefined {
  const highest = Math.min(text.length, from + MAX_DOMAIN_LENGTH);
  let to = from;
  while (to < highest && DOMAIN.test(text[to]!)) to += 1;
  while (to > from && /[.-]/.test(text[to - 1]!)) to -= 1;
  return DOMAIN_NAME.test(text.slice(from, to)) ? to : undefined;
}

// Each is of a bounded length, and its parts share no character, so that there is one way only to match it.
const IBAN_LIKE = /(?<![\p{L}\p{N}])[A-Za-z]{2}\d{2}(?:[ \u00a0-]?[A-Za-z0-9]){11,30}/gu;
const CARD_LIKE = /(?<![\p{L}\p{N}])[2-6](?:[ \u00a0-]?\d){12,18}/gu;
const IPV6_LIKE = /(?<![\p{L}\p{N}:.])[0-9A-Fa-f:][0-9A-Fa-f:.]{1,44}/gu;
const IPV4_LIKE = /(?<![\p{L}\p{N}.])\d{1,3}(?:\.\d{1,3}){3}(?![\p{L}\p{N}]|\.\d)/gu;
const PHONE_LIKE = /(?<![\p{L}\p{N}.])\(?\+?\d(?:[ \u00a0()./-]{0,3}\d){6,16}/gu;
const WORD = /[\p{L}\p{N}]/u;

interface Form {
  /** Where it may begin, and how far it may go. */
  readonly candidates: RegExp;
  /** How much of a candidate it is; 0: nothing. `endsAt` tells whether a word ends behind so many characters. */
  readonly lengthOf: (candidate: string, endsAt: (length: number) => boolean) => number;
  readonly placeholder: string;
}

function replaceFound(text: string, { candidates, lengthOf, placeholder }: Form): string {
  const pieces: string[] = [];
  // What is behind a find is looked at as if nothing stood before it, as the next reader sees it.
  let rest = text;
  candidates.lastIndex = 0;
  for (let found = candidates.exec(rest); found; found = candidates.exec(rest)) {
    const { index } = found;
    const length = lengthOf(found[0], end => !WORD.test(rest[index + end] ?? ' '));
    candidates.lastIndex = length === 0 ? index + 1 : 0;
    if (length === 0) continue;
    pieces.push(rest.slice(0, index), placeholder);
    rest = rest.slice(index + length);
  }
  return pieces.length === 0 ? text : pieces.join('') + rest;
}

/** The check digits say so: the number with its first four signs at the end, letters as numbers, leaves 1 over 97. */
function ibanLength(candidate: string, endsAt: (length: number) => boolean): number {
  let [length, count, remainder] = [0, 0, 0];
  for (let index = 0; index < candidate.length; index += 1) {
    const value = Number.parseInt(candidate[index]!, 36);
    if (Number.isNaN(value)) continue;
    count += 1;
    if (count > 4) remainder = joined(remainder, value);
    if (count < 15 || !endsAt(index + 1)) continue;
    const whole = [...candidate.slice(0, 4)].reduce(
      (sum, sign) => joined(sum, Number.parseInt(sign, 36)),
      remainder,
    );
    if (whole === 1) length = index + 1;
  }
  return length;
}

function joined(remainder: number, value: number): number {
  return (remainder * (value > 9 ? 100 : 10) + value) % 97;
}

/** 13 to 19 digits of which the last fits the others: of every second one, from the right, the double counts (Luhn). */
function cardLength(candidate: string, endsAt: (length: number) => boolean): number {
  let [length, count] = [0, 0];
  /** With the digits doubled that stand at even places from the left, and at odd ones. */
  const sums = [0, 0] as [number, number];
  for (let index = 0; index < candidate.length; index += 1) {
    const digit = candidate.charCodeAt(index) - 48;
    if (digit < 0 || digit > 9) continue;
    const doubled = digit > 4 ? digit * 2 - 9 : digit * 2;
    sums[0] += count % 2 === 0 ? doubled : digit;
    sums[1] += count % 2 === 0 ? digit : doubled;
    count += 1;
    if (count >= 13 && sums[count % 2]! % 10 === 0 && endsAt(index + 1)) length = index + 1;
  }
  return length;
}

/** With a digit: `a::b` stands in programs. A full stop or a colon behind it is the sentence's. */
function ipv6Length(candidate: string, endsAt: (length: number) => boolean): number {
  if (!/\d/.test(candidate) || !endsAt(candidate.length)) return 0;
  const [without] = /^.*?(?=[.:]?$)/.exec(candidate)!;
  return [candidate, without].find(address => isIPv6(address))?.length ?? 0;
}

function redactIpv4(text: string): string {
  return text.split('.').every(part => Number(part) <= 255) ? '[IP]' : text;
}

const PHONE_START = /^(?:\(?\+|\(?00?[1-9]|(?:1[ .-]?)?\(?[2-9]\d\d[ .)-])/;
const DATE = /^(?:\d{1,2}[./-]\d{1,2}[./-]\d{4}|\d{4}[./-]\d{1,2}[./-]\d{1,2})/;
const NORTH_AMERICAN = /^(?:1[ .-]?)?(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .-])\d{3}[ .-]\d{4}$/;

function phoneLength(candidate: string, endsAt: (length: number) => boolean): number {
  if (!PHONE_START.test(candidate) || DATE.test(candidate)) return 0;
  let [length, count] = [0, 0];
  for (let index = 0; index < candidate.length; index += 1) {
    if (!/\d/.test(candidate[index]!)) continue;
    count += 1;
    if (count >= 8 && endsAt(index + 1) && isPhone(candidate.slice(0, index + 1), count)) length = index + 1;
  }
  return length;
}

/** With the code of a country, or with a zero in front, or in the groups of North America. */
function isPhone(text: string, count: number): boolean {
  if (/^\(?\+/.test(text)) return count <= 15;
  if (/^\(?00/.test(text)) return count >= 10;
  if (/^\(?0/.test(text)) return count >= 9 && count <= 12;
  return NORTH_AMERICAN.test(text);
}
