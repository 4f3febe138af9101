// Encrypts the keys of stored providers. Each has a data key of its own, which the master key encrypts: a new master key
// means new envelopes, and the keys themselves stay as they are. What is encrypted is bound to its place: moved to another
// provider, another version or another endpoint it does not decrypt.

import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { EncryptedKey } from '../domain/stored-provider.ts';

/** Where a key belongs. */
export interface KeyPlace {
  readonly providerId: string;
  /** Scheme, host and port that the key is sent to. */
  readonly origin: string;
}

export interface MasterKeys {
  /** Of the one that encrypts; undefined: there is none, and no key can be stored. */
  readonly currentId: string | undefined;
  /** Whether what this master key encrypted can be decrypted. */
  knows(masterKeyId: string): boolean;
  /** Throws without a master key. */
  encrypt(key: string, version: number, place: KeyPlace): EncryptedKey;
  /** Throws when its master key is not known, when it was changed, or when this is not its place. */
  decrypt(encrypted: EncryptedKey, place: KeyPlace): string;
  /** The same key, its data key encrypted under the present master key. Throws like `decrypt`. */
  rewrap(encrypted: EncryptedKey, providerId: string): EncryptedKey;
}

interface MasterKey {
  readonly id: string;
  readonly key: Buffer;
}

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const ID_BYTES = 8;

/** From the secrets of the configuration; `previous` only decrypts. */
export function createMasterKeys(current: string | undefined, previous?: string | undefined): MasterKeys {
  const master = current === undefined ? undefined : toMasterKey(current);
  const known = new Map<string, MasterKey>();
  for (const each of [previous === undefined ? undefined : toMasterKey(previous), master])
    if (each) known.set(each.id, each);

  function present(): MasterKey {
    if (!master) throw new Error('There is no master key to encrypt with');
    return master;
  }

  /** To be wiped by the caller. */
  function dataKeyOf({ masterKeyId, version, dataKey }: EncryptedKey, providerId: string): Buffer {
    const its = known.get(masterKeyId);
    if (!its) throw new Error(`The master key ${masterKeyId} is not known`);
    return open(its.key, dataKey, dataKeyContext(its.id, version, providerId));
  }

  function wrap(
    dataKey: Buffer,
    version: number,
    providerId: string,
  ): Pick<EncryptedKey, 'masterKeyId' | 'dataKey'> {
    const { id, key } = present();
    return { masterKeyId: id, dataKey: seal(key, dataKey, dataKeyContext(id, version, providerId)) };
  }

  return {
    currentId: master?.id,
    knows: masterKeyId => known.has(masterKeyId),
    encrypt(key, version, place) {
      const dataKey = randomBytes(KEY_BYTES);
      const wrapped = wrap(dataKey, version, place.providerId);
      const ciphertext = seal(dataKey, Buffer.from(key), keyContext(version, place));
      dataKey.fill(0);
      return { version, ...wrapped, ciphertext };
    },
    decrypt(encrypted, place) {
      const dataKey = dataKeyOf(encrypted, place.providerId);
      try {
        return open(dataKey, encrypted.ciphertext, keyContext(encrypted.version, place)).toString();
      } finally {
        dataKey.fill(0);
      }
    },
    rewrap(encrypted, providerId) {
      const dataKey = dataKeyOf(encrypted, providerId);
      const wrapped = wrap(dataKey, encrypted.version, providerId);
      dataKey.fill(0);
      return { ...encrypted, ...wrapped };
    },
  };
}

/** The secret is a text of any length; what encrypts is derived from it, and so is the id, from which nothing follows. */
function toMasterKey(secret: string): MasterKey {
  const derive = (purpose: string, bytes: number) =>
    Buffer.from(hkdfSync('sha256', secret, '', purpose, bytes));
  return {
    id: derive('mcplane master key id', ID_BYTES).toString('hex'),
    key: derive('mcplane master key', KEY_BYTES),
  };
}

function dataKeyContext(masterKeyId: string, version: number, providerId: string): string {
  return JSON.stringify(['mcplane data key', masterKeyId, providerId, version]);
}

function keyContext(version: number, { providerId, origin }: KeyPlace): string {
  return JSON.stringify(['mcplane provider key', providerId, version, origin]);
}

/** Nonce, tag and ciphertext; `context` is authenticated with it. */
function seal(key: Buffer, plain: Buffer, context: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(context));
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), ciphertext]).toString('base64');
}

function open(key: Buffer, sealed: string, context: string): Buffer {
  const bytes = Buffer.from(sealed, 'base64');
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const tag = bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(tag);
  return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
}
