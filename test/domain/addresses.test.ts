// Which addresses are refused when a URL did not come from the operator: in every way in which one can be written.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ADDRESS_KINDS, type AddressKind } from '../../src/domain/address-ranges.ts';
import { kindOfAddress, refuseAddress } from '../../src/domain/addresses.ts';

/** The ends of every range and their neighbours outside. */
const EDGES: Record<string, AddressKind> = {
  '0.0.0.0': 'unspecified',
  '0.255.255.255': 'unspecified',
  '1.0.0.0': 'public',
  '9.255.255.255': 'public',
  '10.0.0.0': 'private',
  '10.255.255.255': 'private',
  '11.0.0.0': 'public',
  '100.63.255.255': 'public',
  '100.64.0.0': 'shared',
  '100.100.100.199': 'shared',
  '100.100.100.200': 'metadata',
  '100.127.255.255': 'shared',
  '100.128.0.0': 'public',
  '126.255.255.255': 'public',
  '127.0.0.0': 'loopback',
  '127.0.0.1': 'loopback',
  '127.255.255.255': 'loopback',
  '128.0.0.0': 'public',
  '168.63.129.15': 'public',
  '168.63.129.16': 'metadata',
  '168.63.129.17': 'public',
  '169.253.255.255': 'public',
  '169.254.0.0': 'link-local',
  '169.254.0.23': 'metadata',
  '169.254.168.255': 'link-local',
  '169.254.169.254': 'metadata',
  '169.254.170.2': 'metadata',
  '169.254.171.0': 'link-local',
  '169.254.255.255': 'link-local',
  '169.255.0.0': 'public',
  '172.15.255.255': 'public',
  '172.16.0.0': 'private',
  '172.31.255.255': 'private',
  '172.32.0.0': 'public',
  '192.0.0.0': 'reserved',
  '192.0.0.192': 'metadata',
  '192.0.0.255': 'reserved',
  '192.0.1.0': 'public',
  '192.0.2.1': 'documentation',
  '192.88.99.1': 'reserved',
  '192.167.255.255': 'public',
  '192.168.0.0': 'private',
  '192.168.255.255': 'private',
  '192.169.0.0': 'public',
  '198.17.255.255': 'public',
  '198.18.0.0': 'benchmarking',
  '198.19.255.255': 'benchmarking',
  '198.20.0.0': 'public',
  '198.51.100.7': 'documentation',
  '203.0.113.7': 'documentation',
  '223.255.255.255': 'public',
  '224.0.0.0': 'multicast',
  '239.255.255.255': 'multicast',
  '240.0.0.0': 'reserved',
  '255.255.255.255': 'reserved',
  '::': 'unspecified',
  '::1': 'loopback',
  '::2': 'unspecified',
  '::7f00:1': 'loopback',
  '::8.8.8.8': 'public',
  '::ffff:7f00:1': 'loopback',
  '::ffff:169.254.169.254': 'metadata',
  '::ffff:8.8.8.8': 'public',
  '::ffff:0:10.0.0.1': 'private',
  '64:ff9b::c0a8:101': 'private',
  '64:ff9b::808:808': 'public',
  '64:ff9b:1::808:808': 'reserved',
  '100::1': 'reserved',
  '1fff:ffff::': 'reserved',
  '2000::': 'public',
  '2001:0:808:808::1': 'reserved',
  '2001:1ff:ffff::': 'reserved',
  '2001:200::': 'public',
  '2001:db8::1': 'documentation',
  '2001:db9::1': 'public',
  '2002:7f00:1::': 'loopback',
  '2002:a9fe:a9fe::1': 'metadata',
  '2002:808:808::1': 'public',
  '2606:4700::1111': 'public',
  '3fff::1': 'documentation',
  '3fff:1000::': 'public',
  '4000::': 'reserved',
  '5f00::1': 'reserved',
  'fbff::': 'reserved',
  'fc00::': 'private',
  'fd00:ec2::254': 'metadata',
  'fd20:ce::254': 'metadata',
  'fd20:ce::253': 'private',
  'fdff::1': 'private',
  'fe00::': 'reserved',
  'fe80::1': 'link-local',
  'fe80::1%eth0': 'link-local',
  'febf::1': 'link-local',
  'fec0::1': 'private',
  'ff02::1': 'multicast',
  'not an address': 'reserved',
  '': 'reserved',
};

test('every range begins and ends where it should', () => {
  const found = Object.keys(EDGES).map(address => [address, kindOfAddress(address)]);
  assert.deepEqual(Object.fromEntries(found), EDGES);
});

describe('an IPv4 address', () => {
  const octet = fc.integer({ min: 0, max: 255 });
  const ipv4 = fc.tuple(octet, octet, octet, octet);
  const special = fc.constantFrom(
    ...Object.keys(EDGES)
      .filter(address => /^[\d.]+$/.test(address))
      .map(address => address.split('.').map(Number) as [number, number, number, number]),
  );
  const either = fc.oneof(ipv4, special);
  const number = (octets: readonly number[]) => octets.reduce((sum, each) => sum * 256 + each, 0);
  const hex = (octets: readonly number[]) => octets.map(each => each.toString(16).padStart(2, '0')).join('');

  test('is the same in every form that the URL parser takes for it', () => {
    const forms = (octets: readonly number[]) => [
      String(number(octets)),
      `0x${hex(octets)}`,
      `0${number(octets).toString(8)}`,
      octets.map(each => `0x${each.toString(16)}`).join('.'),
      octets.map(each => `0${each.toString(8)}`).join('.'),
      `${octets[0]}.${number(octets.slice(1))}`,
      `${octets[0]}.${octets[1]}.${number(octets.slice(2))}`,
      `${octets.join('.')}.`,
      octets.join('。'),
    ];
    fc.assert(
      fc.property(either, octets => {
        const expected = kindOfAddress(octets.join('.'));
        for (const form of forms(octets)) {
          const { hostname } = new URL(`http://${form}/`);
          assert.equal(kindOfAddress(hostname), expected, form);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('is the same inside every kind of IPv6 address that carries one', () => {
    fc.assert(
      fc.property(either, octets => {
        const expected = kindOfAddress(octets.join('.'));
        const digits = hex(octets);
        const groups = `${digits.slice(0, 4)}:${digits.slice(4)}`;
        for (const form of [
          `::ffff:${octets.join('.')}`,
          `0:0:0:0:0:FFFF:${groups}`,
          `::ffff:0:${groups}`,
          `64:ff9b::${groups}`,
          `64:ff9b::${octets.join('.')}`,
          `2002:${groups}::1`,
          `2002:${groups}:ffff:1:2:3:4`,
        ])
          assert.equal(kindOfAddress(form), expected, form);
      }),
      { numRuns: 1_000 },
    );
  });
});

test('what the ranges leave out is public, and nothing else is', () => {
  // A second opinion, written without the table.
  const isPublic = ([a, b, c, d]: readonly number[]) =>
    !(
      [0, 10, 127].includes(a!) ||
      a! >= 224 ||
      (a === 100 && b! >= 64 && b! < 128) ||
      (a === 168 && b === 63 && c === 129 && d === 16) ||
      (a === 169 && b === 254) ||
      (a === 172 && b! >= 16 && b! < 32) ||
      (a === 192 && [0, 2].includes(c!) && b === 0) ||
      (a === 192 && b === 88 && c === 99) ||
      (a === 192 && b === 168) ||
      (a === 198 && (b === 18 || b === 19)) ||
      (a === 198 && b === 51 && c === 100) ||
      (a === 203 && b === 0 && c === 113)
    );
  const near = (...octets: number[]) =>
    fc.oneof(fc.constantFrom(...octets), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(
      near(0, 10, 100, 127, 168, 169, 172, 192, 198, 203, 224, 240),
      near(0, 16, 18, 19, 31, 51, 63, 64, 88, 127, 168, 254),
      near(0, 2, 99, 100, 113, 129),
      near(0, 16, 255),
      (...octets) => assert.equal(kindOfAddress(octets.join('.')) === 'public', isPublic(octets)),
    ),
    { numRuns: 20_000 },
  );
});

describe('an address is refused', () => {
  const refusal = (address: string, allowPrivate: boolean) => {
    try {
      refuseAddress(address, allowPrivate);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  };

  test('unless it is public', () => {
    assert.equal(refusal('8.8.8.8', false), undefined);
    assert.equal(refusal('2606:4700::1111', false), undefined);
    assert.equal(refusal('127.0.0.1', false), 'it leads to a loopback address, where no connection is made');
    for (const [address, kind] of Object.entries(EDGES))
      assert.equal(refusal(address, false) === undefined, kind === 'public', address);
  });

  test('or private, where that is allowed; those that no provider has are refused all the same', () => {
    const allowed = Object.entries(EDGES).filter(([address]) => refusal(address, true) === undefined);
    assert.deepEqual([...new Set(allowed.map(([, kind]) => kind))].sort(), [
      'benchmarking',
      'link-local',
      'loopback',
      'private',
      'public',
      'shared',
    ]);
    assert.deepEqual(
      Object.entries(ADDRESS_KINDS)
        .filter(([kind, rule]) => !rule.private && kind !== 'public')
        .map(([kind]) => kind)
        .sort(),
      ['documentation', 'metadata', 'multicast', 'reserved', 'unspecified'],
    );
  });
});
