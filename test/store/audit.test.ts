// The audit log as a chain: what is changed, removed or put in between afterwards shows.

import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import { Kysely, sql } from 'kysely';
import { FileMigrationProvider, Migrator } from 'kysely/migration';
import type { AuditEvent } from '../../src/domain/audit.ts';
import { type ChainLink, verifyChain } from '../../src/domain/audit-chain.ts';
import { newId } from '../../src/domain/ids.ts';
import { auditIn } from '../../src/store/audit.ts';
import { pgliteDialect } from '../../src/store/embedded.ts';
import type { Store } from '../../src/store/store.ts';
import type { Tables } from '../../src/store/tables.ts';
import { onBothStores } from './both-stores.ts';

function act(change: Partial<AuditEvent> = {}): AuditEvent {
  return {
    id: newId(),
    at: new Date(),
    actorId: 'usr_1',
    actorName: 'Grüße 😀',
    action: 'breaker.reset',
    subject: 'openai/gpt-6-sol',
    reason: undefined,
    data: { z: 1, a: { y: [1, 2.5, null], b: 'x' }, at: new Date(0) },
    ...change,
  };
}

async function verify({ audit }: Store, anchor?: ChainLink) {
  return verifyChain({ storedHead: await audit.head(), entries: audit.chain(), anchor });
}

/** Past the guard that refuses changes, as somebody with all rights could do it. */
async function tamper(db: Kysely<Tables>, statement: string): Promise<void> {
  await sql.raw('alter table audit_events disable trigger audit_events_append_only').execute(db);
  await sql.raw(statement).execute(db);
  await sql.raw('alter table audit_events enable trigger audit_events_append_only').execute(db);
}

onBothStores(open => {
  describe('the audit log', () => {
    test('is a chain from its first entry on, whoever appends at the same time', async t => {
      const { store } = await open(t);
      assert.deepEqual((await verify(store)).entries, 0);

      const texts = ['a\0b', '\ud800', 'x'.repeat(5_000)];
      await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          index % 2 === 0
            ? store.audit.append(act({ reason: texts[index % 3], data: index === 4 ? undefined : { index } }))
            : store.transaction(inside => inside.audit.append(act())),
        ),
      );

      const { entries, defect, head } = await verify(store);
      assert.deepEqual([entries, defect, head], [20, undefined, await store.audit.head()]);
    });

    test('several entries at once are links in their order', async t => {
      const { store } = await open(t);
      await store.audit.append(act());
      const several = ['one', 'two', 'three'].map(reason => act({ reason }));

      await Promise.all([store.audit.appendAll(several), store.audit.appendAll([act()])]);
      await store.audit.appendAll([]);

      const { entries, defect } = await verify(store);
      assert.deepEqual([entries, defect], [5, undefined]);
      const reasons = [];
      for await (const { reason } of store.audit.chain()) if (reason) reasons.push(reason);
      assert.deepEqual(reasons, ['one', 'two', 'three']);
    });

    test('an append that is rolled back leaves no gap', async t => {
      const { store } = await open(t);
      await store.audit.append(act());
      const failing = store.transaction(async inside => {
        await inside.audit.append(act());
        throw new Error('changed my mind');
      });
      await assert.rejects(failing, /changed my mind/);
      await store.audit.append(act());

      const { entries, defect } = await verify(store);
      assert.deepEqual([entries, defect], [2, undefined]);
    });

    test('refuses to be changed', async t => {
      const { store, db } = await open(t);
      await store.audit.append(act());

      for (const statement of ["update audit_events set reason = 'nothing'", 'delete from audit_events'])
        await assert.rejects(sql.raw(statement).execute(db), /append-only/);
    });

    const crimes: [string, string, RegExp][] = [
      [
        'an entry is changed',
        "update audit_events set actor_name = 'somebody else' where sequence = 3",
        /Entry 3 .* does not fit/,
      ],
      ['an entry is removed', 'delete from audit_events where sequence = 3', /Entry 3 is missing/],
      ['the last entries are removed', 'delete from audit_events where sequence > 3', /ends at entry 3/],
      [
        'the end is removed with its head',
        'delete from audit_events where sequence > 3; update audit_chain set sequence = 3, hash = (select hash from audit_events where sequence = 3)',
        /ends at entry 3/,
      ],
      ['the head is removed', 'delete from audit_chain', /should end/],
    ];
    for (const [crime, statement, sentence] of crimes)
      test(`shows that ${crime}`, async t => {
        const { store, db } = await open(t);
        for (let count = 0; count < 5; count += 1) await store.audit.append(act());
        const noted = (await verify(store)).head;

        for (const each of statement.split('; ')) await tamper(db, each);

        assert.match((await verify(store, noted)).defect ?? '', sentence);
      });

    test('shows by a noted link that all of it was written anew', async t => {
      const { store, db } = await open(t);
      await store.audit.append(act());
      await store.audit.append(act());
      const noted = (await verify(store)).head;
      await tamper(db, 'delete from audit_events');
      await sql`update audit_chain set sequence = 0, hash = ${'0'.repeat(64)}`.execute(db);
      await store.audit.append(act());
      await store.audit.append(act({ actorName: 'somebody else' }));

      assert.equal((await verify(store)).defect, undefined);
      assert.match((await verify(store, noted)).defect ?? '', /written anew/);
    });
  });
});

test('entries of before the chain are taken into it by the migration', async t => {
  const pglite = new PGlite();
  const db = new Kysely<Tables>({ dialect: pgliteDialect(pglite) });
  t.after(() => db.destroy());
  const migrator = new Migrator({
    db,
    provider: new FileMigrationProvider({
      fs,
      path,
      migrationFolder: path.join(import.meta.dirname, '../../migrations'),
      import: file => import(pathToFileURL(file).href),
    }),
  });
  await migrator.migrateTo('0010-breaker-rest');
  for (const { id, at, action, data } of [act(), act({ data: undefined }), act()])
    await sql`insert into audit_events (id, at, action, data)
      values (${id}, ${at}, ${action}, ${JSON.stringify(data) ?? null}::text::jsonb)`.execute(db);

  const { error } = await migrator.migrateToLatest();

  assert.equal(error, undefined);
  const audit = auditIn(db);
  const verification = await verifyChain({ storedHead: await audit.head(), entries: audit.chain() });
  assert.deepEqual([verification.entries, verification.defect], [3, undefined]);
});
