// The check of an identity provider's tokens, with a real provider behind it and the clock in the test's hand.

import type { TestContext } from 'node:test';
import { createIdentityKeys } from '../../src/control/identity-keys.ts';
import { createIdentityTokens } from '../../src/control/identity-tokens.ts';
import type { IdentityProvider } from '../../src/domain/identity.ts';
import { createTestClock } from '../support/clock.ts';
import { providerOf, startIdentityProvider } from '../support/identity-provider.ts';

export async function startTokens(t: TestContext, change: Partial<IdentityProvider> = {}) {
  const idp = await startIdentityProvider(t);
  const clock = createTestClock(Math.floor(Date.now() / 1_000) * 1_000);
  const provider = { ...providerOf(idp), ...change };
  const keys = createIdentityKeys({ provider, clock });
  const { verify } = createIdentityTokens({ provider, keys, clock });
  const token = (claims: object = {}, options: object = {}) =>
    idp.token(claims, { nowMs: clock.now(), ...options });
  return { idp, clock, verify, token };
}
