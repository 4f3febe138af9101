// How an official SDK sends a call: to which address, with which headers. It is asked once, with a `fetch` that sends
// nothing; building each call anew would cost more than all the rest of it, and give the same.

import { requestOf, type UpstreamRequest } from './http.ts';

export type Route = Omit<UpstreamRequest, 'body'>;

/** `send` makes any call of that API through the SDK. Rejects when the SDK cannot build it. */
export async function learnRoute(
  send: (fetch: typeof globalThis.fetch) => PromiseLike<unknown>,
): Promise<Route> {
  let route: Route | undefined;
  const fetch: typeof globalThis.fetch = async (input, init = {}) => {
    route = requestOf(input, init);
    throw new Error('Learnt, and not sent');
  };
  try {
    await send(fetch);
  } catch (error) {
    if (!route) throw error;
  }
  if (!route) throw new Error('The SDK sent nothing');
  return route;
}

/** A call on this route; its id is told to the provider for its logs. */
export function callOn({ headers, ...route }: Route, requestId: string, body: object): UpstreamRequest {
  return {
    ...route,
    headers: [...headers, 'x-client-request-id', requestId],
    body: JSON.stringify(body),
  };
}
