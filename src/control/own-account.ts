// Whose account an act is about: one's own, or by ADMIN anybody's.

import { type Actor, authorize, can } from '../domain/access.ts';

/** Throws FORBIDDEN unless the actor may manage this user's keys and sessions. */
export function authorizeFor(actor: Actor, userId: string): void {
  authorize(actor, 'account:manage');
  if (userId !== actor.userId) authorize(actor, 'member:manage');
}

/** May the actor know that this user, and what belongs to it, exists? */
export function maySee(actor: Actor, userId: string): boolean {
  return userId === actor.userId || can(actor, 'member:manage');
}
