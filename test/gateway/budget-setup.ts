// A chain of scripted providers with prices, and a user of theirs who has budgets.

import type { TestContext } from 'node:test';
import type { Data } from '../support/app.ts';
import type { openTestStore } from '../support/database.ts';
import { SUBMIT } from '../support/requests.ts';
import { type Chain, startChain } from './chain-setup.ts';

export const SET_BUDGET = `mutation ($input: SetBudgetInput!) {
  setBudget(input: $input) { budget { id period limit spent reserved remaining resetsAt apiKeyId } }
}`;
const BUDGETS = '{ viewer { id budgets { id period limit spent reserved remaining resetsAt } } }';
const REQUEST = `query ($id: ID!) {
  request(id: $id) {
    status cost reserved output finishReason
    error { code message retryable }
    attempts { deployment { id } outcome error { code } cost reserved }
    routing { candidates { deploymentId } rejections { deploymentId reason detail } }
  }
}`;

/** USD a token. */
export interface TokenPrice {
  readonly input: number;
  readonly output: number;
}

export interface Spender extends Chain {
  readonly userId: string;
  readonly token: string;
  /** Submits as that user: the id, or the error. */
  submit(input?: object): Promise<{ id: string } | { error: Data }>;
  /** As far as it has come. */
  look(id: string): Promise<Data>;
  budget(): Promise<Data>;
}

/** `undefined`: no price is known. `limit` in USD a month. */
export async function startSpender(
  t: TestContext,
  limit: string,
  prices: readonly (TokenPrice | undefined)[],
  { env = {}, openStore }: { env?: Record<string, string>; openStore?: typeof openTestStore } = {},
): Promise<Spender> {
  const models = Object.fromEntries(
    prices.flatMap((price, index) =>
      price ? [[`p${index + 1}/m`, { price: { input: price.input * 1e6, output: price.output * 1e6 } }]] : [],
    ),
  );
  const chain = await startChain(t, prices.length, { env, file: { models } }, openStore);
  const { app } = chain;
  const token = await app.login('spender');
  const { viewer } = await app.ask(BUDGETS, {}, token);
  await app.ask(SET_BUDGET, { input: { userId: viewer.id, period: 'MONTH', limit } });
  return {
    ...chain,
    userId: viewer.id,
    token,
    async submit(input = {}) {
      const { data, errors } = await app.send(
        SUBMIT,
        { input: { prompt: 'Hello', model: 'chain', ...input } },
        token,
      );
      return errors ? { error: errors[0] } : { id: data.submitRequest.request.id };
    },
    look: async id => (await app.ask(REQUEST, { id }, token)).request,
    budget: async () => (await app.ask(BUDGETS, {}, token)).viewer.budgets[0],
  };
}

/** Submits, and follows to the end. */
export async function ended(spender: Spender, input: object = {}): Promise<Data> {
  const submitted = await spender.submit(input);
  if ('error' in submitted) throw new Error(submitted.error.message);
  const stream = spender.app.follow(
    'subscription ($id: ID!) { tokenStream(requestId: $id) { __typename } }',
    submitted,
    spender.token,
  );
  for await (const _event of stream);
  return spender.look(submitted.id);
}
