// The server as a process: `npm start`.

import { runServer } from './start.ts';

await runServer(process.env);
