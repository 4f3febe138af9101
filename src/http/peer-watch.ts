// Looks after the peers of all sockets by one timer: pings them, drops those that are gone, and stops reading from
// those that do not read. Two timers for each would be a good part of what an idle socket keeps.

import { WebSocket } from 'ws';
import type { Clock } from '../lib/clock.ts';
import type { HttpLimits } from './limits.ts';

export interface PeerWatch {
  /** Until the socket closes. */
  add(socket: WebSocket): void;
}

interface Peer {
  /** Has answered the last ping. */
  isAlive: boolean;
  pingAtMs: number;
  /** Monotonic; since when it has left too much unread. */
  slowSinceMs: number | undefined;
}

export function createPeerWatch(limits: HttpLimits, clock: Clock): PeerWatch {
  const peers = new Map<WebSocket, Peer>();
  const everyMs = Math.min(1_000, limits.slowReaderMs, limits.keepAliveMs);
  let timer: NodeJS.Timeout | undefined;

  function look(socket: WebSocket, peer: Peer, nowMs: number): void {
    const isSlow = socket.bufferedAmount > limits.slowReaderBytes;
    // Whoever does not read may not make us write more either.
    if (isSlow && !socket.isPaused) socket.pause();
    if (!isSlow && socket.isPaused) socket.resume();
    peer.slowSinceMs = isSlow ? (peer.slowSinceMs ?? nowMs) : undefined;
    const isStuck = peer.slowSinceMs !== undefined && nowMs - peer.slowSinceMs >= limits.slowReaderMs;
    const isDue = nowMs >= peer.pingAtMs;
    if (isStuck || (isDue && !peer.isAlive)) socket.terminate();
    else if (isDue) {
      peer.isAlive = false;
      peer.pingAtMs = nowMs + limits.keepAliveMs;
      if (socket.readyState === WebSocket.OPEN) socket.ping();
    }
  }

  function lookAtAll(): void {
    const nowMs = clock.monotonic();
    for (const [socket, peer] of peers) look(socket, peer, nowMs);
  }

  // Made once and told by `this` whom they are called for.
  function onPong(this: WebSocket): void {
    const peer = peers.get(this);
    if (peer) peer.isAlive = true;
  }
  function onClose(this: WebSocket): void {
    peers.delete(this);
    if (peers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  return {
    add(socket) {
      const pingAtMs = clock.monotonic() + limits.keepAliveMs;
      peers.set(socket, { isAlive: true, pingAtMs, slowSinceMs: undefined });
      socket.on('pong', onPong);
      socket.on('close', onClose);
      timer ??= setInterval(lookAtAll, everyMs).unref();
    },
  };
}
