// Keeps secrets out of what is printed, and keeps the secrets that development makes for itself.

import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';

export const REDACTED = '[redacted]';

/** The text as it is, or with the password hidden when it is an address that has one. */
export function maskPassword(text: string): string {
  if (!URL.canParse(text)) return text;
  const url = new URL(text);
  if (url.password === '') return text;
  url.password = 'redacted';
  return url.href.replace(':redacted@', `:${REDACTED}@`);
}

/** Freezes the object and all within; printing any of them, by JSON or by inspection, shows no secret. */
export function seal<T extends object>(value: T, secrets: ReadonlySet<string>): T {
  for (const member of Object.values(value))
    if (typeof member === 'object' && member !== null) seal(member, secrets);
  if (!Array.isArray(value)) {
    const shown = () => redact(value, secrets);
    // Not enumerable, so that a copy or a comparison sees only the settings.
    Object.defineProperty(value, 'toJSON', { value: shown });
    Object.defineProperty(value, inspect.custom, { value: shown });
  }
  return Object.freeze(value);
}

function redact(value: unknown, secrets: ReadonlySet<string>): unknown {
  if (typeof value === 'string') return secrets.has(value) ? maskSecret(value) : maskPassword(value);
  if (Array.isArray(value)) return value.map(member => redact(member, secrets));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, redact(member, secrets)]));
}

/** An address of a store stays recognisable; every other secret is hidden whole. */
export function maskSecret(value: string): string {
  if (value === 'memory:') return value;
  return /^(postgres(ql)?|rediss?):\/\//.test(value) ? maskPassword(value) : REDACTED;
}

const SECRET_BYTES = 32;
const SECRET_KEY_FILE = 'secret-key';

/** The secret that signs tokens in development, so that logins survive a restart. */
export function ensureJwtSecret(dataDir: string): string {
  return ensureSecret(join(dataDir, 'jwt-secret'), dataDir);
}

/** The secret that encrypts keys in development. */
export function ensureSecretKey(dataDir: string): string {
  return ensureSecret(join(dataDir, SECRET_KEY_FILE), dataDir);
}

export function hasSecretKey(dataDir: string): boolean {
  return existsSync(join(dataDir, SECRET_KEY_FILE));
}

/** Made at the first start, kept in the data directory and readable by its owner only. */
function ensureSecret(path: string, dataDir: string): string {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  // Written aside and then linked, which fails when the name is taken: of two first starts at once both read the
  // same whole secret.
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, `${randomBytes(SECRET_BYTES).toString('base64url')}\n`, { mode: 0o600 });
  try {
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft);
  }
  const secret = readFileSync(path, 'utf8').trim();
  if (Buffer.byteLength(secret) < SECRET_BYTES)
    throw new Error(
      `${path} does not hold a secret of ${SECRET_BYTES} bytes. Delete it to have a new one made.`,
    );
  return secret;
}
