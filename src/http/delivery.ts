// The order in which the messages of a socket are handled. graphql-ws would take an id that is used again, while its
// first operation is still ending, for that operation.

import { LiveMap } from '../lib/live-map.ts';

export interface Message {
  readonly type?: unknown;
  readonly id?: unknown;
  readonly payload?: unknown;
}

/**
 * Hands messages over in order. A `subscribe` under an id that was just completed waits until the first operation
 * has ended, since graphql-ws would otherwise take the end of the first for the end of the second. An operation that
 * lasts keeps no more than one promise here.
 */
export class Delivery {
  readonly #handle: (message: Message) => Promise<void>;
  readonly #onError: (error: unknown) => void;
  readonly #running = new LiveMap<Promise<void>>();
  #ending: Map<string, Promise<void>> | undefined;

  constructor(handle: (message: Message) => Promise<void>, onError: (error: unknown) => void) {
    this.#handle = handle;
    this.#onError = onError;
  }

  deliver(message: Message): void {
    const { type, id } = message;
    if (typeof id !== 'string' || (type !== 'subscribe' && type !== 'complete')) {
      this.#handle(message).catch(this.#onError);
      return;
    }
    const before = this.#ending?.get(id);
    if (before === undefined) this.#hand(message, id);
    else
      this.#holdBack(
        id,
        before.then(() => this.#hand(message, id)),
      );
  }

  #hand(message: Message, id: string): void {
    if (message.type === 'subscribe') {
      const ended: Promise<void> = this.#handle(message)
        .catch(this.#onError)
        .then(() => {
          if (this.#running.get(id) === ended) this.#running.delete(id);
        });
      this.#running.set(id, ended);
      return;
    }
    const operation = this.#running.get(id);
    if (operation !== undefined) this.#holdBack(id, operation);
    this.#handle(message).catch(this.#onError);
  }

  #holdBack(id: string, until: Promise<void>): void {
    this.#ending ??= new Map();
    this.#ending.set(id, until);
    void until.then(() => {
      if (this.#ending?.get(id) === until) this.#ending.delete(id);
    });
  }
}
