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
  const latest = new Map<string, DeploymentControl>();
  return {
    of(deploymentId) {
      const control = latest.get(deploymentId);
      return control?.drained ? control : undefined;
    },
    apply(control) {
      const known = latest.get(control.deploymentId);
      // What was read from the store may be older than what was done here meanwhile.
      if (!known || known.at <= control.at) latest.set(control.deploymentId, control);
    },
  };
}
