// The kinds of values a setting can have. Each one reads the text of an environment variable and the typed value
// of a YAML file alike, and says in words what it expects.

import { z } from 'zod';

/** Above this it is a slip of the hand, not a machine. */
const MAX_WORKERS = 128;

type Scalar = string | number | boolean;

/** A value read by `read`, which answers undefined for what it does not accept. */
function scalar<Value>(expected: string, read: (value: Scalar) => Value | undefined): z.ZodType<Value> {
  const message = `must be ${expected}`;
  return z.union([z.string(), z.number(), z.boolean()], { error: message }).transform((input, context) => {
    const value = read(input);
    if (value !== undefined) return value;
    context.issues.push({ code: 'custom', message, input });
    return z.NEVER;
  });
}

function toNumber(value: Scalar): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : Number.NaN;
}

export function integer(min: number, max: number): z.ZodType<number> {
  return scalar(`a whole number from ${min} to ${max}`, value => {
    const number = toNumber(value);
    return Number.isSafeInteger(number) && number >= min && number <= max ? number : undefined;
  });
}

export function decimal(min: number, max: number): z.ZodType<number> {
  return scalar(`a number from ${min} to ${max}`, value => {
    const number = toNumber(value);
    return number >= min && number <= max ? number : undefined;
  });
}

const SWITCH: Readonly<Record<string, boolean>> = {
  true: true,
  '1': true,
  yes: true,
  on: true,
  false: false,
  '0': false,
  no: false,
  off: false,
};

export function flag(): z.ZodType<boolean> {
  return scalar('true or false', value => SWITCH[String(value).trim().toLowerCase()]);
}

/** One of the names, in any letter case. YAML reads a bare `on` or `off` as text, other tools as a boolean. */
export function choice<const Name extends string>(names: readonly Name[]): z.ZodType<Name> {
  return scalar(`one of ${names.join(', ')}`, value => {
    const text = value === true ? 'on' : value === false ? 'off' : String(value).trim();
    return names.find(name => name.toLowerCase() === text.toLowerCase());
  });
}

export function text(expected = 'a text'): z.ZodType<string> {
  return scalar(expected, value => String(value).trim() || undefined);
}

/** A secret keeps the blanks inside it; only the line end that editors leave in files is dropped. */
export function secretText(): z.ZodType<string> {
  return scalar('a text', value => String(value).replace(/\r?\n$/, '') || undefined);
}

/** An http(s) address without a trailing slash. */
export function httpUrl(): z.ZodType<string> {
  return scalar('an address that begins with http:// or https://', value => {
    const address = String(value).trim();
    if (!/^https?:\/\//i.test(address) || !URL.canParse(address)) return undefined;
    return address.replace(/\/+$/, '');
  });
}

/** An http(s) address that is compared with what others send, so that not a character of it may change. */
export function exactUrl(): z.ZodType<string> {
  return scalar('an address that begins with http:// or https://', value => {
    const address = String(value).trim();
    return /^https?:\/\//.test(address) && URL.canParse(address) ? address : undefined;
  });
}

/** What Ollama's own tools accept as OLLAMA_HOST: an address, `host:port` or a bare host; 0.0.0.0 means here. */
export function ollamaHost(): z.ZodType<string> {
  return scalar('an address, host:port or a host', value => {
    const given = String(value).trim();
    const hasScheme = /^https?:\/\//i.test(given);
    const address = hasScheme ? given : `http://${given}`;
    if (given === '' || !URL.canParse(address)) return undefined;
    const url = new URL(address);
    if (!hasScheme && url.port === '' && !/:\d+$/.test(given)) url.port = '11434';
    if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1';
    return url.href.replace(/\/+$/, '');
  });
}

export function databaseUrl(): z.ZodType<string> {
  return scalar('postgres://user:password@host:port/database or memory:', value => {
    const address = String(value).trim();
    if (address === 'memory:') return address;
    return /^postgres(ql)?:\/\//.test(address) && URL.canParse(address) ? address : undefined;
  });
}

export function redisUrl(): z.ZodType<string> {
  return scalar('redis://host:port or rediss://host:port', value => {
    const address = String(value).trim();
    return /^rediss?:\/\//.test(address) && URL.canParse(address) ? address : undefined;
  });
}

/** How many processes serve; `auto` is counted where they are started. */
export function workerCount(): z.ZodType<number | 'auto'> {
  return scalar(`a whole number from 1 to ${MAX_WORKERS}, or auto`, value => {
    if (String(value).trim().toLowerCase() === 'auto') return 'auto';
    const number = toNumber(value);
    return Number.isInteger(number) && number >= 1 && number <= MAX_WORKERS ? number : undefined;
  });
}

/** Several texts: separated by commas in a variable, a list in a file. */
export function list(itemExpected: string, accepts: (item: string) => boolean): z.ZodType<readonly string[]> {
  const message = `must be a list of ${itemExpected}, separated by commas`;
  return z.union([z.string(), z.array(z.string())], { error: message }).transform((input, context) => {
    const items = (typeof input === 'string' ? input.split(',') : input).map(item => item.trim());
    const kept = items.filter(item => item !== '');
    if (kept.every(accepts)) return kept;
    context.issues.push({ code: 'custom', message, input });
    return z.NEVER;
  });
}
