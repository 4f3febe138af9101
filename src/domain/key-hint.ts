// What may be shown of a provider's key: enough to tell two of them apart by eye, too little to be of use.

/** Stands for the key of an endpoint that needs none where a client library insists on one. */
export const UNUSED_KEY = 'unused';

/** Of a shorter key the end would give away too much of it. */
const MIN_LENGTH = 20;
const SHOWN = 4;

/** Undefined when there is no key. */
export function keyHintOf(apiKey: string | undefined): string | undefined {
  if (apiKey === undefined || apiKey === UNUSED_KEY) return undefined;
  return apiKey.length < MIN_LENGTH ? '…' : `…${apiKey.slice(-SHOWN)}`;
}
