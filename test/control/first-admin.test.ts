// The administrator that the environment describes, when several instances start at once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../src/config.ts';
import { createNoSignals } from '../../src/events/signals.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { openMembers } from '../../src/wiring.ts';
import { ADMIN } from '../support/app.ts';
import { openTestPostgresStore, postgresMissing } from '../support/database.ts';

const skip = await postgresMissing();

test('instances that start at once on an empty database create one first administrator', {
  skip,
}, async t => {
  const store = await openTestPostgresStore(t);
  const { config } = loadConfig({
    DATABASE_URL: 'memory:',
    MCPLANE_ADMIN_USERNAME: ADMIN.username,
    MCPLANE_ADMIN_PASSWORD: ADMIN.password,
  });
  const log = createLog({ level: 'silent', pretty: false });

  const metrics = createMetrics();
  const gateway = () => assert.fail('nobody is deleted');
  const alone = { sharing: undefined, instances: () => 3, gateway };

  const instances = await Promise.all(
    [1, 2, 3].map(() => openMembers(config, { store, signals: createNoSignals(), log, metrics, ...alone })),
  );

  assert.equal(await store.members.countAdmins(), 1);
  for (const members of instances)
    assert.ok((await members.login(ADMIN.username, ADMIN.password, 'test')).token);
});
