import assert from 'node:assert/strict';
import test from 'node:test';
import type { ExternalIdentity } from '../../src/domain/identity.ts';
import type { Store } from '../../src/store/store.ts';
import { onBothStores } from './both-stores.ts';
import { aUser } from './samples.ts';

const at = (second: number) => new Date(Date.UTC(2026, 10, 1, 12, 0, second));

async function someone(store: Store, change: Partial<ExternalIdentity> = {}) {
  const user = aUser();
  await store.members.createUser(user, undefined);
  const identity: ExternalIdentity = {
    issuer: 'https://idp.test',
    subject: 'subject-1',
    userId: user.id,
    role: 'USER',
    issuedAt: at(1),
    ...change,
  };
  return { user, identity };
}

onBothStores(open => {
  test('a subject of an issuer is one user, and found with it', async t => {
    const { store } = await open(t);
    const { user, identity } = await someone(store);
    const { identity: rival } = await someone(store);

    assert.equal(await store.externalIdentities.find(identity.issuer, identity.subject), undefined);
    assert.equal(await store.externalIdentities.create(identity), true);
    assert.equal(await store.externalIdentities.create(rival), false);
    assert.deepEqual(await store.externalIdentities.find(identity.issuer, identity.subject), {
      identity,
      user,
    });
    assert.equal(await store.externalIdentities.find('https://other.test', identity.subject), undefined);
    assert.equal(await store.externalIdentities.find(identity.issuer, 'SUBJECT-1'), undefined);
  });

  test('what a token says is kept when it is newer, whoever comes at the same time', async t => {
    const { store } = await open(t);
    const { identity } = await someone(store);
    await store.externalIdentities.create(identity);
    const advance = (role: ExternalIdentity['role'], second: number) =>
      store.transaction(inside =>
        inside.externalIdentities.advance({ ...identity, role, issuedAt: at(second) }),
      );
    const now = async () => {
      const found = await store.externalIdentities.find(identity.issuer, identity.subject);
      return [found?.identity.role, found?.identity.issuedAt.getUTCSeconds()];
    };

    assert.deepEqual(await advance('ADMIN', 3), identity);
    assert.equal(await advance('USER', 2), undefined);
    assert.equal(await advance('USER', 3), undefined);
    assert.deepEqual(await now(), ['ADMIN', 3]);

    const seconds = [9, 4, 8, 5, 7, 6];
    await Promise.all(seconds.map(second => advance(second === 9 ? 'SERVICE' : 'USER', second)));
    assert.deepEqual(await now(), ['SERVICE', 9]);
    const stranger = { ...identity, subject: 'nobody', issuedAt: at(20) };
    assert.equal(await store.transaction(inside => inside.externalIdentities.advance(stranger)), undefined);
  });
});
