// Asks one provider for its models by a call that costs nothing, and says in plain words what that tells of the
// provider. Only what is certain takes a provider out of service; what is doubtful is left to its breakers.

import { AddressRefusedError } from '../domain/addresses.ts';
import type { ProviderStatus } from '../domain/model.ts';
import type { Clock } from '../lib/clock.ts';
import type { DiscoveredModel, ProviderAdapter } from '../providers/provider.ts';
import { ProviderError, type ProviderFault } from '../providers/provider-error.ts';
import type { ProviderSettings } from './catalog.ts';
import { isLocal, isOfficial, originOf } from './offer.ts';

/** A local server answers at once or is not there; a remote one is across the network. */
const LOCAL_TIMEOUT_MS = 1_500;
const REMOTE_TIMEOUT_MS = 3_000;

export interface Finding {
  readonly status: ProviderStatus;
  readonly reason: string | undefined;
  /** Undefined: the list could not be had. */
  readonly listed: readonly DiscoveredModel[] | undefined;
}

/** Never throws; undefined when the signal aborted before the answer. */
export async function discover(
  settings: ProviderSettings,
  adapter: () => ProviderAdapter,
  clock: Clock,
  signal: AbortSignal,
): Promise<Finding | undefined> {
  const missing = isOfficial(settings) && !settings.apiKey ? 'no API key is set' : undefined;
  const defect = settings.defect ?? missing;
  if (defect !== undefined) return { status: 'MISCONFIGURED', reason: defect, listed: undefined };
  const timeoutMs = isLocal(settings.kind) ? LOCAL_TIMEOUT_MS : REMOTE_TIMEOUT_MS;
  const timeout = new AbortController();
  const cancelTimeout = clock.after(timeoutMs, () => timeout.abort());
  const either = AbortSignal.any([signal, timeout.signal]);
  try {
    const listed = await unlessAborted(() => adapter().listModels(either), either);
    return { status: 'AVAILABLE', reason: undefined, listed };
  } catch (error) {
    if (signal.aborted) return undefined;
    if (timeout.signal.aborted) return onTimeout(settings, timeoutMs);
    if (error instanceof ProviderError) return onFault(settings, error);
    return { status: 'DEGRADED', reason: 'its model list could not be read', listed: undefined };
  } finally {
    cancelTimeout();
  }
}

/** The work's result; or a rejection at the abort, even when the work does not heed it. */
async function unlessAborted<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work(), aborted]);
  } finally {
    // A signal made of others lives as long as they do while somebody listens to it, and with it all that he sees.
    signal.removeEventListener('abort', onAbort);
  }
}

function onTimeout(settings: ProviderSettings, timeoutMs: number): Finding {
  const within = `within ${timeoutMs / 1_000} s`;
  return isLocal(settings.kind)
    ? unavailable(`nothing answered at ${endpointOf(settings)} ${within}`)
    : { status: 'DEGRADED', reason: `its model list did not come ${within}`, listed: undefined };
}

function onFault(settings: ProviderSettings, { fault, status, cause }: ProviderError): Finding {
  const code = status === undefined ? '' : ` (${status})`;
  const endpoint = endpointOf(settings);
  if (cause instanceof AddressRefusedError)
    return { status: 'MISCONFIGURED', reason: `${endpoint}: ${cause.message}`, listed: undefined };
  if (fault === 'connection') return unavailable(`nothing answers at ${endpoint}`);
  const blame = configurationReason(fault, settings, code);
  if (blame !== undefined) return { status: 'MISCONFIGURED', reason: blame, listed: undefined };
  if (isLocal(settings.kind))
    return unavailable(`what answers at ${endpoint} is not ${settings.kind}${code}`);
  // Compatible servers that have no list refuse in many ways. That says nothing of their answers.
  if (fault === 'bad-request') return { status: 'AVAILABLE', reason: undefined, listed: undefined };
  return { status: 'DEGRADED', reason: `its model list failed: ${fault}${code}`, listed: undefined };
}

/** Why a fault needs a person, in plain words; undefined for faults that pass by themselves. */
export function configurationReason(
  fault: ProviderFault,
  settings: ProviderSettings,
  code = '',
): string | undefined {
  if (fault === 'credentials')
    return settings.apiKey ? `the key was refused${code}` : `it wants a key, and none is set${code}`;
  if (fault === 'certificate') return `the certificate of ${endpointOf(settings)} was refused`;
  return undefined;
}

function unavailable(reason: string): Finding {
  return { status: 'UNAVAILABLE', reason, listed: undefined };
}

function endpointOf(settings: ProviderSettings): string {
  const origin = settings.baseUrl === undefined ? undefined : originOf(settings);
  return origin ?? `the ${settings.kind} endpoint`;
}
