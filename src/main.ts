// The server as a process: `npm start`.

import { useCompileCache } from './lib/compile-cache.ts';

useCompileCache();
const { runServer } = await import('./start.ts');
await runServer(process.env);
