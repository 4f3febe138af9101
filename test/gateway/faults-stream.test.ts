// What the whole gateway does about odd event streams of each API, over real sockets.

import { STREAM_FAULTS } from './fault-rows-stream.ts';
import { playTables } from './fault-world.ts';

playTables(STREAM_FAULTS);
