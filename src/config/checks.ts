// What one setting alone cannot tell: rules between settings, and what production refuses.

import type { ProviderSettings } from '../control/catalog.ts';
import { weakSecretReason } from '../control/secret-strength.ts';
import { breakerRulesOf, contradictionIn, toBreakerRules } from './breaker-settings.ts';
import { checkIdentityProvider } from './identity-settings.ts';
import type { ConfigProblem } from './problems.ts';
import type { Reading } from './read.ts';
import { SETTING_NAMES, SETTINGS } from './settings.ts';

export function checkSettings(reading: Reading): ConfigProblem[] {
  const production = reading.values.NODE_ENV === 'production';
  return [
    ...checkJwtSecret(reading, production),
    ...checkSecretKey(reading, production),
    ...checkPreviousJwtSecret(reading),
    ...checkAdmin(reading),
    ...checkWorkers(reading),
    ...checkIdentityProvider(reading),
    ...(production ? [...checkDatabase(reading), ...checkLiterals(reading)] : []),
  ];
}

function checkJwtSecret({ values, sources }: Reading, production: boolean): ConfigProblem[] {
  const secret = values.JWT_SECRET_KEY;
  const where = sources.JWT_SECRET_KEY.where ?? 'JWT_SECRET_KEY';
  const fix = 'Set it to a random secret, for example the output of `openssl rand -base64 48`.';
  if (secret === undefined)
    return production ? [{ where, problem: 'is missing, and production generates none', fix }] : [];
  const problem = weakSecretReason(secret);
  return problem === undefined ? [] : [{ where, problem, fix }];
}

function checkSecretKey({ values, sources }: Reading, production: boolean): ConfigProblem[] {
  const { MCPLANE_SECRET_KEY: secret, MCPLANE_SECRET_KEY_PREVIOUS: previous } = values;
  const where = sources.MCPLANE_SECRET_KEY.where ?? 'MCPLANE_SECRET_KEY';
  if (secret === undefined && previous !== undefined) {
    const problem = 'is missing, while MCPLANE_SECRET_KEY_PREVIOUS is set';
    return [{ where, problem, fix: 'Set it to the new secret, or leave both unset.' }];
  }
  const problem = secret !== undefined && production ? weakSecretReason(secret) : undefined;
  const fix = 'Set it to a random secret, for example the output of `openssl rand -base64 32`.';
  return problem === undefined ? [] : [{ where, problem, fix }];
}

function checkPreviousJwtSecret({ values, sources }: Reading): ConfigProblem[] {
  const secret = values.JWT_SECRET_KEY_PREVIOUS;
  if (secret === undefined) return [];
  const where = sources.JWT_SECRET_KEY_PREVIOUS.where ?? 'JWT_SECRET_KEY_PREVIOUS';
  if (secret === values.JWT_SECRET_KEY)
    return [
      { where, problem: 'is the same as JWT_SECRET_KEY', fix: 'Unset it, or set the other of the two.' },
    ];
  const problem = weakSecretReason(secret);
  const fix = 'Unset it: whoever guesses it can sign tokens, also when it is no longer the one in use.';
  return problem === undefined ? [] : [{ where, problem, fix }];
}

function checkAdmin({ values }: Reading): ConfigProblem[] {
  const { MCPLANE_ADMIN_USERNAME: username, MCPLANE_ADMIN_PASSWORD: password } = values;
  if (username === undefined && password === undefined) return [];
  if (username === undefined)
    return [
      {
        where: 'MCPLANE_ADMIN_USERNAME',
        problem: 'is missing, while MCPLANE_ADMIN_PASSWORD is set',
        fix: 'Set both.',
      },
    ];
  if (password === undefined)
    return [
      {
        where: 'MCPLANE_ADMIN_PASSWORD',
        problem: 'is missing, while MCPLANE_ADMIN_USERNAME is set',
        fix: 'Set it, or MCPLANE_ADMIN_PASSWORD_FILE.',
      },
    ];
  const { MCPLANE_PASSWORD_MIN_LENGTH: least, MCPLANE_PASSWORD_MAX_LENGTH: most } = values;
  const { length } = [...password];
  if (length >= least && length <= most) return [];
  const problem = `must have ${least} to ${most} characters`;
  return [{ where: 'MCPLANE_ADMIN_PASSWORD', problem, fix: 'Choose another password.' }];
}

/** `auto` too, although it may come to one: the same settings must not start on one machine and fail on another. */
function checkWorkers({ values, sources }: Reading): ConfigProblem[] {
  if (values.MCPLANE_WORKERS === 1 || values.DATABASE_URL?.startsWith('postgres')) return [];
  const where = sources.MCPLANE_WORKERS.where ?? 'MCPLANE_WORKERS';
  const problem = `is ${values.MCPLANE_WORKERS}, but only one process can have an embedded database`;
  return [{ where, problem, fix: 'Set DATABASE_URL to postgres://…, or leave MCPLANE_WORKERS at 1.' }];
}

function checkDatabase({ values }: Reading): ConfigProblem[] {
  if (values.MCPLANE_ALLOW_EMBEDDED || values.DATABASE_URL?.startsWith('postgres')) return [];
  const problem =
    values.DATABASE_URL === undefined ? 'is missing in production' : 'is an embedded database in production';
  const fix =
    'Set it to postgres://…, or set MCPLANE_ALLOW_EMBEDDED=true to accept that the embedded database ' +
    'survives a crash, but not a power cut.';
  return [{ where: 'DATABASE_URL', problem, fix }];
}

/** Rules of breakers that contradict each other: those of all, of a provider, of a deployment. */
export function checkBreakers(
  { values, sources, file }: Reading,
  providers: readonly ProviderSettings[],
): ConfigProblem[] {
  const forAll = toBreakerRules(values);
  const rulesOf = breakerRulesOf(forAll, providers);
  const inFile = (path: readonly PropertyKey[]) => `${file.locate(path)} (${path.join('.')})`;
  const check = (where: string, problem: string | undefined): ConfigProblem[] =>
    problem ? [{ where, problem: `contradicts itself: ${problem}`, fix: 'Change one of the two.' }] : [];
  const whole = check(
    sources.MCPLANE_BREAKER_OPEN_FOR_MS.where ?? 'routing.breaker',
    contradictionIn(forAll),
  );
  if (whole.length > 0) return whole;
  return providers.flatMap(({ id, breaker, models }) => {
    const index = file.providers.findIndex(entry => (entry.id ?? entry.kind) === id);
    const own = check(inFile(['providers', index, 'breaker']), breaker && contradictionIn(rulesOf(`${id}/`)));
    if (own.length > 0) return own;
    return models.flatMap(({ model, breaker: rules }) => {
      const deploymentId = `${id}/${model}`;
      const at = file.models[deploymentId]?.breaker
        ? ['models', deploymentId, 'breaker']
        : ['providers', index, 'models'];
      return check(inFile(at), rules && contradictionIn(rulesOf(deploymentId)));
    });
  });
}

/** Secrets that stand in the file as they are. */
function checkLiterals({ file, values, sources }: Reading): ConfigProblem[] {
  const places = file.providers
    .map((provider, index) => ({ value: provider.apiKey, path: ['providers', index, 'apiKey'] as const }))
    .filter(({ value }) => value !== undefined)
    .map(({ path }) => path as readonly PropertyKey[]);
  for (const name of SETTING_NAMES) {
    const { path, secret } = SETTINGS[name];
    if (secret && path !== undefined && sources[name].source === 'file' && bearsSecret(String(values[name])))
      places.push(path.split('.'));
  }
  return places
    .filter(path => file.isLiteral(path))
    .map(path => ({
      where: `${file.locate(path)} (${path.join('.')})`,
      problem: 'is a secret in plain text, which production refuses',
      fix: `Write \${env:NAME} or \${file:/path} instead.`,
    }));
}

/** An address without a password is no secret. */
function bearsSecret(value: string): boolean {
  return value !== 'memory:' && !(URL.canParse(value) && new URL(value).password === '');
}

/** `auto` means: only while nothing else was asked for, and never silently in production. */
export function isSimulated({ values }: Reading, providers: readonly ProviderSettings[]): boolean {
  if (values.MCPLANE_SIMULATED !== 'auto') return values.MCPLANE_SIMULATED === 'on';
  return values.NODE_ENV !== 'production' && !providers.some(provider => provider.explicit);
}
