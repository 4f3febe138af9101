// Reads every setting from the environment, a `<NAME>_FILE`, the configuration file or its default, in this order,
// and remembers where each value came from.

import { type ConfigFile, parseConfigFile, reasonOf } from './file.ts';
import { type ConfigProblem, didYouMean } from './problems.ts';
import { maskPassword, maskSecret } from './secrets.ts';
import { CLIENT_VARIABLES, SETTING_NAMES, SETTINGS, type SettingName, type Values } from './settings.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface SettingSource {
  readonly source: 'environment' | 'file' | 'default';
  /** The variable or the place in the file; undefined for a default. */
  readonly where: string | undefined;
  /** The value for people, secrets hidden. */
  readonly shown: string;
}
export type Sources = Readonly<Record<SettingName, SettingSource>>;

export interface Reading {
  readonly values: Values;
  readonly sources: Sources;
  readonly file: ConfigFile;
  readonly problems: ConfigProblem[];
  /** Everything that must not be printed. */
  readonly secrets: Set<string>;
}

interface Raw {
  readonly value: unknown;
  readonly source: 'environment' | 'file';
  readonly where: string;
}

export function readSettings(env: Environment, readFile: (path: string) => string): Reading {
  const problems = unknownVariables(env);
  const file = readConfigFile(env, readFile, problems);
  const values: Record<string, unknown> = {};
  const sources: Record<string, SettingSource> = {};
  const secrets = new Set<string>();
  for (const name of SETTING_NAMES) {
    const { kind, secret, default: defaultValue } = SETTINGS[name];
    const raw = fromEnvironment(name, env, readFile, problems) ?? fromFile(name, file);
    const parsed = raw && kind.safeParse(raw.value);
    // What is wrong in the file was told with the file.
    if (raw?.source === 'environment' && parsed?.success === false)
      problems.push(wrongValue(name, raw, parsed.error.issues[0]!.message));
    const value = parsed?.success ? parsed.data : defaultValue;
    values[name] = value;
    if (secret && typeof value === 'string') secrets.add(value);
    sources[name] = {
      source: parsed?.success ? raw!.source : 'default',
      where: parsed?.success ? raw!.where : undefined,
      shown: show(value, secret),
    };
  }
  return { values: values as Values, sources: sources as Sources, file, problems, secrets };
}

function readConfigFile(env: Environment, readFile: (path: string) => string, problems: ConfigProblem[]) {
  const name = env.MCPLANE_CONFIG || undefined;
  let text = '';
  try {
    if (name !== undefined) text = readFile(name);
  } catch (error) {
    problems.push({
      where: 'MCPLANE_CONFIG',
      problem: `names ${name}, which cannot be read (${reasonOf(error)})`,
      fix: 'Correct the path, or unset MCPLANE_CONFIG to run without a file.',
    });
  }
  const parsed = parseConfigFile({ name: name ?? 'mcplane.yaml', text, env, readFile });
  problems.push(...parsed.problems);
  return parsed.file;
}

function fromEnvironment(
  name: SettingName,
  env: Environment,
  readFile: (path: string) => string,
  problems: ConfigProblem[],
): Raw | undefined {
  const value = env[name] || undefined;
  const fileName = `${name}_FILE`;
  const path = SETTINGS[name].secret ? env[fileName] || undefined : undefined;
  if (value !== undefined && path !== undefined) {
    const problem = `and ${fileName} are both set`;
    problems.push({ where: name, problem, fix: 'Keep one of them.' });
  }
  if (value !== undefined) return { value, source: 'environment', where: name };
  if (path === undefined) return undefined;
  try {
    return { value: readFile(path), source: 'environment', where: fileName };
  } catch (error) {
    const problem = `names ${path}, which cannot be read (${reasonOf(error)})`;
    problems.push({ where: fileName, problem, fix: 'Create the file, or correct the path.' });
    return undefined;
  }
}

function fromFile(name: SettingName, file: ConfigFile): Raw | undefined {
  const { path } = SETTINGS[name];
  const value = path === undefined ? undefined : file.valueAt(path);
  return value === undefined ? undefined : { value, source: 'file', where: file.locate(path!.split('.')) };
}

function wrongValue(name: SettingName, raw: Raw, message: string): ConfigProblem {
  const { secret, default: defaultValue } = SETTINGS[name];
  // What is no valid address may still hold a password.
  const hidden = secret || String(raw.value).includes('@');
  const not = hidden ? '' : `, not ${JSON.stringify(raw.value)}`;
  const otherwise =
    defaultValue === undefined ? 'leave it unset' : `leave it unset for ${show(defaultValue, secret)}`;
  return { where: raw.where, problem: `${message}${not}`, fix: `Correct it, or ${otherwise}.` };
}

/** A value as people read it. */
export function show(value: unknown, secret = false): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return value.join(',');
  return secret ? maskSecret(String(value)) : maskPassword(String(value));
}

/** Our own prefix is ours alone: what bears it and is not known is a mistake. */
function unknownVariables(env: Environment): ConfigProblem[] {
  const known = SETTING_NAMES.flatMap(name => (SETTINGS[name].secret ? [name, `${name}_FILE`] : [name]));
  const accepted = new Set<string>([...known, ...Object.keys(CLIENT_VARIABLES)]);
  const ours = known.filter(name => name.startsWith('MCPLANE_'));
  return Object.keys(env)
    .filter(name => name.startsWith('MCPLANE_') && env[name] && !accepted.has(name))
    .map(name => ({
      where: name,
      problem: 'is not a setting.',
      fix: didYouMean(name, ours) ?? 'Unset it. `mcplane config show` lists all settings.',
    }));
}
