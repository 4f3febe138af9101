// Connections for addresses that came through the API: each is looked at when the connection is made, and the connection
// goes to the very address that was looked at. A name that leads elsewhere from one lookup to the next gains nothing.

import { lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { refuseAddress } from '../domain/addresses.ts';

/** Where connections may go. */
export interface AddressPolicy {
  /** Own hardware and own networks too; never to what hands out a machine's credentials. */
  readonly allowPrivate: boolean;
  /** Absent: the system's. */
  readonly lookup?: LookupFunction | undefined;
}

/** For undici's option `connect`. A refused address fails with an AddressRefusedError, before anything is sent to it. */
export function guardedConnector(
  policy: AddressPolicy,
  options: buildConnector.BuildOptions,
): buildConnector.connector {
  const connect = buildConnector({ ...options, lookup: guardedLookup(policy) });
  return (target, callback) => {
    // What is an address already is never looked up.
    const refusal = isIP(target.hostname) === 0 ? undefined : refusalOf([target.hostname], policy);
    if (refusal) process.nextTick(callback, refusal, null);
    else connect(target, callback);
  };
}

/** One lookup for each connection. One address that is refused refuses all: an honest name does not mix them. */
function guardedLookup(policy: AddressPolicy): LookupFunction {
  const { lookup = systemLookup as LookupFunction } = policy;
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '');
      const addresses = typeof found === 'string' ? [] : found;
      const refusal = refusalOf(
        addresses.map(({ address }) => address),
        policy,
      );
      if (refusal) return callback(refusal, '');
      if (options.all) return callback(null, addresses);
      return callback(null, addresses[0]?.address ?? '', addresses[0]?.family);
    });
  };
}

function refusalOf(addresses: readonly string[], { allowPrivate }: AddressPolicy): Error | undefined {
  try {
    for (const address of addresses) refuseAddress(address, allowPrivate);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}
