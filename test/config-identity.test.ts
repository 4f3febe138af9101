// The settings of the identity provider: what they come to, and what is refused before a server starts with it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ConfigError, loadConfig } from '../src/config.ts';

const ISSUER = 'https://login.example.test/realms/work/';
const WHOLE = {
  MCPLANE_OIDC_ISSUER: ISSUER,
  MCPLANE_OIDC_AUDIENCE: 'mcplane',
  MCPLANE_OIDC_ROLES: 'platform-team=ADMIN, cn=staff,ou=x=user',
};

function problemsOf(env: Record<string, string>): string[] {
  try {
    loadConfig(env);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems.map(({ where, problem }) => `${where} ${problem}`);
  }
  return [];
}

test('without an issuer there is none', () => {
  assert.equal(loadConfig({}).config.identityProvider, undefined);
});

test('the issuer stays as it is written, to the last slash, and the rest has its defaults', () => {
  const { config } = loadConfig({ ...WHOLE, MCPLANE_OIDC_ROLES: 'platform-team=ADMIN,staff = user' });

  assert.deepEqual(
    { ...config.identityProvider },
    {
      issuer: ISSUER,
      audiences: ['mcplane'],
      jwksUrl: undefined,
      usernameClaim: 'preferred_username',
      roleClaim: 'roles',
      roles: [
        { value: 'platform-team', role: 'ADMIN' },
        { value: 'staff', role: 'USER' },
      ],
      defaultRole: undefined,
    },
  );
});

test('the file has it as a group, where values may have commas', () => {
  const yaml = `oidc:
  issuer: ${ISSUER}
  audience: [mcplane, mcplane-cli]
  jwksUrl: https://login.example.test/keys
  usernameClaim: email
  roleClaim: groups
  roles: ["cn=staff,ou=people=USER"]
  defaultRole: SERVICE
`;
  const { config } = loadConfig({ MCPLANE_CONFIG: 'mcplane.yaml' }, path =>
    path === 'mcplane.yaml' ? yaml : readFileSync(path, 'utf8'),
  );

  assert.deepEqual(
    { ...config.identityProvider },
    {
      issuer: ISSUER,
      audiences: ['mcplane', 'mcplane-cli'],
      jwksUrl: 'https://login.example.test/keys',
      usernameClaim: 'email',
      roleClaim: 'groups',
      roles: [{ value: 'cn=staff,ou=people', role: 'USER' }],
      defaultRole: 'SERVICE',
    },
  );
});

test('half a configuration, one that lets nobody in, and one that anybody on the way can change are refused', () => {
  assert.deepEqual(problemsOf({ MCPLANE_OIDC_AUDIENCE: 'mcplane' }), [
    'MCPLANE_OIDC_AUDIENCE is set, while MCPLANE_OIDC_ISSUER is not',
  ]);
  assert.deepEqual(problemsOf({ MCPLANE_OIDC_ISSUER: ISSUER }), [
    'MCPLANE_OIDC_AUDIENCE is missing, while MCPLANE_OIDC_ISSUER is set',
    'MCPLANE_OIDC_ROLES is missing, so that everybody would be refused',
  ]);
  const enough = { MCPLANE_OIDC_ISSUER: ISSUER, MCPLANE_OIDC_AUDIENCE: 'mcplane' };
  assert.deepEqual(problemsOf({ ...enough, MCPLANE_OIDC_DEFAULT_ROLE: 'user' }), []);
  const [problem] = problemsOf({ ...enough, MCPLANE_OIDC_ROLES: 'staff=OWNER' });
  assert.match(problem!, /^MCPLANE_OIDC_ROLES must be a list of value=ROLE/);
  const production = {
    ...WHOLE,
    MCPLANE_OIDC_ROLES: 'staff=USER',
    NODE_ENV: 'production',
    DATABASE_URL: 'postgres://db.test/mcplane',
    JWT_SECRET_KEY: 'kP3vQ8zL1mN6xR2tY7wB4cF9hJ5gD0sA',
  };
  assert.deepEqual(problemsOf(production), []);
  const plain = { MCPLANE_OIDC_ISSUER: 'http://idp.test', MCPLANE_OIDC_JWKS_URL: 'http://idp.test/keys' };
  assert.deepEqual(
    problemsOf({ ...production, ...plain }).map(each => each.split(' ')[0]),
    ['MCPLANE_OIDC_ISSUER', 'MCPLANE_OIDC_JWKS_URL'],
  );
});
