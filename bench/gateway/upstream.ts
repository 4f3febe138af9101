// A provider that costs next to nothing. A process of its own, so that its work is not counted as ours.

import { createServer } from 'node:http';
import { answerCall } from './answer.ts';

const server = createServer(answerCall);
// Never: a client that calls just as its idle connection is closed sees a reset.
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as { port: number }).port}`);
});
