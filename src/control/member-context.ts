// What the parts of member control share: the store they write to, how a change is remembered, and how it is told to
// those who watch credentials.

import { type Act, auditEvent } from '../domain/audit.ts';
import { type IdKind, toGlobalId } from '../domain/ids.ts';
import { DEFAULT_PASSWORD_POLICY, type PasswordPolicy } from '../domain/password-policy.ts';
import type { Clock } from '../lib/clock.ts';
import type { LoginThrottle } from '../limits/login-throttle.ts';
import type { Store } from '../store/store.ts';
import { type CredentialCheck, createCredentialCheck, type WarningLog } from './credential-check.ts';
import { type CredentialWatch, createCredentialWatch } from './credential-watch.ts';
import type { Credentials } from './credentials.ts';
import { createIdentities } from './identities.ts';
import type { IdentityTokens } from './identity-tokens.ts';

export interface MembersDeps {
  readonly store: Store;
  readonly credentials: Credentials;
  /** Absent: there is no identity provider. */
  readonly identityTokens?: IdentityTokens | undefined;
  readonly clock: Clock;
  /** How long a login lasts. */
  readonly sessionMinutes: number;
  /** Of new passwords; absent: the usual one. */
  readonly passwordPolicy?: PasswordPolicy | undefined;
  /** Absent: one of this process alone, with the usual limits. */
  readonly throttle?: LoginThrottle | undefined;
  /** Somebody's credentials were changed here: for the other instances to be told. */
  readonly onCredentialsChanged?: (() => void) | undefined;
  /** Cancels what a user has under way and deletes what they said; absent: nothing was. */
  readonly deleteContentOf?: ((userId: string) => Promise<void>) | undefined;
  readonly log?: WarningLog | undefined;
}

/** An act on something of which the id as we know it is at hand. */
export interface MemberAct extends Omit<Act, 'subject'> {
  readonly subject?: { readonly kind: IdKind; readonly id: string } | undefined;
}

export interface MemberContext extends MembersDeps {
  readonly passwordPolicy: PasswordPolicy;
  readonly check: CredentialCheck;
  readonly watch: CredentialWatch;
  /** Writes the audit entry of an act; inside a transaction, `store` is the transaction's. */
  remember(store: Store, act: MemberAct): Promise<void>;
  /** To be called after the commit of any change to what a user may do. */
  credentialsChanged(userId: string): void;
}

export function createMemberContext(deps: MembersDeps): MemberContext {
  const { identityTokens: tokens } = deps;
  const identities =
    tokens &&
    createIdentities({
      ...deps,
      tokens,
      remember: (store, act) => context.remember(store, act),
      credentialsChanged: userId => context.credentialsChanged(userId),
    });
  const check = createCredentialCheck({ ...deps, identities });
  const watch = createCredentialWatch({ check, clock: deps.clock, log: deps.log });
  const context: MemberContext = {
    ...deps,
    passwordPolicy: deps.passwordPolicy ?? DEFAULT_PASSWORD_POLICY,
    check,
    watch,
    async remember(store, { subject, ...act }) {
      const globalId = subject && toGlobalId(subject.kind, subject.id);
      await store.audit.append(auditEvent({ ...act, subject: globalId }, deps.clock.now()));
    },
    credentialsChanged(userId) {
      check.forget(userId);
      watch.changed(userId);
      deps.onCredentialsChanged?.();
    },
  };
  return context;
}
