// The first admin: from the environment or the command line, or through a link that works once. Never a default
// password, and never "whoever comes first".

import { randomBytes } from 'node:crypto';
import { DomainError } from '../domain/errors.ts';
import type { User } from '../domain/member.ts';
import type { Store } from '../store/store.ts';
import { hashSecret } from './api-key-secret.ts';
import type { MemberContext } from './member-context.ts';
import type { Members } from './members.ts';
import { checkNewPassword, parseUsername } from './names-and-passwords.ts';
import { beginSession } from './sessions.ts';
import { insertUser } from './users.ts';

type Setup = Pick<Members, 'hasAdmin' | 'createFirstAdmin' | 'createSetupToken' | 'setup'>;

const SETUP_TOKEN_MS = 60 * 60_000;

export function createSetup(context: MemberContext): Setup {
  const { store, credentials, clock } = context;

  async function hasAdmin(): Promise<boolean> {
    return (await store.members.countAdmins()) > 0;
  }

  return {
    hasAdmin,

    async createFirstAdmin(username, password) {
      const name = parseUsername(username);
      checkNewPassword(context.passwordPolicy, { password, username: name });
      const passwordHash = await credentials.hashPassword(password);
      return store.transaction(async inside => {
        if ((await inside.members.countAdmins()) > 0) throw new DomainError('CONFLICT', 'An admin exists.');
        return insertAdmin(context, inside, name, passwordHash);
      });
    },

    async createSetupToken() {
      if (await hasAdmin()) return undefined;
      const token = randomBytes(32).toString('base64url');
      await store.members.saveSetupToken(hashSecret(token), new Date(clock.now() + SETUP_TOKEN_MS));
      return token;
    },

    async setup(token, username, password) {
      // Bad input must not spend the token.
      const name = parseUsername(username);
      checkNewPassword(context.passwordPolicy, { password, username: name });
      return store.transaction(async inside => {
        if (!(await inside.members.consumeSetupToken(hashSecret(token)))) {
          throw new DomainError('UNAUTHENTICATED', 'The setup token is not valid (any more).');
        }
        // Inside, although it takes 50 ms: only the holder of the token may make us compute a hash.
        const passwordHash = await credentials.hashPassword(password);
        const user = await insertAdmin(context, inside, name, passwordHash);
        return beginSession(context, inside, user, { after: 'setup' });
      });
    },
  };
}

function insertAdmin(
  context: MemberContext,
  store: Store,
  username: string,
  passwordHash: string,
): Promise<User> {
  return insertUser(context, store, {
    username,
    role: 'ADMIN',
    passwordHash,
    actor: undefined,
    reason: 'first admin',
  });
}
