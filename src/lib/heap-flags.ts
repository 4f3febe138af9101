// How V8 keeps what a server has in memory: made for pages that come and go, it has habits that a server pays for.

import { setFlagsFromString } from 'node:v8';

/** To be called when a server starts. */
export function setHeapFlags(): void {
  // V8 notes where objects come from that often survive a minor collection, and then makes all that come from there in
  // the old generation. A busy server has always some requests under way, so lists that live for a millisecond seem to
  // it to last, and each keeps what is in it, and in turn everything that hangs on that, until the next major collection.
  setFlagsFromString('--no-allocation-site-pretenuring');
  // When nothing was asked for eight seconds, V8 collects garbage to give memory back, and throws away the compiled code
  // that was made for objects of which there is none at the moment. The next thousands of requests would cost up to
  // twice as much until it is compiled anew. Zero collections: the reducer itself cannot be taken away at run time.
  setFlagsFromString('--memory-reducer-gc-count=0');
  // V8 begins a major collection when the old generation has grown by a tenth, since that costs little time over all.
  // But each one takes the processors away from those who wait for fifty milliseconds: not before it has doubled.
  setFlagsFromString('--heap-growing-percent=100');
}
