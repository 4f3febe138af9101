// Answers in JSON of a schema: which schemas each API takes with a call, and how one is asked for in words where it
// takes none. Whether an answer kept to it is checked at its end, by the gateway.

import type { JsonSchema } from '../lib/json-schema.ts';
import type { OutputFormat, ProviderCall } from './provider.ts';
import { refuses } from './provider-error.ts';

/** The system text of a call that says in words what the answer has to look like. */
export function systemInWords({
  system,
  output,
}: Pick<ProviderCall, 'system' | 'output'>): string | undefined {
  if (!output) return system;
  const words = `Answer with one JSON value that is valid against the following JSON Schema, and with nothing else: no explanation, no Markdown, no code fence.\n\n${JSON.stringify(output.schema)}`;
  return system === undefined ? words : `${system}\n\n${words}`;
}

/** The call with its schema in words only. */
export function inWords<Call extends Pick<ProviderCall, 'output'>>(call: Call): Call {
  return call.output ? { ...call, output: { ...call.output, enforced: false } } : call;
}

const ABOUT_SCHEMAS = /schema|response_format|output_config|text\.format|structured.output/i;

/** The same answer can be asked for in words: what the provider refuses is this schema, or any. */
export function refusesSchema(error: unknown, { output }: ProviderCall): boolean {
  return output?.enforced === true && refuses(error, ABOUT_SCHEMAS);
}

/** OpenAI takes objects only. */
export function isObjectSchema({ schema }: OutputFormat): boolean {
  return schema.type === 'object';
}

/** What OpenAI's strict mode knows; whatever else a schema has, it is a hint there and not a rule. */
const STRICT_KEYWORDS: ReadonlySet<string> = new Set([
  ...['type', 'enum', 'const', 'anyOf', '$ref', '$defs', 'definitions', 'title', 'description', '$schema'],
  ...['properties', 'required', 'additionalProperties', 'items', 'minItems', 'maxItems', 'pattern', 'format'],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
]);
const STRICT_FORMATS: ReadonlySet<unknown> = new Set([
  ...['date-time', 'date', 'time', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid', undefined],
]);

/** Whether OpenAI can hold a model to every word of it: closed objects whose members are all required, and no more. */
export function isStrict(schema: JsonSchema): boolean {
  return schema.type === 'object' && schema.anyOf === undefined && isStrictPart(schema);
}

function isStrictPart(part: unknown): boolean {
  if (!isSchema(part) || Object.keys(part).some(keyword => !STRICT_KEYWORDS.has(keyword))) return false;
  const isSaid = ['type', 'enum', 'const', 'anyOf', '$ref'].some(keyword => part[keyword] !== undefined);
  return (
    isSaid && STRICT_FORMATS.has(part.format) && isStrictObject(part) && partsOf(part).every(isStrictPart)
  );
}

function isStrictObject({ type, properties, required, additionalProperties }: JsonSchema): boolean {
  if (![type].flat().includes('object')) return true;
  const names = Object.keys(isSchema(properties) ? properties : {});
  return (
    additionalProperties === false && Array.isArray(required) && names.every(name => required.includes(name))
  );
}

/**
 * Whether the form in which Anthropic takes schemas leaves answers to it: there, all objects are closed, and an object
 * that may have members of any name would have none.
 */
export function isClosable(part: JsonSchema): boolean {
  const { type, additionalProperties, patternProperties } = part;
  if (Array.isArray(type) && (type.includes('object') || type.includes('array'))) return false;
  if (additionalProperties !== undefined && additionalProperties !== false) return false;
  return (
    patternProperties === undefined && partsOf(part).every(inner => isSchema(inner) && isClosable(inner))
  );
}

/** The schemas directly within a schema that say what a value must be. */
function partsOf({ properties, items, anyOf, oneOf, allOf, $defs, definitions }: JsonSchema): unknown[] {
  const named = [properties, $defs, definitions].filter(isSchema).flatMap(map => Object.values(map));
  const listed = [anyOf, oneOf, allOf].flatMap(list => (Array.isArray(list) ? list : []));
  return [...named, ...listed, ...(items === undefined ? [] : [items])];
}

function isSchema(part: unknown): part is JsonSchema {
  return typeof part === 'object' && part !== null && !Array.isArray(part);
}
