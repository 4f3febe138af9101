// The repositories over one Kysely database, and transactions over all of them. Knows nothing of how the database
// was opened.

import { AsyncLocalStorage } from 'node:async_hooks';
import { type Kysely, type KyselyPlugin, sql } from 'kysely';
import { auditIn } from './audit.ts';
import { breakersIn } from './breakers.ts';
import { createBudgetOwners } from './budget-owners.ts';
import { budgetsIn } from './budgets.ts';
import { contentIn } from './content.ts';
import { deploymentControlsIn } from './deployment-controls.ts';
import { externalIdentitiesIn } from './external-identities.ts';
import { instancesIn } from './instances.ts';
import { membersIn } from './members.ts';
import { metricsIn } from './metrics.ts';
import { queueIn } from './queue.ts';
import { rateLimitsIn } from './rate-limits.ts';
import { requestsIn } from './requests.ts';
import { createSettlements, type Settlements } from './settle.ts';
import { MAX_WIDE_IDS, sharingReads } from './shared-reads.ts';
import type { Store } from './store.ts';
import { storedProvidersIn } from './stored-providers.ts';
import type { Tables } from './tables.ts';
import { workflowDefinitionsIn } from './workflow-definitions.ts';
import { workflowsIn } from './workflows.ts';

export interface OpenedDatabase {
  readonly db: Kysely<Tables>;
  readonly info: Store['info'];
  close(): Promise<void>;
}

export function createStore({ db, info, close }: OpenedDatabase): Store {
  const openTransaction = new AsyncLocalStorage<{ open: boolean }>();
  // Inside a transaction the outer store would wait for ever on PGlite, which has one connection, and would run
  // beside the transaction on Postgres. Neither is seen in review, so it is an error.
  const refuseInside = () => {
    if (openTransaction.getStore()?.open)
      throw new Error('Inside a transaction, use the store that the transaction was given');
  };
  const guard: KyselyPlugin = {
    transformQuery({ node }) {
      refuseInside();
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  const settlements = createSettlements();
  const repositories = repositoriesIn(db.withPlugin(guard), settlements);
  // For statements that are sent for several callers, outside of anybody's transaction.
  const shared =
    <Asked extends unknown[], Answer>(work: (...asked: Asked) => Promise<Answer>) =>
    async (...asked: Asked): Promise<Answer> => {
      refuseInside();
      return work(...asked);
    };
  const { requests, members } = repositories;

  return {
    ...repositories,
    requests: {
      ...requests,
      accept: shared(requests.accept),
      book: shared(requests.book),
      finish: shared(requests.finish),
      byIds: shared(sharingReads(requests.byIds)),
      bodiesByIds: shared(sharingReads(requests.bodiesByIds, MAX_WIDE_IDS)),
    },
    members: { ...members, usersByIds: shared(sharingReads(members.usersByIds)) },
    info,
    close,
    transaction(work) {
      refuseInside();
      const state = { open: true };
      return openTransaction.run(state, () =>
        db
          .transaction()
          .execute(transaction => work(storeIn(transaction, info, settlements)))
          .finally(() => {
            state.open = false;
          }),
      );
    },
  };
}

/** The store inside a transaction. A transaction within it is part of it: there is one commit, at the end. */
function storeIn(db: Kysely<Tables>, info: Store['info'], settlements: Settlements): Store {
  const store: Store = {
    ...repositoriesIn(db, settlements),
    info,
    transaction: work => work(store),
    close: () => Promise.reject(new Error('The store of a transaction ends with the transaction')),
  };
  return store;
}

function repositoriesIn(
  db: Kysely<Tables>,
  settlements: Settlements,
): Omit<Store, 'info' | 'close' | 'transaction'> {
  const shared = { owners: createBudgetOwners(db), settlements };
  return {
    requests: requestsIn(db, shared),
    content: contentIn(db),
    budgets: budgetsIn(db, shared),
    queue: queueIn(db, settlements),
    metrics: metricsIn(db),
    members: membersIn(db),
    externalIdentities: externalIdentitiesIn(db),
    rateLimits: rateLimitsIn(db),
    audit: auditIn(db),
    breakers: breakersIn(db),
    deploymentControls: deploymentControlsIn(db),
    instances: instancesIn(db),
    workflows: workflowsIn(db),
    workflowDefinitions: workflowDefinitionsIn(db),
    storedProviders: storedProvidersIn(db),
    ping: async () => {
      await sql`select 1`.execute(db);
    },
  };
}
