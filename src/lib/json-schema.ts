// JSON Schema: whether one can be used, and whether a text is JSON of it. The only file that knows the validator.
//
// A schema comes from a caller and is trusted in nothing. Each is compiled by a validator of its own, so that no `$id`
// of one meets a `$ref` of another and nothing is left of it when it is forgotten; nothing is ever fetched; and a check
// is ended after its time, for a pattern or a recursion can be written that takes years over a few words.

import { createRequire } from 'node:module';
import { type Context, createContext, Script } from 'node:vm';
import type { ErrorObject, ValidateFunction } from 'ajv';
import { LRUCache } from 'lru-cache';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** A schema with more levels, each pair of brackets being one, is refused. */
const MAX_DEPTH = 32;
/** Characters of the schemas that are kept compiled; compiled, each takes some 40 bytes. */
const MAX_KEPT = 262_144;
const DEFAULT_CHECK_MS = 250;
const MAX_SHOWN = 120;

/** The dialects that `$schema` may name, and who knows them. Without a name it is the newer one. */
const DIALECTS = {
  '//json-schema.org/draft/2020-12/schema': '2020-12',
  '//json-schema.org/draft-07/schema': 'draft-07',
} as const;
type Dialect = (typeof DIALECTS)[keyof typeof DIALECTS];

/** `format` is a note to the model: it is not checked. `validateSchema` and `meta`: the checker below has done it. */
const OPTIONS = {
  strict: false,
  validateFormats: false,
  validateSchema: false,
  meta: false,
  // Both cost more than they save in what runs a few times.
  inlineRefs: false,
  code: { optimize: false },
  logger: false,
} as const;

const compiled = new LRUCache<string, ValidateFunction>({
  maxSize: MAX_KEPT,
  sizeCalculation: (_validate, text) => text.length,
});

/**
 * What keeps a schema from being used, as it follows on its name (“… is not valid”); undefined: nothing. `maxBytes` of
 * JSON are taken. The first time takes some 4 ms of processor time for each kilobyte.
 */
export function checkSchema(schema: unknown, maxBytes: number = Infinity): string | undefined {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema))
    return 'must be a JSON Schema, which is an object';
  // First of all: what is nested without end cannot even be written down.
  if (isDeeper(schema, MAX_DEPTH)) return `is nested more than ${MAX_DEPTH} levels deep`;
  const text = JSON.stringify(schema);
  if (Buffer.byteLength(text) > maxBytes)
    return `is too large: at most ${maxBytes} bytes of JSON are accepted`;
  const { $schema: dialect, $async: asynchronous } = schema as JsonSchema;
  if (dialectOf(dialect) === undefined)
    return 'has a `$schema` that is not known here: leave it out, or name draft-07 or 2020-12';
  // An extension of the validator, which would answer with a promise.
  if (asynchronous !== undefined) return 'has `$async`, which is not part of JSON Schema';
  if (compiled.has(text)) return undefined;
  try {
    const defect = defectOf(schema as JsonSchema);
    if (defect) return `is not a valid JSON Schema: ${describe(defect)}`;
    const validate = validatorOf(schema as JsonSchema);
    // Finds at once what refers to itself without ever going deeper.
    inTime(() => validate(null), DEFAULT_CHECK_MS);
    return undefined;
  } catch (error) {
    compiled.delete(text);
    return `cannot be used: ${reasonOf(error)}`;
  }
}

/** `isOpen`: the comparison was given up, and nobody knows whether the text is of its schema. */
export type Validated = { readonly value: unknown } | { readonly problem: string; readonly isOpen?: true };

/**
 * The value that the text is JSON of; or what is wrong with the text, as it follows on a name for it (“… is not JSON”),
 * with the path of the place. `schema` must have passed `checkSchema`. Blocks for `maxMs` at most.
 */
export function validateJson(schema: JsonSchema, text: string, maxMs: number = DEFAULT_CHECK_MS): Validated {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { problem: `is not JSON: ${syntaxProblem(text, String((error as Error).message))}` };
  }
  const validate = validatorOf(schema);
  try {
    if (inTime(() => validate(value), maxMs)) return { value };
  } catch (error) {
    return { problem: `could not be compared with its schema: ${reasonOf(error, maxMs)}`, isOpen: true };
  }
  return { problem: `is not of its schema: ${describe(validate.errors?.at(-1))}` };
}

function validatorOf(schema: JsonSchema): ValidateFunction {
  const key = JSON.stringify(schema);
  const known = compiled.get(key);
  if (known) return known;
  const { $schema: dialect, ...rest } = schema;
  const validate = createValidator(dialectOf(dialect) ?? '2020-12', OPTIONS).compile(rest);
  compiled.set(key, validate);
  return validate;
}

const require = createRequire(import.meta.url);

/** Loaded when the first schema comes: whoever sends none does not pay for it. */
function createValidator(dialect: Dialect, options: object) {
  if (dialect === 'draft-07') {
    const { Ajv } = require('ajv') as typeof import('ajv');
    return new Ajv(options);
  }
  const { Ajv2020 } = require('ajv/dist/2020.js') as typeof import('ajv/dist/2020.js');
  return new Ajv2020(options);
}

const checkers: { [Name in Dialect]?: ReturnType<typeof createValidator> } = {};

/** How the schema differs from what its dialect allows. */
function defectOf({ $schema: dialect, ...schema }: JsonSchema): ErrorObject | undefined {
  const name = dialectOf(dialect) ?? '2020-12';
  checkers[name] ??= createValidator(name, { strict: false, validateFormats: false, logger: false });
  return checkers[name].validateSchema(schema) ? undefined : checkers[name].errors?.[0];
}

function dialectOf(name: unknown): Dialect | undefined {
  if (name === undefined) return '2020-12';
  const bare = String(name)
    .replace(/^https?:/, '')
    .replace(/#$/, '');
  return Object.hasOwn(DIALECTS, bare) ? DIALECTS[bare as keyof typeof DIALECTS] : undefined;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some(inner => isDeeper(inner, levels - 1));
}

const script = new Script('check()');
let realm: Context | undefined;

/** Node ends nothing but a script of its own kind in the middle of a computation. */
function inTime(check: () => unknown, maxMs: number): unknown {
  realm ??= createContext({});
  realm.check = check;
  try {
    return script.runInContext(realm, { timeout: maxMs });
  } finally {
    realm.check = undefined;
  }
}

function reasonOf(error: unknown, maxMs: number = DEFAULT_CHECK_MS): string {
  const { code, message, missingRef } = error as { code?: string; message?: string; missingRef?: string };
  if (code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return `that takes longer than ${maxMs} ms`;
  if (error instanceof RangeError) return 'it goes deeper and deeper, or refers to itself without end';
  if (missingRef !== undefined)
    return `the $ref ${shown(missingRef)} leads nowhere; it may only lead into the schema itself, like #/$defs/name`;
  return shown(message ?? 'unknown reason');
}

/** The parser's own words quote the text, which is for nobody's log. */
function syntaxProblem(text: string, message: string): string {
  const begin = text.trimStart();
  if (begin === '') return 'it is empty';
  if (begin.startsWith('```')) return 'it is wrapped in a code fence';
  if (!/^(?:[[{"\-\d]|true|false|null)/.test(begin)) return 'it begins with something else';
  if (/end of JSON|Unterminated/.test(message)) return 'it breaks off';
  const position = /at position \d+/.exec(message)?.[0];
  if (position && message.includes('after JSON')) return `something follows on it ${position}`;
  return position ? `it has an error ${position}` : 'it has an error';
}

function describe(error: ErrorObject | undefined): string {
  if (!error) return 'it is another value';
  const { instancePath, keyword, message, params } = error;
  const place = instancePath === '' ? 'the value' : shown(instancePath);
  const named =
    keyword === 'additionalProperties' || keyword === 'unevaluatedProperties'
      ? `: ${shown(JSON.stringify(params.additionalProperty ?? params.unevaluatedProperty))}`
      : keyword === 'enum'
        ? `: ${shown(JSON.stringify(params.allowedValues))}`
        : '';
  return `${place} ${message ?? 'is wrong'}${named}`;
}

/** Names may come from the answer: short, on one line, and such as every database and terminal can hold. */
function shown(text: string): string {
  const clean = text.toWellFormed().replace(/\p{Cc}/gu, '\uFFFD');
  return clean.length > MAX_SHOWN ? `${clean.slice(0, MAX_SHOWN).toWellFormed()}…` : clean;
}
