// While somebody attacks, everybody else is served: each attack is repeated for a while against a real server, whose
// cheap queries stay fast, whose streams come whole, whose memory comes back, and whose answers tell nothing. ATTACK_MS
// makes each attack longer.

import { type TestContext, test } from 'node:test';
import { QUERY_ATTACKS } from './query-attacks.ts';
import { SOCKET_ATTACKS } from './socket-attacks.ts';
import { TRANSPORT_ATTACKS } from './transport-attacks.ts';
import { type Attack, startWorld } from './world.ts';

const skip = process.platform === 'linux' ? false : 'memory is read from /proc';

async function withstand(t: TestContext, attacks: readonly Attack[]): Promise<void> {
  const world = await startWorld(t);
  for (const attack of attacks) await t.test(attack.name, () => world.under(attack));
}

test('attacks on the query', { skip, timeout: 600_000 }, t => withstand(t, QUERY_ATTACKS));
test('attacks on the transport', { skip, timeout: 600_000 }, t => withstand(t, TRANSPORT_ATTACKS));
test('attacks by sockets', { skip, timeout: 600_000 }, t => withstand(t, SOCKET_ATTACKS));
