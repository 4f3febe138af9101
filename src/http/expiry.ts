// Ends subscriptions when the credential they began with ends. Access is checked once, when a subscription starts;
// without this an expired or revoked token would go on receiving for as long as the client stays.

import type { Plugin } from '@envelop/core';
import type { Members } from '../control/members.ts';
import type { Actor } from '../domain/access.ts';
import { type ActorContext, accessError } from '../graphql/auth.ts';

type CredentialWatcher = Pick<Members, 'credentialEnded'>;

/** For yoga and for graphql-ws on yoga's pipeline alike: wraps what a subscription returned. */
export function useCredentialExpiry(members: CredentialWatcher): Plugin {
  return {
    onSubscribe({ args }) {
      const { actor } = args.contextValue as unknown as ActorContext;
      if (!actor) return undefined;
      return {
        onSubscribeResult({ result, setResult }) {
          if (isAsyncIterable(result)) setResult(endWithCredential(result, actor, members));
        },
      };
    },
  };
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/** What a subscriber hears last when its credential has ended. */
function lastResult() {
  return { data: null, errors: [accessError('UNAUTHENTICATED', 'This subscription')] };
}

/** The source's values until the credential ends, then one refusal, then the end. Leaving never waits for the source. */
export function endWithCredential<T>(
  source: AsyncIterable<T>,
  actor: Actor,
  members: CredentialWatcher,
): AsyncIterableIterator<T | ReturnType<typeof lastResult>> {
  type Result = IteratorResult<T | ReturnType<typeof lastResult>>;
  const over: Result = { done: true, value: undefined };
  const iterator = source[Symbol.asyncIterator]();
  const left = new AbortController();
  /** Pulls the source has not answered. Each is settled by hand: racing a promise that lives as long as the stream
   * would keep something of every event until its end. */
  const pulls = new Set<(result: Result) => void>();
  let state: 'open' | 'refused' | 'done' = 'open';

  function finish(): void {
    state = 'done';
    left.abort();
    for (const settle of pulls) settle(over);
    pulls.clear();
  }
  /** The refusal, once; everything after it is the end. */
  function refuse(settle: (result: Result) => void): void {
    settle({ done: false, value: lastResult() });
    finish();
  }
  function letGo(): void {
    iterator.return?.().catch(() => {});
  }

  void members.credentialEnded(actor, left.signal).then(() => {
    if (state !== 'open') return;
    state = 'refused';
    letGo();
    const [first] = pulls;
    if (!first) return;
    pulls.delete(first);
    refuse(first);
  });

  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next() {
      if (state === 'done') return Promise.resolve(over);
      const { promise, resolve, reject } = Promise.withResolvers<Result>();
      if (state === 'refused') {
        refuse(resolve);
        return promise;
      }
      pulls.add(resolve);
      iterator.next().then(
        result => {
          pulls.delete(resolve);
          if (result.done && state === 'open') finish();
          resolve(result);
        },
        error => {
          pulls.delete(resolve);
          if (state === 'open') finish();
          reject(error);
        },
      );
      return promise;
    },
    async return() {
      if (state !== 'done') {
        finish();
        letGo();
      }
      return over;
    },
    async throw(error) {
      finish();
      letGo();
      throw error;
    },
  };
}
