// Arrays as parameters in Postgres' own binary format, which both drivers send as they get it. The server takes such an
// array as it is, where it would read the same values from text, or from JSON, character by character.

import { storableText } from './json.ts';

/** The length of an element that is null. */
const NULL = -1;
/** Dimensions, whether there are nulls, type of the elements; then of the one dimension its length and first index. */
const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;
/** Postgres counts microseconds from 2000 on. */
const EPOCH_MS = Date.UTC(2000, 0);

/** How values of one type are written. */
interface ElementType<Value> {
  readonly oid: number;
  bytesOf(value: Value): number;
  /** Writes just so many bytes. */
  write(value: Value, into: Buffer, at: number): void;
}

const UUID: ElementType<string> = {
  oid: 2950,
  bytesOf: () => 16,
  write(value, into, at) {
    const digits = value.replaceAll('-', '');
    if (digits.length !== 32 || into.write(digits, at, 'hex') !== 16) throw refusal('uuid', value);
  },
};

const TIMESTAMPTZ: ElementType<Date> = {
  oid: 1184,
  bytesOf: () => 8,
  write(value, into, at) {
    const ms = value.getTime();
    if (Number.isNaN(ms)) throw refusal('timestamptz', ms);
    into.writeBigInt64BE(BigInt(ms - EPOCH_MS) * 1_000n, at);
  },
};

const TEXT: ElementType<string> = {
  oid: 25,
  bytesOf: value => Buffer.byteLength(value),
  write: (value, into, at) => void into.write(value, at),
};

export function uuids(values: readonly (string | undefined)[]): Buffer {
  return arrayOf(UUID, values);
}

export function timestamps(values: readonly (Date | undefined)[]): Buffer {
  return arrayOf(TIMESTAMPTZ, values);
}

export function texts(values: readonly (string | undefined)[]): Buffer {
  return arrayOf(
    TEXT,
    values.map(value => value && storableText(value)),
  );
}

function arrayOf<Value>(type: ElementType<Value>, values: readonly (Value | undefined)[]): Buffer {
  const sizes = values.map(value => (value === undefined ? NULL : type.bytesOf(value)));
  const bytes = sizes.reduce((sum, size) => sum + LENGTH_BYTES + Math.max(size, 0), HEADER_BYTES);
  const array = Buffer.allocUnsafe(bytes);
  for (const [index, field] of [1, 1, type.oid, values.length, 1].entries())
    array.writeInt32BE(field, index * 4);
  let at = HEADER_BYTES;
  for (const [index, value] of values.entries()) {
    const size = sizes[index]!;
    array.writeInt32BE(size, at);
    at += LENGTH_BYTES;
    if (value === undefined) continue;
    type.write(value, array, at);
    at += size;
  }
  return array;
}

/** As Postgres says it of a text, so that the row is written apart from those that are right. */
function refusal(type: string, value: unknown): Error {
  return Object.assign(new Error(`invalid input syntax for type ${type}: "${value}"`), { code: '22P02' });
}
