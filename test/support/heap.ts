// What V8's collections leave, for tests of what is to be let go of.

import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Makes a full collection; from the first call on the process can. */
export function collect(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

/** In the old generation, dead or not. */
export function oldBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')!.space_used_size;
}
