// What the whole gateway does when a provider breaks HTTP itself, over real sockets.

import { HTTP_FAULTS } from './fault-rows-http.ts';
import { playTables } from './fault-world.ts';

playTables(HTTP_FAULTS);
