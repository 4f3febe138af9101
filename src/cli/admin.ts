// `mcplane admin create` and `mcplane migrate`: work on the database itself, without a server.

import { loadConfig, passwordPolicyOf } from '../config.ts';
import type { PasswordPolicy } from '../domain/password-policy.ts';
import { withMembers, withStore } from './local-store.ts';
import {
  CommandError,
  isInteractive,
  note,
  promptLine,
  promptSecret,
  readStdin,
  writeJson,
  writeLine,
} from './terminal.ts';

export async function createAdmin(options: { username?: string; json?: boolean }): Promise<void> {
  const { config } = loadConfig(process.env);
  const username = options.username ?? config.admin?.username ?? (await askUsername());
  const password = config.admin?.password ?? (await askPassword(passwordPolicyOf(config)));
  const user = await withMembers(members => members.createFirstAdmin(username, password));
  if (options.json) writeJson({ id: user.id, username: user.username, role: user.role });
  else note(`Created the administrator ${user.username}.`);
}

function askUsername(): Promise<string> {
  if (!isInteractive()) throw new CommandError('Whom shall it create? Add --username NAME.', 2);
  return promptLine('Username: ');
}

/** Never an argument: those are visible to everybody on the machine. */
async function askPassword({ minLength, maxLength }: PasswordPolicy): Promise<string> {
  if (!process.stdin.isTTY) return readStdin();
  const password = await promptSecret(`Password (${minLength} to ${maxLength} characters): `);
  if ((await promptSecret('The same again: ')) !== password)
    throw new CommandError('The two passwords differ. Nothing was created.');
  return password;
}

export async function migrateStore(options: { json?: boolean }): Promise<void> {
  const { config } = loadConfig(process.env);
  const info = await withStore(config, async store => store.info);
  if (options.json) writeJson(info);
  else writeLine(`The schema is current: ${info.version} at ${info.location}.`);
}
