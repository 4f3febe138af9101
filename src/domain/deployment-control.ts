// What an administrator decided about a deployment, whatever its health.

/** The latest decision about one deployment. */
export interface DeploymentControl {
  readonly deploymentId: string;
  /** True: no new call goes there, also when it is named. */
  readonly drained: boolean;
  readonly reason: string;
  readonly actorId: string;
  readonly at: Date;
}
