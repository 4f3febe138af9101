// A test store some of whose calls about requests fail, wait or lose their answer, as a test tells them to.

import type { RequestRepository } from '../../src/store/store.ts';
import { openTestStore } from './database.ts';

/** To be handed to startTestApp; what `change` does not name works as it is. */
export function storeWith(
  change: (requests: RequestRepository) => Partial<RequestRepository>,
): typeof openTestStore {
  return async t => {
    const store = await openTestStore(t);
    return { ...store, requests: { ...store.requests, ...change(store.requests) } };
  };
}

/** Does its work and then fails, the first `times` times: the connection broke behind the commit. */
export function losingAnswers<Input, Result>(
  call: (input: Input) => Promise<Result>,
  times: number,
): (input: Input) => Promise<Result> {
  let left = times;
  return async input => {
    const result = await call(input);
    left -= 1;
    if (left >= 0) throw new Error('Connection terminated unexpectedly');
    return result;
  };
}
