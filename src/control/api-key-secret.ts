// The form of API keys: `mcplane_<8 id>_<43 secret><6 checksum>`, all base62. The id finds the row and may be shown;
// of the rest only a hash is kept. The checksum lets leak scanners and us tell a key from noise without the database.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const FORM = /^(mcplane_[0-9A-Za-z]{8})_[0-9A-Za-z]{49}$/;
const CHECKSUM_LENGTH = 6;
/** The start by which keys are told from session tokens. */
export const API_KEY_START = 'mcplane_';

/** A new key with 256 random bits; `prefix` is its public part. */
export function createApiKeySecret(): { secret: string; prefix: string; hash: string } {
  const prefix = `${API_KEY_START}${toBase62(randomBytes(6), 8).slice(-8)}`;
  const body = `${prefix}_${toBase62(randomBytes(32), 43)}`;
  const secret = body + checksum(body);
  return { secret, prefix, hash: hashSecret(secret) };
}

/** The public part of a well-formed key, or undefined. */
export function prefixOfSecret(secret: string): string | undefined {
  const prefix = FORM.exec(secret)?.[1];
  const body = secret.slice(0, -CHECKSUM_LENGTH);
  return prefix && secret.endsWith(checksum(body)) ? prefix : undefined;
}

/** A fast hash is enough where the secret has 256 random bits: there is nothing to guess from. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Compares in a time that does not depend on where the two differ. */
export function matchesHash(secret: string, hash: string): boolean {
  const expected = Buffer.from(hash, 'hex');
  const actual = Buffer.from(hashSecret(secret), 'hex');
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

function checksum(text: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(text));
  return toBase62(bytes, CHECKSUM_LENGTH);
}

function toBase62(bytes: Buffer, length: number): string {
  let rest = BigInt(`0x${bytes.toString('hex')}`);
  let digits = '';
  for (; rest > 0n; rest /= 62n) digits = DIGITS[Number(rest % 62n)] + digits;
  return digits.padStart(length, '0');
}
