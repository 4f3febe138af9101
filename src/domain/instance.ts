// One running server process of the installation, as all of them see it.

/** Where a process runs. */
export interface InstanceHost {
  readonly hostname: string;
  readonly pid: number;
}

export interface Instance {
  /** Of this incarnation: a process that was declared dead goes on under a new one. */
  readonly id: string;
  readonly version: string;
  /** Undefined for one of a version that did not tell. */
  readonly host: InstanceHost | undefined;
  /** On the database's clock, as is the next. */
  readonly startedAt: Date;
  readonly lastBeatAt: Date;
  readonly runningRequests: number;
}
