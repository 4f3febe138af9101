// How V8 keeps short-lived objects, which nearly all are that a request makes.

import { setFlagsFromString } from 'node:v8';

/**
 * To be called when a server starts. V8 notes where objects come from that often survive a minor collection, and then
 * makes all that come from there in the old generation. A busy server has always some requests under way, so lists that
 * live for a millisecond seem to it to last, and each keeps what is in it, and in turn everything that hangs on that,
 * until the next major collection.
 */
export function keepObjectsYoung(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}
