// Login sessions: how they begin, end, and are replaced when the password changes.

import { createHash } from 'node:crypto';
import { authorize } from '../domain/access.ts';
import { badInput, DomainError } from '../domain/errors.ts';
import { newId } from '../domain/ids.ts';
import type { User } from '../domain/member.ts';
import { createLoginThrottle, type LoginAttempt } from '../limits/login-throttle.ts';
import type { Store } from '../store/store.ts';
import type { MemberContext } from './member-context.ts';
import type { Login, Members } from './members.ts';
import { checkNewPassword, isPossiblePassword, parseLoginName } from './names-and-passwords.ts';

type Sessions = Pick<Members, 'login' | 'logout' | 'changePassword'>;

export function createSessions(context: MemberContext): Sessions {
  const throttle = context.throttle ?? createLoginThrottle(context);

  return {
    async login(username, password, address) {
      const attempt = await throttle.begin(accountKey(username), address);
      const { found, admitted } = await judge(context, attempt, { username, password });
      if (!admitted) {
        // The name of nobody is not kept: people type passwords into the wrong field.
        await context.remember(context.store, {
          action: 'session.refuse',
          actor: undefined,
          subject: found && { kind: 'user', id: found.user.id },
          data: { address },
        });
        throw wrongCredentials();
      }
      attempt.succeed();
      const user = await withFreshHash(context, admitted, password);
      return context.store.transaction(store => beginSession(context, store, user, { address }));
    },

    async logout(actor) {
      authorize(actor, 'account:secure');
      const { kind, id } = actor.credential;
      if (kind === 'apiKey')
        throw badInput('authorization', 'is an API key, which is revoked, not logged out');
      if (kind === 'external')
        throw badInput('authorization', 'is a token of the identity provider: log out there');
      await context.store.transaction(async store => {
        if (await store.members.revokeSession(id)) {
          await context.remember(store, {
            action: 'session.end',
            actor,
            subject: { kind: 'user', id: actor.userId },
          });
        }
      });
      context.credentialsChanged(actor.userId);
    },

    async changePassword(actor, currentPassword, newPassword) {
      authorize(actor, 'account:secure');
      if (actor.credential.kind !== 'session') {
        throw badInput('authorization', 'is no token of a login here; log in to change the password');
      }
      // A stolen session must not be a place to guess the password at leisure.
      const attempt = await throttle.begin(actor.username, `session ${actor.credential.id}`);
      const { admitted } = await judge(context, attempt, {
        username: actor.username,
        password: currentPassword,
      });
      if (!admitted) throw wrongCredentials();
      attempt.succeed();
      checkReplacement(context, actor.username, { currentPassword, newPassword });
      const passwordHash = await context.credentials.hashPassword(newPassword);
      const login = await context.store.transaction(async store => {
        const change = { passwordHash, mustChangePassword: false };
        const user = await store.members.updateUser(actor.userId, change);
        if (!user) throw wrongCredentials();
        await context.remember(store, {
          action: 'password.change',
          actor,
          subject: { kind: 'user', id: user.id },
        });
        return beginSession(context, store, user, { after: 'password.change' });
      });
      context.credentialsChanged(actor.userId);
      return login;
    },
  };
}

/** The user, when the password is theirs. Everybody else takes as long and learns nothing. */
async function userOfPassword(context: MemberContext, { username, password }: NameAndPassword) {
  const name = parseLoginName(username);
  const found = name === undefined ? undefined : await context.store.members.userByName(name);
  const genuine =
    isPossiblePassword(password) && (await context.credentials.verifyPassword(found?.passwordHash, password));
  // Judged after the hash: a disabled user and a service account must look like a wrong password.
  const admitted = genuine && found && !found.user.disabled && found.user.role !== 'SERVICE';
  return { found, admitted: admitted ? found : undefined };
}

interface NameAndPassword {
  readonly username: string;
  readonly password: string;
}

/** The same for an attempt that is counted; whoever was turned away before the password was looked at has not failed. */
async function judge(context: MemberContext, attempt: LoginAttempt, given: NameAndPassword) {
  try {
    return await userOfPassword(context, given);
  } catch (error) {
    attempt.withdraw();
    throw error;
  }
}

/** Throws BAD_USER_INPUT unless the new password may take the place of the current one. */
function checkReplacement(
  { passwordPolicy }: MemberContext,
  username: string,
  { currentPassword, newPassword }: { readonly currentPassword: string; readonly newPassword: string },
): void {
  const argument = 'newPassword';
  checkNewPassword(passwordPolicy, { password: newPassword, username, argument });
  // Whoever has to change it is not done with the one that somebody else knows.
  if (newPassword.normalize('NFKC') === currentPassword.normalize('NFKC'))
    throw badInput(argument, 'must be another one than the current');
}

/** Writes the session's row and signs its token; the audit entry belongs to the same transaction. */
export async function beginSession(
  context: MemberContext,
  store: Store,
  user: User,
  facts: Record<string, unknown>,
): Promise<Login> {
  const nowMs = context.clock.now();
  const sessionId = newId();
  // Whole seconds, as the token has them.
  const expiresAtMs = Math.floor(nowMs / 1_000) * 1_000 + context.sessionMinutes * 60_000;
  const expiresAt = new Date(expiresAtMs);
  await store.members.createSession({ id: sessionId, userId: user.id, expiresAt });
  await context.remember(store, {
    action: 'session.begin',
    actor: { userId: user.id, username: user.username },
    subject: { kind: 'user', id: user.id },
    data: facts,
  });
  const { id: userId, tokenVersion } = user;
  const token = context.credentials.signSession({ userId, sessionId, tokenVersion, expiresAtMs });
  return { token, expiresAt, user };
}

/** Hashes again when the parameters have been raised. Ends the user's other sessions, as any new hash does. */
async function withFreshHash(
  context: MemberContext,
  found: { user: User; passwordHash: string | undefined },
  password: string,
): Promise<User> {
  if (!found.passwordHash || !context.credentials.needsRehash(found.passwordHash)) return found.user;
  const passwordHash = await context.credentials.hashPassword(password);
  const user = await context.store.members.updateUser(found.user.id, { passwordHash });
  context.credentialsChanged(found.user.id);
  return user ?? found.user;
}

/** Bounds what the throttle remembers; names that nobody can have are told apart all the same. */
function accountKey(username: string): string {
  return parseLoginName(username) ?? createHash('sha256').update(username).digest('base64url');
}

function wrongCredentials(): DomainError {
  return new DomainError('UNAUTHENTICATED', 'The username or the password is wrong.');
}
