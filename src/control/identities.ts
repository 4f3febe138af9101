// From a genuine token of the identity provider to an actor. Whoever comes for the first time becomes a user, and the role
// follows the claim when that changes; a name that somebody has here already is never handed over.

import { LRUCache } from 'lru-cache';
import type { Actor, Role } from '../domain/access.ts';
import type { ExternalIdentity, IdentityClaims } from '../domain/identity.ts';
import { rateLimitsOf, type User } from '../domain/member.ts';
import type { Clock } from '../lib/clock.ts';
import type { Store } from '../store/store.ts';
import type { WarningLog } from './credential-check.ts';
import type { IdentityTokens } from './identity-tokens.ts';
import { createLookUp } from './look-up.ts';
import type { MemberContext } from './member-context.ts';
import { parseUsername } from './names-and-passwords.ts';
import { insertUser } from './users.ts';

/** Why somebody whom the provider vouches for is refused, in the audit log once in that time. */
const REFUSAL_NOTED_MS = 3_600_000;
/** Whoever was refused for a name is not looked at again for so long. */
const NAME_REFUSED_MS = 2_000;
const MAX_REFUSALS_REMEMBERED = 10_000;

export interface Identities {
  /** The actor of a token of the identity provider, or undefined: never a reason. */
  authenticate(token: string): Promise<Actor | undefined>;
  /** Forgets what is known of a user, or of everybody. */
  forget(userId?: string): void;
}

interface IdentitiesDeps {
  readonly tokens: IdentityTokens;
  readonly store: Store;
  readonly clock: Clock;
  readonly log?: WarningLog | undefined;
  readonly remember: MemberContext['remember'];
  readonly credentialsChanged: MemberContext['credentialsChanged'];
}

interface Known {
  readonly identity: ExternalIdentity;
  readonly user: User;
}

type Refusal = 'the claims give no role' | 'the name is taken' | 'the name cannot be one';
type Welcome = IdentityClaims & { readonly role: Role };

export function createIdentities(deps: IdentitiesDeps): Identities {
  const { tokens, store, clock } = deps;
  const lookUp = createLookUp(clock, (key: string) => {
    const [issuer, subject] = JSON.parse(key) as [string, string];
    return store.externalIdentities.find(issuer, subject);
  });
  const refusals = createRefusals(deps);
  const find = ({ issuer, subject }: IdentityClaims) => lookUp.find(JSON.stringify([issuer, subject]));

  /** The user of whoever comes for the first time; undefined: refused. */
  async function welcome(claims: Welcome): Promise<Known | undefined> {
    if (refusals.areRecent(claims)) return undefined;
    const name = usernameOf(claims);
    if (name === undefined) return refusals.note(claims, 'the name cannot be one');
    const known = await admit(deps, claims, name);
    // Of two first tokens at once the second finds what the first one made.
    return known ?? (await find(claims)) ?? refusals.note(claims, 'the name is taken');
  }

  /** The role as the newest token has it. */
  async function follow(claims: Welcome, known: Known): Promise<Known | undefined> {
    const { issuer, subject, role } = claims;
    const issuedAt = new Date(claims.issuedAtMs);
    const { id: userId } = known.user;
    const changed = await store.transaction(async inside => {
      const before = await inside.externalIdentities.advance({ issuer, subject, userId, role, issuedAt });
      if (!before || before.role === role) return false;
      await changeRole(deps, inside, { known, from: before.role, to: role });
      return true;
    });
    lookUp.forget(userId);
    if (changed) deps.credentialsChanged(userId);
    return find(claims);
  }

  return {
    async authenticate(token) {
      const claims = await tokens.verify(token);
      if (!claims) return undefined;
      const { role } = claims;
      if (role === undefined) return refusals.note(claims, 'the claims give no role');
      const wanted = { ...claims, role };
      let known = (await find(claims)) ?? (await welcome(wanted));
      if (known && known.identity.issuedAt.getTime() < claims.issuedAtMs) known = await follow(wanted, known);
      return known && toActor(known.user, claims);
    },
    forget: lookUp.forget,
  };
}

function toActor(user: User, claims: IdentityClaims): Actor | undefined {
  const { id, username, role, disabled } = user;
  if (disabled) return undefined;
  const credential = { kind: 'external', id: claims.tokenId } as const;
  return { userId: id, username, role, credential, ...rateLimitsOf(user), expiresAtMs: claims.expiresAtMs };
}

function usernameOf({ username }: IdentityClaims): string | undefined {
  try {
    return parseUsername(username);
  } catch {
    return undefined;
  }
}

/** Undefined when the name is taken, or the subject known by now; then nothing is written. */
async function admit(deps: IdentitiesDeps, claims: Welcome, username: string): Promise<Known | undefined> {
  const { issuer, subject, role } = claims;
  try {
    return await deps.store.transaction(async inside => {
      const source = { issuer, subject };
      const input = {
        username,
        role,
        passwordHash: undefined,
        actor: undefined,
        reason: 'identity provider',
      };
      const user = await insertUser(deps, inside, { ...input, source });
      const identity = { ...source, userId: user.id, role, issuedAt: new Date(claims.issuedAtMs) };
      if (!(await inside.externalIdentities.create(identity))) throw new SubjectKnown();
      return { identity, user };
    });
  } catch (error) {
    if (error instanceof SubjectKnown || (error as { code?: unknown }).code === 'CONFLICT') return undefined;
    throw error;
  }
}

/** Takes the user back that was made for it. */
class SubjectKnown extends Error {}

async function changeRole(
  deps: IdentitiesDeps,
  inside: Store,
  { known: { identity, user }, from, to }: { readonly known: Known; readonly from: Role; readonly to: Role },
): Promise<void> {
  await inside.members.updateUser(user.id, { role: to });
  await deps.remember(inside, {
    action: 'user.update',
    actor: undefined,
    subject: { kind: 'user', id: user.id },
    reason: 'identity provider',
    data: {
      before: { role: user.role, claimed: from },
      after: { role: to, claimed: to },
      issuer: identity.issuer,
    },
  });
}

function createRefusals({ store, clock, log, remember }: IdentitiesDeps) {
  const noted = new LRUCache<string, number>({ max: MAX_REFUSALS_REMEMBERED });
  const names = new LRUCache<string, number>({ max: MAX_REFUSALS_REMEMBERED });
  const isWithin = (ms: number, atMs: number | undefined) =>
    atMs !== undefined && clock.monotonic() - atMs < ms;
  return {
    areRecent: ({ subject }: IdentityClaims) => isWithin(NAME_REFUSED_MS, names.get(subject)),
    async note({ issuer, subject, username }: IdentityClaims, why: Refusal): Promise<undefined> {
      if (why !== 'the claims give no role') names.set(subject, clock.monotonic());
      const key = JSON.stringify([subject, why]);
      if (isWithin(REFUSAL_NOTED_MS, noted.get(key))) return;
      noted.set(key, clock.monotonic());
      log?.warn({ issuer, subject, why }, 'somebody whom the identity provider vouches for was refused');
      await remember(store, {
        action: 'identity.refuse',
        actor: undefined,
        reason: why,
        data: { issuer, subject, username: username.slice(0, 100) },
      });
    },
  };
}
