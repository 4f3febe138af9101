// What the whole gateway does about each fault of a provider, over real sockets.

import { FAULTS } from './fault-rows.ts';
import { playTables } from './fault-world.ts';

playTables(FAULTS);
