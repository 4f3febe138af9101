// Addresses as they come with connections and in headers, and networks as operators write them.

import { BlockList, isIP, isIPv6 } from 'node:net';

/** Is an address in one of the networks? Throws on what is neither an address nor a network. */
export function isIn(networks: readonly string[]): (address: string) => boolean {
  const list = parseNetworks(networks);
  return address => list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** Plain, without the zone of a link-local address, and IPv4 as such even when it came through an IPv6 socket. */
export function toAddress(text: string): string | undefined {
  const address = text.split('%', 1)[0]!.replace(/^::ffff:(?=\d+\.)/i, '');
  return isIP(address) ? address : undefined;
}

function parseNetworks(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits, ...rest] = network.trim().split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    const maxBits = family === 'ipv6' ? 128 : 32;
    const prefix = bits === undefined ? maxBits : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
    if (!isIP(address) || rest.length > 0 || !(prefix <= maxBits)) {
      throw new Error(`${network} is neither an address nor a network like 10.0.0.0/8.`);
    }
    list.addSubnet(address, prefix, family);
  }
  return list;
}
