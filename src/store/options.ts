// What openStore is told.

export interface OpenOptions {
  /** `postgres://…`, `memory:`, or undefined for the embedded database in `dataDir`. */
  readonly url: string | undefined;
  readonly dataDir: string;
  /** Told in one line each what is done at start, and of lost connections later. Never contains a secret. */
  readonly log: (message: string) => void;
  /** Connections to Postgres; 10 when absent. */
  readonly poolSize?: number | undefined;
  readonly connectTimeoutMs?: number | undefined;
  /** Postgres ends a statement that takes longer; PGlite cannot. */
  readonly statementTimeoutMs?: number | undefined;
  /** An image from PGlite's `dumpDataDir` to begin an embedded database with. */
  readonly loadDataDir?: Blob | undefined;
}
