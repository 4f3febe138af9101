// Members on a real store with one admin, a clock in the test's hand, and a count of the hashes made and verified.

import type { TestContext } from 'node:test';
import { argon2idHasher, createCredentials } from '../../src/control/credentials.ts';
import type { IdentityTokens } from '../../src/control/identity-tokens.ts';
import { createMembers } from '../../src/control/members.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { createTestClock } from './clock.ts';
import { openTestStore } from './database.ts';

export const PASSWORD = 'correct horse';
export const ADDRESS = '192.0.2.1';

interface MembersOptions {
  /** Absent: there is no identity provider. */
  readonly identityTokens?: (clock: Clock) => IdentityTokens;
  /** Absent: the usual ones. */
  readonly hashLimits?: { readonly maxHashes: number; readonly maxWaiting: number };
}

export async function startMembers(t: TestContext, { identityTokens, hashLimits }: MembersOptions = {}) {
  const store = await openTestStore(t);
  const clock = createTestClock(Date.now());
  const verified: string[] = [];
  const hashed: string[] = [];
  const hasher = {
    ...argon2idHasher,
    hash(password: string) {
      hashed.push(password);
      return argon2idHasher.hash(password);
    },
    verify(hash: string, password: string) {
      verified.push(hash);
      return argon2idHasher.verify(hash, password);
    },
  };
  const credentials = await createCredentials({
    jwtSecretKey: 'kV9x2LqT7wPz4RbN8sYc1GmD5hJf0EaU',
    clock,
    hasher,
    ...(hashLimits && { hashLimits }),
  });
  const create = () =>
    createMembers({
      store,
      credentials,
      identityTokens: identityTokens?.(clock),
      clock,
      sessionMinutes: 60,
    });
  const members = create();
  await members.createFirstAdmin('root.admin', PASSWORD);
  const login = async (username = 'root.admin', password = PASSWORD, address = ADDRESS) => {
    const { token } = await members.login(username, password, address);
    const actor = await members.authenticate(token);
    return { token, actor: actor! };
  };
  const audit = async () =>
    (await store.audit.page({}, { first: 100 })).rows.map(({ action, actorName, subject, reason, data }) => ({
      action,
      actorName,
      subject,
      ...(reason !== undefined && { reason }),
      data,
    }));
  /** Lets promises and queries that were started settle. */
  const settled = async () => {
    for (let round = 0; round < 5; round++) {
      // Reads that are shared are sent at the end of the turn.
      await new Promise(resolve => setImmediate(resolve));
      await store.ping();
    }
  };
  hashed.length = 0;
  return { store, credentials, clock, verified, hashed, members, another: create, login, audit, settled };
}
