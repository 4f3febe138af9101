// What administrators decided about deployments: one row each, the latest decision.

import type { Kysely } from 'kysely';
import type { DeploymentControlRepository } from './store.ts';
import type { Tables } from './tables.ts';

export function deploymentControlsIn(db: Kysely<Tables>): DeploymentControlRepository {
  return {
    async save(controls) {
      if (controls.length === 0) return;
      await db
        .insertInto('deployment_controls')
        .values(
          controls.map(({ deploymentId, drained, reason, actorId, at }) => ({
            deployment_id: deploymentId,
            drained,
            reason,
            actor_id: actorId,
            at,
          })),
        )
        .onConflict(conflict =>
          conflict.column('deployment_id').doUpdateSet(({ ref }) => ({
            drained: ref('excluded.drained'),
            reason: ref('excluded.reason'),
            actor_id: ref('excluded.actor_id'),
            at: ref('excluded.at'),
          })),
        )
        .execute();
    },
    async all() {
      const rows = await db.selectFrom('deployment_controls').selectAll().orderBy('deployment_id').execute();
      return rows.map(({ deployment_id, drained, reason, actor_id, at }) => ({
        deploymentId: deployment_id,
        drained,
        reason,
        actorId: actor_id,
        at,
      }));
    },
  };
}
