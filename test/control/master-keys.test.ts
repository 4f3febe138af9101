// Keys of providers at rest: what decrypts them, and everything that must not.

import assert from 'node:assert/strict';
import { createDecipheriv, hkdfSync } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createMasterKeys } from '../../src/control/master-keys.ts';
import type { EncryptedKey } from '../../src/domain/stored-provider.ts';

const SECRET = 'x3Vq8mZt1LrKc0PwYb7NfHs5DgJu9EaQ';
const OTHER_SECRET = 'G7uTz2Wk9QxRb4MnVc1LpYh8Dj6SaFe0';
const KEY = 'sk-plain-4f1d9b';
const PLACE = { providerId: 'vllm', origin: 'https://models.example.com' };
const keys = createMasterKeys(SECRET);
const encrypted = keys.encrypt(KEY, 3, PLACE);

describe('a key', () => {
  test('is what it was after decryption, whatever is in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 1e9 }), (text, version) => {
        assert.equal(keys.decrypt(keys.encrypt(text, version, PLACE), PLACE), text);
      }),
    );
  });

  test('is nowhere in what is stored, and never twice the same', () => {
    const again = keys.encrypt(KEY, 3, PLACE);
    const bytes = [encrypted.dataKey, encrypted.ciphertext].map(text =>
      Buffer.from(text, 'base64').toString('latin1'),
    );
    assert.doesNotMatch(JSON.stringify(encrypted) + bytes.join(''), /plain/);
    assert.notEqual(encrypted.ciphertext, again.ciphertext);
    assert.notEqual(encrypted.dataKey, again.dataKey);
    assert.equal(encrypted.masterKeyId, again.masterKeyId);
  });

  test('is AES-256-GCM under a data key, which is the same under the master key', () => {
    const masterKey = Buffer.from(hkdfSync('sha256', SECRET, '', 'mcplane master key', 32));
    const open = (key: Buffer, sealed: string, context: unknown) => {
      const bytes = Buffer.from(sealed, 'base64');
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12));
      decipher.setAAD(Buffer.from(JSON.stringify(context))).setAuthTag(bytes.subarray(12, 28));
      return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]);
    };
    const dataKey = open(masterKey, encrypted.dataKey, [
      'mcplane data key',
      encrypted.masterKeyId,
      'vllm',
      3,
    ]);
    assert.equal(dataKey.length, 32);
    const context = ['mcplane provider key', 'vllm', 3, 'https://models.example.com'];
    assert.equal(open(dataKey, encrypted.ciphertext, context).toString(), KEY);
  });
});

describe('nothing is decrypted', () => {
  const refused = (change: Partial<EncryptedKey>, place = PLACE, by = keys) =>
    assert.throws(() => by.decrypt({ ...encrypted, ...change }, place));

  test('at another place: of another provider, at another endpoint, as another version', () => {
    refused({}, { ...PLACE, providerId: 'other' });
    refused({}, { ...PLACE, origin: 'https://models.example.net' });
    refused({}, { ...PLACE, origin: 'http://models.example.com' });
    refused({ version: 4 });
  });

  test('that was put together from two', () => {
    const of = { ...PLACE, providerId: 'other' };
    const other = keys.encrypt('sk-other', 3, of);
    refused({ ciphertext: other.ciphertext });
    refused({ dataKey: other.dataKey });
    refused({ dataKey: other.dataKey, ciphertext: other.ciphertext });
    assert.equal(keys.decrypt(other, of), 'sk-other');
  });

  test('that was changed in a single bit, or cut', () => {
    for (const part of ['dataKey', 'ciphertext'] as const) {
      const bytes = Buffer.from(encrypted[part], 'base64');
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const changed = Buffer.from(bytes);
        changed[bit >> 3]! ^= 1 << (bit & 7);
        refused({ [part]: changed.toString('base64') });
      }
      for (let length = 0; length < bytes.length; length++)
        refused({ [part]: bytes.subarray(0, length).toString('base64') });
    }
  });

  test('by another master key, or by none', () => {
    refused({}, PLACE, createMasterKeys(OTHER_SECRET));
    refused(
      { masterKeyId: createMasterKeys(OTHER_SECRET).currentId! },
      PLACE,
      createMasterKeys(OTHER_SECRET),
    );
    refused({}, PLACE, createMasterKeys(undefined));
    assert.throws(() => createMasterKeys(undefined).encrypt(KEY, 1, PLACE), /no master key/);
  });
});

describe('a new master key', () => {
  const rotating = createMasterKeys(OTHER_SECRET, SECRET);

  test('encrypts, while the previous one still decrypts', () => {
    assert.equal(rotating.decrypt(encrypted, PLACE), KEY);
    assert.deepEqual(
      [keys.currentId!, rotating.currentId!].map(id => rotating.knows(id)),
      [true, true],
    );
    assert.equal(rotating.encrypt(KEY, 1, PLACE).masterKeyId, rotating.currentId);
  });

  test('takes over a key by a new envelope alone', () => {
    const rewrapped = rotating.rewrap(encrypted, 'vllm');
    const alone = createMasterKeys(OTHER_SECRET);

    assert.equal(rewrapped.ciphertext, encrypted.ciphertext);
    assert.notEqual(rewrapped.dataKey, encrypted.dataKey);
    assert.equal(alone.decrypt(rewrapped, PLACE), KEY);
    assert.equal(alone.knows(encrypted.masterKeyId), false);
    assert.throws(() => keys.decrypt(rewrapped, PLACE));
    assert.throws(() => rotating.rewrap(encrypted, 'other'));
  });
});
