// A budget under fire: hundreds of callers at once, at two servers over one database, and a reader who looks at the
// books all the while.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { idOf } from '../src/domain/ids.ts';
import { openStore } from '../src/store/open.ts';
import type { Store } from '../src/store/store.ts';
import { startTestApp, type TestApp, until } from './support/app.ts';
import { openTestPGlite, postgresMissing, postgresTestUrl } from './support/database.ts';
import { SUBMIT } from './support/requests.ts';
import { temporaryDirectory } from './support/server-process.ts';
import { finish, gate, startUpstream, text, type Upstream } from './support/upstream.ts';

const CALLERS = 500;
/** Of each request, at a price of a thousandth of a USD a token. */
const OUTPUT_TOKENS = 10;
const MOST_USD = 0.01;
const SET_BUDGET = `mutation ($input: SetBudgetInput!) { setBudget(input: $input) { budget { id } } }`;
const BUDGETS = '{ viewer { id apiKeys { id } budgets { id limit spent reserved } } }';

interface Installation {
  readonly servers: readonly [TestApp, TestApp];
  readonly upstream: Upstream;
  readonly token: string;
  readonly userId: string;
}

/** Each server has a store of its own over the same database, or both have the embedded one. */
async function install(t: TestContext, stores: readonly (() => Promise<Store>)[]): Promise<Installation> {
  const upstream = await startUpstream(t, { models: [{ id: 'm' }] });
  const path = join(temporaryDirectory(t), 'mcplane.yaml');
  const model = { model: 'm', price: { input: 0, output: 1_000 } };
  const provider = {
    kind: 'openai',
    id: 'p',
    baseUrl: `${upstream.url}/v1`,
    onlyModels: true,
    models: [model],
  };
  writeFileSync(path, JSON.stringify({ providers: [provider] }));
  const env = {
    MCPLANE_CONFIG: path,
    MCPLANE_SIMULATED: 'off',
    MCPLANE_RATE_LIMIT_PER_SECOND: '100000',
    MCPLANE_RATE_LIMIT_BURST: '100000',
    MCPLANE_USER_REQUESTS_PER_MINUTE: '0',
    MCPLANE_USER_TOKENS_PER_MINUTE: '0',
    MCPLANE_USER_CONCURRENT_REQUESTS: '0',
    // Nobody answers before all callers were heard, however busy this machine is.
    MCPLANE_DEADLINE_FIRST_TOKEN_MS: '230000',
  };
  const [one, other] = [await startTestApp(t, env, stores[0]), await startTestApp(t, env, stores[1])];
  const token = await one.login('spender');
  const { viewer } = await one.ask(BUDGETS, {}, token);
  return { servers: [one, other], upstream, token, userId: viewer.id };
}

/** All at once, in turn at the one and the other server; resolves with how many were accepted. */
async function submitAll({ servers, token }: Installation, count: number): Promise<number> {
  const input = { prompt: 'Hello', model: 'p/m', maxOutputTokens: OUTPUT_TOKENS };
  const answers = await Promise.all(
    Array.from({ length: count }, (_, index) => servers[index % 2]!.send(SUBMIT, { input }, token)),
  );
  const refused = answers.flatMap(({ errors }) => errors ?? []);
  for (const { extensions, message } of refused) assert.equal(extensions.code, 'BUDGET_EXCEEDED', message);
  return count - refused.length;
}

/** Reads again and again; `stop` resolves with how often it did. */
function watch(store: Store, budgetId: string): { stop(): Promise<number> } {
  let stopped = false;
  let looks = 0;
  const watching = (async () => {
    for (; !stopped; looks += 1) {
      const [budget] = await store.budgets.byIds([budgetId]);
      const { spentNanoUsd, reservedNanoUsd, limitNanoUsd } = budget!;
      assert.ok(spentNanoUsd + reservedNanoUsd <= limitNanoUsd, `${spentNanoUsd} and ${reservedNanoUsd}`);
      await wait(2);
    }
    return looks;
  })();
  watching.catch(() => {});
  return {
    stop() {
      stopped = true;
      return watching;
    },
  };
}

async function survives(t: TestContext, installation: Installation): Promise<void> {
  const { servers, upstream, token, userId } = installation;
  const [one] = servers;
  const fits = 40;
  const go = Promise.withResolvers<void>();
  const used = (outputTokens: number) => finish({ usage: { inputTokens: 5, outputTokens } });
  upstream.answerWith(() => [gate(go.promise), text('answer'), used(OUTPUT_TOKENS / 2)]);
  const limit = String(fits * MOST_USD);
  const set = { userId, period: 'MONTH', limit };
  const { setBudget } = await one.ask(SET_BUDGET, { input: set });
  const budget = async () => (await one.ask(BUDGETS, {}, token)).viewer.budgets[0];
  const { stop } = watch(one.store, idOf('budget', setBudget.budget.id)!);

  assert.equal(await submitAll(installation, CALLERS), fits);
  assert.deepEqual(await budget(), { id: setBudget.budget.id, limit, spent: '0', reserved: limit });
  await until(() => upstream.modelCalls.length === fits, 'all that were accepted run');

  // Each costs half of what it reserved, so that as many again have room, then half as many, and so on.
  go.resolve();
  let accepted = fits;
  for (let more = fits; more > 0; accepted += more) {
    await until(async () => (await budget()).reserved === '0', 'all have ended');
    more = await submitAll(installation, 2 * fits);
  }
  const { spent, reserved } = await budget();
  assert.deepEqual([spent, reserved], [String((accepted * MOST_USD) / 2), '0']);
  assert.equal(accepted, 2 * fits - 1, 'until what is left does not cover another one');
  assert.equal(upstream.modelCalls.length, accepted);
  assert.equal(upstream.billed.outputTokens, (accepted * OUTPUT_TOKENS) / 2);
  const looks = await stop();
  assert.ok(looks > 20, `${looks}`);
  t.diagnostic(`${CALLERS} callers at once, ${accepted} accepted in all; the books were read ${looks} times`);
}

test('of 500 callers at two servers over one Postgres exactly as many run as the budget covers', {
  skip: await postgresMissing(),
  timeout: 240_000,
}, async t => {
  const url = await postgresTestUrl(t);
  const open = () => openStore({ url, dataDir: '', log: () => {} });
  await survives(t, await install(t, [open, open]));
});

test('the same with two servers over one embedded database', { timeout: 240_000 }, async t => {
  const { store } = await openTestPGlite(t);
  // As on a server: nobody takes the other for what the last process left behind.
  const open = async (): Promise<Store> => ({
    ...store,
    info: { ...store.info, kind: 'postgres' },
    close: async () => {},
  });
  await survives(t, await install(t, [open, open]));
});
