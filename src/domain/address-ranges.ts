// Every range of addresses that is not simply somewhere on the internet, from the registries of special-purpose
// addresses (IANA, November 2026) and the documentation of the clouds. The most specific range that holds an address
// says what it is.

/**
 * What an address leads to. `private: true`: to own hardware or an own network, where a provider may well run. The
 * others lead to no provider ever, or to what hands out credentials of the machine.
 */
export const ADDRESS_KINDS = {
  public: { private: false },
  loopback: { private: true },
  private: { private: true },
  'link-local': { private: true },
  /** Between a customer and a carrier's address translation. */
  shared: { private: true },
  /** For tests of networks; some proxies hand such addresses out. */
  benchmarking: { private: true },
  metadata: { private: false },
  multicast: { private: false },
  unspecified: { private: false },
  documentation: { private: false },
  reserved: { private: false },
} as const satisfies Record<string, { private: boolean }>;
export type AddressKind = keyof typeof ADDRESS_KINDS;

/** `ipv4At`: the addresses carry an IPv4 address from this bit on, which says what they lead to. */
export type AddressRange = readonly [range: string, meaning: AddressKind | { readonly ipv4At: number }];

export const ADDRESS_RANGES: readonly AddressRange[] = [
  ['0.0.0.0/0', 'public'],
  ['0.0.0.0/8', 'unspecified'],
  ['10.0.0.0/8', 'private'],
  ['100.64.0.0/10', 'shared'],
  ['100.100.100.200/32', 'metadata'], // Alibaba
  ['127.0.0.0/8', 'loopback'],
  ['168.63.129.16/32', 'metadata'], // Azure's WireServer
  ['169.254.0.0/16', 'link-local'],
  ['169.254.0.23/32', 'metadata'], // Tencent
  ['169.254.169.0/24', 'metadata'], // AWS, Azure, Google, Oracle and most others
  ['169.254.170.0/24', 'metadata'], // credentials of containers at AWS
  ['172.16.0.0/12', 'private'],
  ['192.0.0.0/24', 'reserved'],
  ['192.0.0.192/32', 'metadata'], // Oracle
  ['192.0.2.0/24', 'documentation'],
  ['192.88.99.0/24', 'reserved'], // relays of 6to4
  ['192.168.0.0/16', 'private'],
  ['198.18.0.0/15', 'benchmarking'],
  ['198.51.100.0/24', 'documentation'],
  ['203.0.113.0/24', 'documentation'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved'], // with 255.255.255.255, which is broadcast

  // Only this eighth of IPv6 is handed out.
  ['::/0', 'reserved'],
  ['2000::/3', 'public'],
  ['::/96', { ipv4At: 96 }], // IPv4-compatible, deprecated
  ['::/128', 'unspecified'],
  ['::1/128', 'loopback'],
  ['::ffff:0:0/96', { ipv4At: 96 }], // IPv4-mapped
  ['::ffff:0:0:0/96', { ipv4At: 96 }], // IPv4-translated
  ['64:ff9b::/96', { ipv4At: 96 }], // NAT64
  ['64:ff9b:1::/48', 'reserved'], // NAT64 of one's own, whose layout is not known
  ['100::/64', 'reserved'], // discarded
  ['2001::/23', 'reserved'], // Teredo, ORCHID and other protocols
  ['2001:db8::/32', 'documentation'],
  ['2002::/16', { ipv4At: 16 }], // 6to4
  ['3fff::/20', 'documentation'],
  ['5f00::/16', 'reserved'], // segment routing
  ['fc00::/7', 'private'],
  ['fd00:ec2::/32', 'metadata'], // AWS
  ['fd20:ce::254/128', 'metadata'], // Google
  ['fe80::/10', 'link-local'],
  ['fec0::/10', 'private'], // site-local, deprecated
  ['ff00::/8', 'multicast'],
];
