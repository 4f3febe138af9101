// The public keys of the identity provider: fetched from where the configuration says and from nowhere else, kept while
// that does not answer, looked for again when a token names one that is not among them.

import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { IdentityProvider } from '../domain/identity.ts';
import type { Clock } from '../lib/clock.ts';
import type { WarningLog } from './credential-check.ts';

/** Whoever sends made-up key ids makes us ask no more often. */
const MIN_PAUSE_MS = 30_000;
/** A key that was withdrawn is believed no longer than that. */
const REFRESH_MS = 10 * 60_000;
const FETCH_TIMEOUT_MS = 5_000;
/** A set has a few kB. */
const MAX_DOCUMENT_BYTES = 262_144;
const MAX_KEYS = 100;
const MIN_RSA_BITS = 2_048;

/** What is accepted of signatures: never one made with a shared secret. EdDSA is not in jsonwebtoken. */
export const ALGORITHMS = ['RS256', 'PS256', 'ES256'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

export interface IdentityKeys {
  /** Undefined: not among those that are known. */
  find(keyId: string, algorithm: Algorithm): KeyObject | undefined;
  /** Is it one of the present ones? */
  has(key: KeyObject): boolean;
  /** Fetches them anew unless that was just tried; failures are logged, and leave the keys as they are. */
  refetch(): Promise<void>;
}

interface KeysDeps {
  readonly provider: Pick<IdentityProvider, 'issuer' | 'jwksUrl'>;
  readonly clock: Clock;
  readonly log?: WarningLog | undefined;
  readonly fetchTimeoutMs?: number | undefined;
}

interface Key {
  readonly id: string;
  /** What it was made of: the same key fetched again stays the same object. */
  readonly text: string;
  readonly key: KeyObject;
  readonly algorithms: readonly Algorithm[];
}

export function createIdentityKeys({
  provider,
  clock,
  log,
  fetchTimeoutMs = FETCH_TIMEOUT_MS,
}: KeysDeps): IdentityKeys {
  let keys: readonly Key[] = [];
  let triedAtMs = Number.NEGATIVE_INFINITY;
  let fetching: Promise<void> | undefined;

  async function fetchKeys(): Promise<void> {
    try {
      const url = provider.jwksUrl ?? (await discover(provider.issuer, fetchTimeoutMs));
      const found = readKeys(await fetchJson(url, fetchTimeoutMs), keys);
      if (found.length === 0) throw new Error('The document has no key that can be used');
      keys = found;
    } catch (error) {
      log?.warn({ error, issuer: provider.issuer }, 'could not fetch the keys of the identity provider');
    } finally {
      fetching = undefined;
    }
  }

  function refetchAfter(pauseMs: number): Promise<void> {
    if (fetching !== undefined) return fetching;
    if (clock.monotonic() - triedAtMs < pauseMs) return Promise.resolve();
    triedAtMs = clock.monotonic();
    fetching = fetchKeys();
    return fetching;
  }

  return {
    find(keyId, algorithm) {
      void refetchAfter(REFRESH_MS);
      return keys.find(({ id, algorithms }) => id === keyId && algorithms.includes(algorithm))?.key;
    },
    has(wanted) {
      void refetchAfter(REFRESH_MS);
      return keys.some(({ key }) => key === wanted);
    },
    refetch: () => refetchAfter(MIN_PAUSE_MS),
  };
}

/** OpenID Connect Discovery 1.0, 4: the document must speak of the very issuer it was asked about. */
async function discover(issuer: string, timeoutMs: number): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const document = await fetchJson(url, timeoutMs);
  const { issuer: named, jwks_uri: keysUrl } = Object(document) as Record<string, unknown>;
  if (named !== issuer) throw new Error('The discovery document is of another issuer');
  if (typeof keysUrl !== 'string' || !/^https?:\/\//.test(keysUrl))
    throw new Error('The discovery document names no keys');
  if (issuer.startsWith('https:') && !keysUrl.startsWith('https:'))
    throw new Error('The keys are not offered by https');
  return keysUrl;
}

async function fetchJson(url: string, timeoutMs: number): Promise<unknown> {
  const response = await fetch(url, {
    headers: { accept: 'application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (!response.ok || bytes > MAX_DOCUMENT_BYTES) break;
    chunks.push(chunk);
  }
  if (!response.ok) throw new Error(`The answer has the status ${response.status}`);
  if (bytes > MAX_DOCUMENT_BYTES) throw new Error(`The answer is over ${MAX_DOCUMENT_BYTES} bytes`);
  return JSON.parse(Buffer.concat(chunks).toString());
}

/** Those of a set (RFC 7517) that can verify signatures; what else it holds is left out. */
function readKeys(document: unknown, known: readonly Key[]): Key[] {
  const { keys } = Object(document) as Record<string, unknown>;
  if (!Array.isArray(keys)) throw new Error('The document is no set of keys');
  return keys.slice(0, MAX_KEYS).flatMap(each => readKey(Object(each), known) ?? []);
}

function readKey(jwk: Record<string, unknown>, known: readonly Key[]): Key | undefined {
  const { kty, kid, use, key_ops: operations, alg, n, e, crv, x, y } = jwk;
  if (typeof kid !== 'string' || kid === '' || (use !== undefined && use !== 'sig')) return undefined;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify')))
    return undefined;
  // Nothing but the public members: a set that shows private ones does not make us hold them.
  const material = (kty === 'RSA' ? { kty, n, e } : { kty, crv, x, y }) as JsonWebKey;
  const algorithms = ALGORITHMS.filter(
    each =>
      (alg === undefined || alg === each) &&
      (each === 'ES256' ? kty === 'EC' && crv === 'P-256' : kty === 'RSA'),
  );
  if (algorithms.length === 0) return undefined;
  const text = JSON.stringify([kid, material]);
  const same = known.find(key => key.text === text);
  const key = same?.key ?? importKey(material);
  return key && { id: kid, text, key, algorithms };
}

function importKey(material: JsonWebKey): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: material, format: 'jwk' });
    const bits = key.asymmetricKeyDetails?.modulusLength;
    return bits !== undefined && bits < MIN_RSA_BITS ? undefined : key;
  } catch {
    return undefined;
  }
}
