// A process of its own for tests: opens the embedded database in a directory and says so. `write` then accepts
// requests one after another and prints each id once it is acknowledged, until it is killed.

import { openStore } from '../../src/store/open.ts';
import { anEndOf, aRequest } from './samples.ts';

const [dataDir = '', mode] = process.argv.slice(2);
const store = await openStore({ url: undefined, dataDir, log: () => {} });
console.log('open');
if (mode === 'write') {
  for (;;) {
    const request = aRequest({ idempotencyKey: 'key', owner: 'holder' });
    await store.requests.accept(request);
    console.log(`accepted ${request.id}`);
    await store.requests.finish(anEndOf(request, { output: `answer of ${request.id}` }));
    console.log(`finished ${request.id}`);
  }
}
setInterval(() => {}, 60_000);
