// Which deployments an administrator has drained: no new call goes there, running ones finish. Asked for every
// decision and every attempt, so it is in memory; the store has it for the next start.

import type { DeploymentControl } from '../domain/deployment-control.ts';

export interface Drains {
  /** Undefined while the deployment takes requests. */
  of(deploymentId: string): DeploymentControl | undefined;
  /** Takes up the latest decision about a deployment. */
  apply(control: DeploymentControl): void;
}

export function createDrains(): Drains {
  const drained = new Map<string, DeploymentControl>();
  return {
    of: deploymentId => drained.get(deploymentId),
    apply(control) {
      if (control.drained) drained.set(control.deploymentId, control);
      else drained.delete(control.deploymentId);
    },
  };
}
