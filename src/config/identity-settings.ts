// The organisation's identity provider: its settings, and what they come to.

import { ROLES, type Role } from '../domain/access.ts';
import type { IdentityProvider } from '../domain/identity.ts';
import type { ConfigProblem } from './problems.ts';
import type { Reading } from './read.ts';
import { setting } from './setting.ts';
import type { Values } from './settings.ts';
import { choice, exactUrl, httpUrl, list, text } from './values.ts';

export const IDENTITY_SETTINGS = {
  MCPLANE_OIDC_ISSUER: setting(
    'oidc.issuer',
    exactUrl(),
    undefined,
    'Identity provider (OpenID Connect) whose tokens are accepted beside our own, exactly as they have it in `iss`. Unset: none.',
  ),
  MCPLANE_OIDC_AUDIENCE: setting(
    'oidc.audience',
    list('texts', item => item !== ''),
    [],
    'Of its tokens those with one of these in `aud`, separated by commas.',
  ),
  MCPLANE_OIDC_JWKS_URL: setting(
    'oidc.jwksUrl',
    httpUrl(),
    undefined,
    'Where its keys are; unset: where its `/.well-known/openid-configuration` says. Nothing is ever fetched from an address in a token.',
  ),
  MCPLANE_OIDC_USERNAME_CLAIM: setting(
    'oidc.usernameClaim',
    text('the name of a claim'),
    'preferred_username',
    'Claim with the name under which a user is created at the first token; `sub` where a token has none. A name that is taken here is refused.',
  ),
  MCPLANE_OIDC_ROLE_CLAIM: setting(
    'oidc.roleClaim',
    text('the name of a claim'),
    'roles',
    'Claim with the roles or groups of the user, for example `groups` or `realm_access.roles`.',
  ),
  MCPLANE_OIDC_ROLES: setting(
    'oidc.roles',
    list('value=ROLE with the roles ADMIN, USER and SERVICE', item => toMapping(item) !== undefined),
    [],
    'What a value of that claim makes of the user, for example `platform-team=ADMIN,staff=USER`; the first that a token bears counts. The role follows when the claim changes.',
  ),
  MCPLANE_OIDC_DEFAULT_ROLE: setting(
    'oidc.defaultRole',
    choice(['none', 'USER', 'SERVICE']),
    'none',
    'Role of those with no mapped value; `none`: they are refused.',
  ),
} as const;

function toMapping(item: string): { value: string; role: Role } | undefined {
  const at = item.lastIndexOf('=');
  const role = ROLES.find(
    each =>
      each ===
      item
        .slice(at + 1)
        .trim()
        .toUpperCase(),
  );
  return at > 0 && role ? { value: item.slice(0, at).trim(), role } : undefined;
}

export function toIdentityProvider(values: Values): IdentityProvider | undefined {
  const { MCPLANE_OIDC_ISSUER: issuer, MCPLANE_OIDC_DEFAULT_ROLE: defaultRole } = values;
  return issuer === undefined
    ? undefined
    : {
        issuer,
        audiences: [...values.MCPLANE_OIDC_AUDIENCE],
        jwksUrl: values.MCPLANE_OIDC_JWKS_URL,
        usernameClaim: values.MCPLANE_OIDC_USERNAME_CLAIM,
        roleClaim: values.MCPLANE_OIDC_ROLE_CLAIM,
        roles: values.MCPLANE_OIDC_ROLES.map(item => toMapping(item)!),
        defaultRole: defaultRole === 'none' ? undefined : defaultRole,
      };
}

type OidcName = keyof typeof IDENTITY_SETTINGS;

export function checkIdentityProvider({ values, sources }: Reading): ConfigProblem[] {
  const whereOf = (name: OidcName) => sources[name].where ?? name;
  const names = Object.keys(IDENTITY_SETTINGS) as OidcName[];
  if (values.MCPLANE_OIDC_ISSUER === undefined)
    return names
      .filter(name => sources[name].source !== 'default')
      .map(name => ({
        where: whereOf(name),
        problem: 'is set, while MCPLANE_OIDC_ISSUER is not',
        fix: 'Set the issuer too, or unset it.',
      }));
  const problems: ConfigProblem[] = [];
  if (values.MCPLANE_OIDC_AUDIENCE.length === 0)
    problems.push({
      where: 'MCPLANE_OIDC_AUDIENCE',
      problem: 'is missing, while MCPLANE_OIDC_ISSUER is set',
      fix: 'Set it to what the tokens for this server have in `aud`; else those for any other would be accepted.',
    });
  if (values.MCPLANE_OIDC_ROLES.length === 0 && values.MCPLANE_OIDC_DEFAULT_ROLE === 'none')
    problems.push({
      where: 'MCPLANE_OIDC_ROLES',
      problem: 'is missing, so that everybody would be refused',
      fix: 'Set it, for example to platform-team=ADMIN,staff=USER, or set MCPLANE_OIDC_DEFAULT_ROLE.',
    });
  for (const name of ['MCPLANE_OIDC_ISSUER', 'MCPLANE_OIDC_JWKS_URL'] as const)
    if (values.NODE_ENV === 'production' && values[name]?.startsWith('http:'))
      problems.push({
        where: whereOf(name),
        problem: 'does not begin with https://, so that anybody on the way could hand in keys',
        fix: 'Use https; production refuses anything else.',
      });
  return problems;
}
