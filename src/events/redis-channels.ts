// Who listens to which channel of Redis. One connection for all; a channel is subscribed with its first listener and
// left with its last. A message is a doorbell with a payload, never the truth: messages are lost while the
// connection is down, so listeners are told when it is back.

import type { Redis } from 'ioredis';

/** Channels subscribed again at once after a reconnect. */
const BATCH = 500;

export interface ChannelListener {
  message(text: string): void;
  /** There is a connection, for the first time or again: messages may have been missed. */
  resumed(): void;
}

export interface Channels {
  /**
   * `ready` resolves once Redis has acknowledged, after which no message is missed while the connection lasts;
   * with false when there is no Redis to ask. The listener stays until `leave`.
   */
  join(channel: string, listener: ChannelListener): { readonly ready: Promise<boolean>; leave(): void };
}

interface Channel {
  readonly listeners: Set<ChannelListener>;
  /** Shared: a second listener that did not await it would miss messages. */
  ready: Promise<boolean>;
}

export function createChannels(connection: Redis, onError: (error: Error) => void): Channels {
  const channels = new Map<string, Channel>();

  function subscribe(names: readonly string[]): Promise<boolean> {
    // No fault: all channels are subscribed once the connection stands.
    if (connection.status !== 'ready') return Promise.resolve(false);
    return connection.subscribe(...names).then(
      () => true,
      error => {
        onError(error);
        return false;
      },
    );
  }

  connection.on('message', (name: string, text: string) => {
    for (const listener of [...(channels.get(name)?.listeners ?? [])]) listener.message(text);
  });
  connection.on('ready', () => {
    const names = [...channels.keys()];
    for (let index = 0; index < names.length; index += BATCH) {
      const batch = names.slice(index, index + BATCH);
      const ready = subscribe(batch);
      for (const name of batch) channels.get(name)!.ready = ready;
      void ready.then(isReady => {
        if (!isReady) return;
        for (const name of batch)
          for (const listener of [...(channels.get(name)?.listeners ?? [])]) listener.resumed();
      });
    }
  });
  return {
    join(name, listener) {
      let channel = channels.get(name);
      if (!channel) {
        channel = { listeners: new Set(), ready: Promise.resolve(false) };
        channels.set(name, channel);
        channel.ready = subscribe([name]);
      }
      const joined = channel;
      joined.listeners.add(listener);
      return {
        ready: joined.ready,
        leave() {
          joined.listeners.delete(listener);
          if (joined.listeners.size > 0 || channels.get(name) !== joined) return;
          channels.delete(name);
          if (connection.status === 'ready') connection.unsubscribe(name).catch(onError);
        },
      };
    },
  };
}
