// Which addresses the server may connect to when somebody else than its operator says where. What the ranges are is in
// address-ranges.ts.

import { isIP } from 'node:net';
import { ADDRESS_KINDS, ADDRESS_RANGES, type AddressKind } from './address-ranges.ts';

/** The address leads to where no connection is made. The message has no address, for it may reach a caller. */
export class AddressRefusedError extends Error {
  override readonly name = 'AddressRefusedError';
  readonly code = 'ERR_ADDRESS_REFUSED';
  readonly kind: AddressKind;

  constructor(kind: AddressKind) {
    super(`it leads to a ${kind} address, where no connection is made`);
    this.kind = kind;
  }
}

/** What an IPv4 or IPv6 address leads to; `reserved` for what is none. */
export function kindOfAddress(address: string): AddressKind {
  const parsed = parseAddress(address);
  return parsed ? kindOf(parsed) : 'reserved';
}

/** Throws AddressRefusedError unless it is public, or private and that is allowed. */
export function refuseAddress(address: string, allowPrivate: boolean): void {
  const kind = kindOfAddress(address);
  if (kind !== 'public' && !(allowPrivate && ADDRESS_KINDS[kind].private))
    throw new AddressRefusedError(kind);
}

interface Address {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

const RANGES = ADDRESS_RANGES.map(([range, meaning]) => {
  const [start = '', prefix] = range.split('/');
  const { bits, value } = parseAddress(start)!;
  const prefixBits = Number(prefix);
  const shift = BigInt(bits - prefixBits);
  return { bits, prefixBits, shift, start: value >> shift, meaning };
}).sort((a, b) => b.prefixBits - a.prefixBits);

function kindOf({ bits, value }: Address): AddressKind {
  // One of them is the whole of its family.
  const { meaning } = RANGES.find(range => range.bits === bits && value >> range.shift === range.start)!;
  if (typeof meaning === 'string') return meaning;
  const ipv4 = (value >> BigInt(128 - 32 - meaning.ipv4At)) & 0xffff_ffffn;
  return kindOf({ bits: 32, value: ipv4 });
}

function parseAddress(text: string): Address | undefined {
  // The zone says on which interface, not where to.
  const [address = ''] = text.split('%');
  const family = isIP(address);
  if (family === 0) return undefined;
  if (family === 4) return { bits: 32, value: join(address.split('.').map(Number), 8n) };
  // The URL parser writes all forms of IPv6 in one: at most one `::`, and no dots.
  const [before = '', after] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const head = groupsOf(before);
  const tail = groupsOf(after ?? '');
  const zeros = Array<number>(8 - head.length - tail.length).fill(0);
  return { bits: 128, value: join([...head, ...zeros, ...tail], 16n) };
}

function groupsOf(text: string): number[] {
  return text === '' ? [] : text.split(':').map(group => Number.parseInt(group, 16));
}

function join(parts: readonly number[], bits: bigint): bigint {
  return parts.reduce((value, part) => (value << bits) | BigInt(part), 0n);
}
