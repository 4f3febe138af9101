// What is remembered of administrative and security-relevant acts.

import type { Actor } from './access.ts';
import { newId } from './ids.ts';

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

/** An act as the code that does it describes it. */
export interface Act extends Partial<Pick<AuditEvent, 'subject' | 'reason' | 'data'>> {
  readonly action: string;
  readonly actor: Pick<Actor, 'userId' | 'username'> | undefined;
}

/** What is remembered of an act done at `atMs`. */
export function auditEvent({ action, actor, subject, reason, data }: Act, atMs: number): AuditEvent {
  return {
    id: newId(),
    at: new Date(atMs),
    actorId: actor?.userId,
    actorName: actor?.username,
    action,
    subject,
    reason,
    data,
  };
}
