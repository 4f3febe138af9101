// A value of a JSON Schema, made up. The same schema and luck give the same value, small and readable:
//
// - of an object the required members come first, then the others; a list has two to four elements;
// - a text is the label and a few words, of the length asked for, or an example of a known `format`;
// - a text that is a member `id` is a name like `step-1`: the singular of the list whose element has it, or the name of
//   the object that has it, and a number, so that no two are the same;
// - a list of texts that is a member `dependsOn` has such names, of elements of the list around it that came before;
// - of several types, and of the schemas under `anyOf` and `oneOf`, the first is taken, of an `enum` any value.
//
// Not looked at: `pattern`, `not`, `if`, `contains`, `patternProperties`, `propertyNames`, dependent and unevaluated
// members. A value that turns out not to be valid is made again with other luck, a few times; then it is what it is.

import { type JsonSchema, validateJson } from '../lib/json-schema.ts';
import { isSchema, namesIn, singular, toPlain } from './simulated-schema.ts';
import { type Luck, numberOf, textOf } from './simulated-values.ts';

interface Making extends Luck {
  readonly root: JsonSchema;
  /** Nothing is made that may be left out. */
  readonly brief: boolean;
  /** By the word before the number, how many names there are. */
  readonly named: Map<string, number>;
  /** Steps that may still be taken: a schema can ask for more than there is time for. */
  left: number;
}

/** Where in the value something is made. */
interface Place {
  /** Of the member; of an element, the singular of its list's. */
  readonly name: string;
  /** Of the object whose member it is. */
  readonly owner: string;
  readonly depth: number;
  /** The ids of the elements before the one in which it is. */
  readonly earlier: readonly string[];
}

const TRIES = 8;
const MAX_STEPS = 5_000;
const CHECK_MS = 100;
/** Deeper than this nothing is made that may be left out, and at the end nothing at all. */
const BRIEF_DEPTH = 6;
const MAX_DEPTH = 40;
const MAX_MEMBERS = 1_000;

/** JSON text of at most `maxLength` characters, with some luck. */
export function jsonOf(schema: JsonSchema, luck: Luck, maxLength: number): string {
  let text = 'null';
  for (let tries = 1; tries <= TRIES; tries += 1) {
    const brief = tries > TRIES / 2;
    const making = { ...luck, root: schema, brief, named: new Map(), left: MAX_STEPS };
    text = JSON.stringify(make(schema, { name: '', owner: '', depth: 0, earlier: [] }, making));
    if (text.length > maxLength) continue;
    const checked = validateJson(schema, text, CHECK_MS);
    // What cannot be checked in time is left as it is, whatever else the machine is busy with.
    if ('value' in checked || checked.isOpen) break;
  }
  return text;
}

function make(schema: unknown, place: Place, making: Making): unknown {
  if (making.left <= 0 || place.depth > MAX_DEPTH) return null;
  const plain = toPlain(schema, making, isBrief(place, making));
  if (plain.const !== undefined) return plain.const;
  if (Array.isArray(plain.enum) && plain.enum.length > 0)
    return plain.enum[Math.floor(making.random() * plain.enum.length)];
  switch (typeOf(plain)) {
    case 'object':
      return makeObject(plain, place, making);
    case 'array':
      return makeList(plain, place, making);
    case 'integer':
    case 'number':
      return numberOf(plain, making);
    case 'boolean':
      return making.random() < 0.5;
    case 'null':
      return null;
    default:
      return place.name === 'id' && plain.format === undefined
        ? nameFor(place.owner || 'item', plain, making)
        : textOf(plain, making);
  }
}

function isBrief({ depth }: Place, { brief }: Making): boolean {
  return brief || depth > BRIEF_DEPTH;
}

function typeOf({ type, properties, required, items, prefixItems }: JsonSchema): unknown {
  const [first] = [type].flat();
  if (first !== undefined) return first;
  if (properties !== undefined || namesIn(required).length > 0) return 'object';
  return items !== undefined || prefixItems !== undefined ? 'array' : 'string';
}

function nameFor(
  word: string,
  { minLength = 0, maxLength = Infinity }: JsonSchema,
  { named }: Making,
): string {
  const number = (named.get(word) ?? 0) + 1;
  named.set(word, number);
  const head = `${word}-${number}`.length > Number(maxLength) ? '' : `${word}-`;
  const digits = Math.min(Number(minLength), MAX_MEMBERS) - head.length;
  return `${head}${String(number).padStart(digits, '0')}`.slice(0, Number(maxLength));
}

function makeObject(schema: JsonSchema, place: Place, making: Making): object {
  const { additionalProperties, minProperties = 0, maxProperties = MAX_MEMBERS } = schema;
  const properties = isSchema(schema.properties) ? schema.properties : {};
  const required = new Set(namesIn(schema.required));
  const optional = Object.keys(properties).filter(name => !required.has(name));
  const names = new Set(Object.keys(properties).filter(name => required.has(name)));
  for (const name of required) names.add(name);
  const wanted = Math.min(Number(isBrief(place, making) ? minProperties : maxProperties), MAX_MEMBERS);
  for (const name of optional) if (names.size < wanted) names.add(name);
  for (let number = 1; names.size < Number(minProperties) && number <= MAX_MEMBERS; number += 1)
    names.add(`member-${number}`);
  const members = [...names].map(name => {
    const member = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    const at = { ...place, name, owner: place.name, depth: place.depth + 1 };
    return [name, make(member, at, making)];
  });
  return Object.fromEntries(members);
}

function makeList(schema: JsonSchema, place: Place, making: Making): unknown[] {
  const { items, prefixItems, additionalItems, minItems = 0, maxItems = MAX_MEMBERS, uniqueItems } = schema;
  // In draft-07 a list of schemas stands under `items`.
  const first: unknown[] = [prefixItems, items].find(Array.isArray) ?? [];
  const further = Array.isArray(items) ? additionalItems : items;
  const dependencies = place.name === 'dependsOn' ? earlierOnes(further, place, making) : undefined;
  if (dependencies && dependencies.length >= Number(minItems)) return dependencies.slice(0, Number(maxItems));
  const usual = isBrief(place, making) || further === false ? 0 : 2 + Math.floor(making.random() * 3);
  const wanted = Math.min(Number(maxItems), Math.max(Number(minItems), first.length, usual));
  const list: unknown[] = [];
  const seen = new Set<string>();
  const earlier: string[] = [];
  for (let tries = 0; list.length < wanted && tries < 4 * wanted && making.left > 0; tries += 1) {
    const at = { name: singular(place.name), owner: '', depth: place.depth + 1, earlier: [...earlier] };
    const element = make(first[list.length] ?? further, at, making);
    const text = JSON.stringify(element);
    if (uniqueItems === true && seen.has(text)) continue;
    seen.add(text);
    list.push(element);
    if (isSchema(element) && typeof element.id === 'string') earlier.push(element.id);
  }
  return list;
}

/** The last one of those before, and perhaps the one before that; undefined: the list is not one of any texts. */
function earlierOnes(items: unknown, { earlier }: Place, making: Making): string[] | undefined {
  const plain = toPlain(items, making, true);
  if (typeOf(plain) !== 'string' || plain.enum !== undefined || plain.const !== undefined) return undefined;
  return earlier.slice(making.random() < 0.5 ? -1 : -2);
}
