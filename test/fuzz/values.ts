// Values for arguments and variables, and how they are written in a document.

import {
  type GraphQLInputType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredInputField,
} from 'graphql';
import { anyValue, deepValue, type Luck, nastyText } from './luck.ts';

/** Fewer required fields would end there; what is optional is left out deeper than that. */
const MAX_INPUT_DEPTH = 5;

const IDS = [
  'req_01a204c89fa773378993d2fbd7146a98',
  'usr_00000000000000000000000000000000',
  'key_ffffffffffffffffffffffffffffffff',
  'openai',
  'simulated',
  'simulated/fast',
  '1',
];

/** Makes values of input types; one in ten is anything. `ids` are of things that exist. */
export function createValues(luck: Luck, ids: readonly string[] = []) {
  function valueFor(type: GraphQLInputType, depth = 0): unknown {
    if (luck.chance(0.03)) return luck.chance(0.9) ? anyValue(luck) : deepValue(luck);
    if (isNonNullType(type)) return valueFor(type.ofType, depth);
    // One value stands for a list of one.
    if (isListType(type))
      return luck.chance(0.1)
        ? valueFor(type.ofType, depth + 1)
        : luck.some(luck.chance(0.02) ? 200 : 3, () => valueFor(type.ofType, depth + 1));
    if (isEnumType(type)) return luck.pick(type.getValues()).name;
    if (!isInputObjectType(type)) return scalarFor(type.name);
    const fields = Object.values(type.getFields()).filter(
      field => isRequiredInputField(field) || (depth < MAX_INPUT_DEPTH && luck.chance(0.35)),
    );
    const entries = fields.map(field => [field.name, valueFor(field.type, depth + 1)]);
    if (luck.chance(0.03)) entries.push([luck.pick(['nobody', '__proto__', 'constructor']), null]);
    return Object.fromEntries(entries);
  }

  function scalarFor(name: string): unknown {
    if (name === 'Int')
      return luck.chance(0.9)
        ? luck.pick([0, 1, 2, 5, 20, 50, 100])
        : luck.pick([-1, 101, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 1e21, 1.5]);
    if (name === 'Float') return luck.pick([0, 0.5, -1, 1e308, 2, -0, 5e-324, 2 ** 53]);
    if (name === 'Boolean') return luck.chance(0.5);
    if (name === 'DateTime' && luck.chance(0.8))
      return luck.pick(['2026-01-01T00:00:00Z', '2027-06-30T23:59:59.999+02:00']);
    if (name === 'DateTime')
      return luck.pick([
        '0000-01-01T00:00:00Z',
        'yesterday',
        '9999-12-31T23:59:59.999Z',
        '2026-02-30T00:00:00Z',
        '+275760-09-13T00:00:00.000Z',
        1e15,
      ]);
    if (name === 'ID') {
      const known = ids.length > 0 && luck.chance(0.6);
      return known ? luck.pick(ids) : luck.chance(0.8) ? luck.pick(IDS) : nastyText(luck);
    }
    if (name === 'JSON') return luck.chance(0.8) ? anyValue(luck) : deepValue(luck);
    if (name === 'Decimal')
      return luck.chance(0.8)
        ? luck.pick(['1', '0.000000001', '0', '100.5'])
        : luck.pick(['-1', '1e9', '9'.repeat(40), '', 'NaN', nastyText(luck)]);
    return luck.chance(0.7)
      ? luck.pick(['hello', 'fuzzed', 'a', 'steps.a.output', '{{input}}', 'simulated/fast', 'gone'])
      : nastyText(luck);
  }

  return valueFor;
}

/** As it stands in a document: enum values without quotes, names of fields likewise, texts in any of their forms. */
export function literal(luck: Luck, value: unknown, type: GraphQLInputType): string {
  const named = getNamedType(type);
  const write = (inner: unknown, of: GraphQLInputType) => literal(luck, inner, of);
  if (Array.isArray(value))
    return `[${value.map(item => write(item, named as GraphQLInputType)).join(luck.pick([', ', ' ', ',,\n']))}]`;
  if (typeof value === 'string')
    return isEnumType(named) && named.getValue(value) ? value : textLiteral(luck, value);
  if (typeof value === 'object' && value !== null) {
    const fields = isInputObjectType(named) ? named.getFields() : {};
    const entries = Object.entries(value).filter(([name]) => /^[A-Za-z_]\w*$/.test(name));
    return `{ ${entries.map(([name, inner]) => `${name}: ${write(inner, fields[name]?.type ?? type)}`).join(', ')} }`;
  }
  if (typeof value === 'number' && luck.chance(0.05))
    return luck.pick(['9'.repeat(400), '1e400', '-0.0e-999', `-${'1'.repeat(50)}`, '0x10', '007']);
  return JSON.stringify(value);
}

function textLiteral(luck: Luck, anyText: string): string {
  // Half of a pair of surrogates is refused as no text; some are let through to see it.
  const text = luck.chance(0.97) ? anyText.toWellFormed() : anyText;
  const form = luck.next();
  if (form < 0.15) return `"""${text.replaceAll('"""', '\\"""')}"""`;
  if (form < 0.2) return `"""\n    ${text.replaceAll('"""', '\\"""')}\n      \n"""`;
  if (form < 0.25) return `"\\u{1F600}\\uD83D\\uDE00${JSON.stringify(text).slice(1)}`;
  if (form < 0.255) return `"\\u{110000}\\ud800"`;
  return JSON.stringify(text);
}
