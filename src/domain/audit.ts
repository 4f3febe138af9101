// What is remembered of administrative and security-relevant acts.

/** One act worth remembering. */
export interface AuditEvent {
  readonly id: string;
  readonly at: Date;
  readonly actorId: string | undefined;
  readonly actorName: string | undefined;
  /** `noun.verb`, for example `breaker.reset`. */
  readonly action: string;
  /** What it was done to, as a client's id. */
  readonly subject: string | undefined;
  readonly reason: string | undefined;
  /** Before and after, and other facts; never secrets or prompts. */
  readonly data: unknown;
}
