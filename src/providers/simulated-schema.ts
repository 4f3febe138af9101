// Reading a JSON Schema in order to make a value of it: references are followed, what belongs together is put together.

import type { JsonSchema } from '../lib/json-schema.ts';

interface Reading {
  /** What `#` means. */
  readonly root: JsonSchema;
  /** Steps that may still be taken. */
  left: number;
}

/**
 * One schema without `$ref`, `allOf`, `anyOf` and `oneOf`. Of alternatives the first is taken; `brief`: the first that
 * has nothing below it, so that what refers to itself comes to an end.
 */
export function toPlain(schema: unknown, reading: Reading, brief: boolean): JsonSchema {
  reading.left -= 1;
  if (!isSchema(schema) || reading.left <= 0) return {};
  const { $ref: ref, allOf, anyOf, oneOf, ...rest } = schema;
  const parts: unknown[] = Array.isArray(allOf) ? [...allOf] : [];
  if (typeof ref === 'string') parts.push(follow(ref, reading.root));
  for (const alternatives of [anyOf, oneOf])
    if (Array.isArray(alternatives))
      parts.push((brief ? alternatives.find(isLeaf) : undefined) ?? alternatives[0]);
  return parts.reduce<JsonSchema>((sum, part) => merge(sum, toPlain(part, reading, brief)), rest);
}

function isLeaf(schema: unknown): boolean {
  if (!isSchema(schema)) return false;
  return !['properties', 'items', '$ref', 'allOf', 'anyOf', 'oneOf'].some(keyword => keyword in schema);
}

/** JSON pointers into the schema itself; undefined for anything else. */
function follow(ref: string, root: JsonSchema): unknown {
  const [, ...steps] = ref.split('/');
  let part: unknown = root;
  for (const step of steps) {
    const name = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
    part = typeof part === 'object' && part !== null ? (part as JsonSchema)[name] : undefined;
  }
  return ref.startsWith('#') ? part : undefined;
}

/** What both ask for, as far as it can stand side by side. */
function merge(one: JsonSchema, other: JsonSchema): JsonSchema {
  const merged: Record<string, unknown> = { ...one, ...other };
  if (one.properties || other.properties)
    merged.properties = { ...(one.properties as object), ...(other.properties as object) };
  if (one.required || other.required)
    merged.required = [...namesIn(one.required), ...namesIn(other.required)];
  return merged;
}

export function namesIn(required: unknown): string[] {
  return Array.isArray(required) ? required.filter(name => typeof name === 'string') : [];
}

/** `steps` → `step`, `entries` → `entry`; good enough for names. */
export function singular(name: string): string {
  if (name.endsWith('ies')) return `${name.slice(0, -3)}y`;
  return name.endsWith('s') && !name.endsWith('ss') ? name.slice(0, -1) : name;
}

export function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
