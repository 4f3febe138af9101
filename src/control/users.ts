// Users: who they are, what they may do, and that somebody always can administer.

import { type Actor, authorize } from '../domain/access.ts';
import { badInput, DomainError } from '../domain/errors.ts';
import { newId } from '../domain/ids.ts';
import type { User } from '../domain/member.ts';
import type { Store } from '../store/store.ts';
import type { MemberContext } from './member-context.ts';
import type { Members } from './members.ts';
import { checkNewPassword, parseUsername } from './names-and-passwords.ts';
import { authorizeFor } from './own-account.ts';

type Users = Pick<Members, 'createUser' | 'updateUser' | 'viewer' | 'users' | 'usersByIds' | 'auditEventsOf'>;
type Change = Parameters<Members['updateUser']>[2];

export function createUsers(context: MemberContext): Users {
  return {
    async createUser(actor, { username, role, password, mustChangePassword }) {
      authorize(actor, 'member:manage');
      const name = parseUsername(username);
      const passwordHash = await hashOf(context, role === 'SERVICE', name, password);
      return context.store.transaction(store =>
        insertUser(context, store, { username: name, role, passwordHash, mustChangePassword, actor }),
      );
    },

    async updateUser(actor, userId, change) {
      authorize(actor, 'member:manage');
      const { role, disabled, password } = change;
      if (role === undefined && disabled === undefined && password === undefined)
        throw badInput('input', 'changes nothing');
      const before = await userOrNotFound(context.store, userId);
      const passwordHash =
        password === undefined
          ? undefined
          : await hashOf(context, (role ?? before.role) === 'SERVICE', before.username, password);
      const user = await context.store.transaction(store =>
        writeUser(context, store, { actor, userId, change, passwordHash }),
      );
      context.credentialsChanged(userId);
      return user;
    },

    async viewer(actor) {
      const [user] = await context.store.members.usersByIds([actor.userId]);
      if (!user) throw new DomainError('UNAUTHENTICATED', 'The user of this credential no longer exists.');
      return user;
    },

    async users(actor, query) {
      authorize(actor, 'member:manage');
      return context.store.members.usersPage(query);
    },

    usersByIds: ids => context.store.members.usersByIds(ids),

    async auditEventsOf(actor, userId, query) {
      authorizeFor(actor, userId);
      return context.store.audit.page({ aboutUserId: userId }, query);
    },
  };
}

interface NewUser {
  readonly username: string;
  readonly role: User['role'];
  readonly passwordHash: string | undefined;
  readonly mustChangePassword?: boolean | undefined;
  /** Undefined: users who make themselves. */
  readonly actor: Actor | undefined;
  readonly reason?: string | undefined;
  /** Of a user whom the identity provider vouches for. */
  readonly source?: object | undefined;
}

/** Inserts the user and its audit entry. CONFLICT when the name is taken. */
export async function insertUser(
  context: Pick<MemberContext, 'clock' | 'remember'>,
  store: Store,
  input: NewUser,
): Promise<User> {
  const { username, role, passwordHash, mustChangePassword = false, actor, reason, source } = input;
  const createdAt = new Date(context.clock.now());
  const facts = { username, role, disabled: false, mustChangePassword, createdAt };
  const user: User = { id: newId(), ...facts, tokenVersion: 1 };
  if (!(await store.members.createUser(user, passwordHash))) {
    throw new DomainError('CONFLICT', 'A user of that name exists.');
  }
  await context.remember(store, {
    action: 'user.create',
    actor: actor ?? { userId: user.id, username },
    subject: { kind: 'user', id: user.id },
    reason,
    data: { username, role, ...source },
  });
  return user;
}

async function hashOf(
  context: MemberContext,
  isService: boolean,
  username: string,
  password: string | undefined,
): Promise<string | undefined> {
  if (isService) {
    if (password !== undefined) throw badInput('password', 'is not for service accounts, which use API keys');
    return undefined;
  }
  if (password === undefined) throw badInput('password', 'is required');
  checkNewPassword(context.passwordPolicy, { password, username });
  return context.credentials.hashPassword(password);
}

async function writeUser(
  context: MemberContext,
  store: Store,
  input: { actor: Actor; userId: string; change: Change; passwordHash: string | undefined },
): Promise<User> {
  const { actor, userId, change, passwordHash } = input;
  // Counted before the user is read: where the count locks the admins' rows, what is read next is the truth.
  const admins = await store.members.countAdmins();
  const before = await userOrNotFound(store, userId);
  if (before.deletedAt) throw new DomainError('CONFLICT', 'The user is deleted.');
  const staysAdmin = (change.role ?? before.role) === 'ADMIN' && !(change.disabled ?? before.disabled);
  if (!staysAdmin) refuseLastAdmin(before, admins);
  const { role, disabled, mustChangePassword = true } = change;
  const user = await store.members.updateUser(userId, {
    ...(role !== undefined && { role }),
    ...(disabled !== undefined && { disabled }),
    ...(passwordHash !== undefined && { passwordHash, mustChangePassword }),
  });
  if (!user) throw userNotFound();
  await context.remember(store, {
    action: 'user.update',
    actor,
    subject: { kind: 'user', id: userId },
    data: {
      before: { role: before.role, disabled: before.disabled },
      after: { role: user.role, disabled: user.disabled },
      passwordChanged: passwordHash !== undefined,
    },
  });
  return user;
}

/** `admins`: how many are enabled, counted in the same transaction. */
export function refuseLastAdmin({ role, disabled }: User, admins: number): void {
  if (role === 'ADMIN' && !disabled && admins <= 1)
    throw new DomainError('CONFLICT', 'This is the last enabled admin. Make another one first.');
}

export async function userOrNotFound(store: Store, userId: string): Promise<User> {
  const [user] = await store.members.usersByIds([userId]);
  if (!user) throw userNotFound();
  return user;
}

function userNotFound(): DomainError {
  return new DomainError('NOT_FOUND', 'There is no user with that id.');
}
