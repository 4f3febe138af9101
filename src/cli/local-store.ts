// The store, opened by a command itself: for what must work while no server runs.

import { randomBytes } from 'node:crypto';
import { type Config, loadConfig, passwordPolicyOf } from '../config.ts';
import type { Members } from '../control/members.ts';
import type { Store } from '../store/store.ts';
import { note } from './terminal.ts';

export async function withStore<T>(config: Config, work: (store: Store) => Promise<T>): Promise<T> {
  const { openStore } = await import('../store/open.ts');
  const store = await openStore({ url: config.database.url, dataDir: config.dataDir, log: note });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

export async function withMembers<T>(work: (members: Members) => Promise<T>): Promise<T> {
  const { config } = loadConfig(process.env);
  const { createCredentials } = await import('../control/credentials.ts');
  const { createMembers } = await import('../control/members.ts');
  const { systemClock: clock } = await import('../lib/clock.ts');
  // No token is signed here, so the server's secret is not needed.
  const credentials = await createCredentials({ jwtSecretKey: randomBytes(32).toString('base64url'), clock });
  return withStore(config, store =>
    work(
      createMembers({
        store,
        credentials,
        clock,
        sessionMinutes: config.jwt.expireMinutes,
        passwordPolicy: passwordPolicyOf(config),
      }),
    ),
  );
}
