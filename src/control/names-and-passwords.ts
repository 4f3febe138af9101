// What may be a username and what may be a password. Pure rules; nothing here knows who exists.

import { badInput } from '../domain/errors.ts';
import { PASSWORD_POLICY_BOUNDS, type PasswordPolicy } from '../domain/password-policy.ts';

const MAX_NAME_LENGTH = 64;
/** Letters, marks, digits, punctuation and symbols: whatever leaves ink, and no spaces. */
const VISIBLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]+$/u;
/** Characters of those classes that leave none all the same: fillers, joiners, variation selectors, the empty braille cell. */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\u2800]/u;

/** The name as it is stored: trimmed, NFKC, letter case folded. Throws BAD_USER_INPUT when it cannot be one. */
export function parseUsername(typed: string): string {
  const name = foldName(typed);
  if (name === undefined) {
    throw badInput('username', `must be 1 to ${MAX_NAME_LENGTH} visible characters without spaces`);
  }
  return name;
}

/**
 * The stored name that a name typed at login means, or undefined when it means none. Letter case is forgiven; padding
 * and look-alikes (full-width letters, ligatures) are not.
 */
export function parseLoginName(typed: string): string | undefined {
  if (typed.length > 4 * MAX_NAME_LENGTH || typed.normalize('NFC') !== typed.normalize('NFKC'))
    return undefined;
  return typed.trim() === typed ? foldName(typed) : undefined;
}

function foldName(typed: string): string | undefined {
  if (typed.length > 4 * MAX_NAME_LENGTH || !typed.isWellFormed()) return undefined;
  // Up and down again, as the two forms of a sigma or a sharp s meet only in upper case; down before that, as the
  // capital sharp s is a letter of its own there.
  const name = typed.trim().normalize('NFKC').toLowerCase().toUpperCase().toLowerCase().normalize('NFKC');
  return VISIBLE.test(name) && !INVISIBLE.test(name) && [...name].length <= MAX_NAME_LENGTH
    ? name
    : undefined;
}

/** Can it be anybody's password, under whatever policy it was chosen? What cannot is not worth a hash. */
export function isPossiblePassword(password: string): boolean {
  const { minLength, maxLength } = PASSWORD_POLICY_BOUNDS;
  return isWithin({ minLength: minLength[0], maxLength: maxLength[1] }, password);
}

interface NewPassword {
  readonly password: string;
  readonly username: string;
  /** As the message is to name it. */
  readonly argument?: string;
}

/** Throws BAD_USER_INPUT unless it may become the password of that user. */
export function checkNewPassword(
  policy: PasswordPolicy,
  { password, username, argument = 'password' }: NewPassword,
): void {
  if (!isWithin(policy, password)) {
    throw badInput(argument, `must be ${policy.minLength} to ${policy.maxLength} characters`);
  }
  const folded = password.normalize('NFKC').toLowerCase();
  const stem = folded.replace(/[\d\W_]+$/, '');
  const name = username.toLowerCase();
  if (folded === name || stem === name) throw badInput(argument, 'must not be the username');
  if (new Set(folded).size < 3 || COMMON.has(folded) || COMMON.has(stem)) {
    throw badInput(argument, 'is one of the commonest passwords');
  }
}

function isWithin({ minLength, maxLength }: PasswordPolicy, password: string): boolean {
  if (password.length > 2 * maxLength || !password.isWellFormed()) return false;
  const { length } = [...password];
  return length >= minLength && length <= maxLength;
}

/** Refused as they stand and with digits or signs after them: `admin123`, `Password2026!`. */
const COMMON = new Set(
  `0123456789 0987654321 11223344 12345678 123456789 1234567890 12341234 123123123 147258369 1q2w3e4r 1q2w3e4r5t
  1qaz2wsx 87654321 987654321 a1b2c3d4 aa123456 abc abcd abcdefg abcdefgh access admin admin123 administrator alexander
  asdf asdfasdf asdfgh asdfghjk asdfghjkl baseball batman benutzer changeit changeme charlie chelsea computer corvette
  default demo dragon einstein football geheim guest hallo hello iloveyou internet jennifer jordan kennwort letmein
  liverpool login mcplane master maverick mercedes michael michelle mustang ninja p@ssw0rd p@ssword pa55w0rd pass
  passw0rd passwd password passwort princess private q1w2e3r4 qazwsx qazwsxedc qwer qwerasdf qwert qwerty qwertyui
  qwertyuiop qwertz root samantha secret security server shadow starwars steelers sunshine superman superuser system
  temp test testtest trustno toor user username victoria welcome whatever willkommen zaq12wsx zxcvbnm`.split(
    /\s+/,
  ),
);
