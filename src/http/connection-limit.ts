// How many connections an address may have open, counted when they are accepted and refused at once: before a byte of
// theirs is read there is nobody else to count them for.

import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { networkOf } from '../lib/network.ts';
import type { HttpLimits } from './limits.ts';
import { isIn, toAddress } from './networks.ts';
import { createLedger } from './rate-limit.ts';

interface ConnectionLimitDeps {
  readonly limits: Pick<HttpLimits, 'maxConnections' | 'maxConnectionsPerAddress'>;
  /** Addresses or networks that stand for many: proxies, and by the usual settings this machine. */
  readonly exempt: readonly string[];
  readonly onRefused: (limit: 'maxConnections' | 'maxConnectionsPerAddress') => void;
}

export function limitConnections(server: Server, { limits, exempt, onRefused }: ConnectionLimitDeps): void {
  const isExempt = isIn(exempt);
  const held = createLedger(limits.maxConnectionsPerAddress);
  server.maxConnections = limits.maxConnections;
  server.on('drop', () => onRefused('maxConnections'));
  // Before the server itself begins to read.
  server.prependListener('connection', (socket: Socket) => {
    const address = toAddress(socket.remoteAddress ?? '');
    // One that is gone already has none.
    if (address === undefined || isExempt(address)) return;
    const release = held.acquire(networkOf(address));
    if (release) socket.once('close', release);
    else {
      onRefused('maxConnectionsPerAddress');
      socket.destroy();
    }
  });
}
