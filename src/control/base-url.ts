// Where a provider that is made through the API may be. The address is looked up and judged once when it is given, so that
// a mistake is told at once; what counts is judged again at every connection (providers/guarded-connect.ts).

import type { LookupFunction } from 'node:net';
import { isIP } from 'node:net';
import { AddressRefusedError, refuseAddress } from '../domain/addresses.ts';
import { badInput } from '../domain/errors.ts';
import type { ProviderKind } from '../domain/model.ts';
import { atMost, type Clock } from '../lib/clock.ts';
import { isLocal, originOf } from './offer.ts';

export interface BaseUrlPolicy {
  /** No `http:`, but to own hardware and own networks. */
  readonly httpsOnly: boolean;
  /** The operator admits providers on own hardware and own networks. */
  readonly allowPrivate: boolean;
  readonly lookup: LookupFunction;
  readonly clock: Clock;
}

export interface Endpoint {
  readonly kind: ProviderKind;
  /** Absent: the official one. */
  readonly baseUrl?: string | undefined;
  /** Own hardware and own networks too. */
  readonly allowPrivate?: boolean | undefined;
}

const LOOKUP_MS = 3_000;
const MAX_LENGTH = 2_000;

/** What a key is bound to. */
export function keyOriginOf({ kind, baseUrl }: Endpoint): string {
  const origin = originOf({ kind, baseUrl });
  // A base URL was checked before anything was made of it, and only kinds without need of a key need one.
  if (origin === undefined) throw new Error(`There is no endpoint of ${kind} to send a key to`);
  return origin;
}

/** Throws BAD_USER_INPUT when no connection may be made there, or the name cannot be looked up. */
export async function checkBaseUrl(endpoint: Endpoint, policy: BaseUrlPolicy): Promise<void> {
  const { kind, baseUrl, allowPrivate = false } = endpoint;
  if (allowPrivate && !policy.allowPrivate)
    throw badInput('allowPrivate', 'is not admitted here; the operator sets MCPLANE_ALLOW_PRIVATE_PROVIDERS');
  if (baseUrl === undefined) {
    if (isLocal(kind)) throw badInput('baseUrl', `is required for ${kind}`);
    return;
  }
  const url = new URL(baseUrl);
  if (baseUrl.length > MAX_LENGTH) throw badInput('baseUrl', `must have at most ${MAX_LENGTH} characters`);
  if (url.username !== '' || url.password !== '')
    throw badInput('baseUrl', 'must not hold credentials; give the key as apiKey');
  if (url.search !== '' || url.hash !== '') throw badInput('baseUrl', 'must not have a query or a fragment');
  if (url.protocol === 'http:' && policy.httpsOnly && !allowPrivate)
    throw badInput('baseUrl', 'must begin with https:// in production, unless allowPrivate is given');
  try {
    for (const address of await addressesOf(url, policy)) refuseAddress(address, allowPrivate);
  } catch (error) {
    if (error instanceof AddressRefusedError) throw badInput('baseUrl', `is refused: ${error.message}`);
    throw error;
  }
}

async function addressesOf({ hostname }: URL, { lookup, clock }: BaseUrlPolicy): Promise<string[]> {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0) return [host];
  const found: string[] = [];
  const looked = Promise.withResolvers<void>();
  lookup(host, { all: true }, (error, addresses) => {
    if (!error && typeof addresses !== 'string') found.push(...addresses.map(({ address }) => address));
    looked.resolve();
  });
  await atMost(clock, LOOKUP_MS, looked.promise);
  if (found.length === 0) throw badInput('baseUrl', 'names a host that cannot be found');
  return found;
}
