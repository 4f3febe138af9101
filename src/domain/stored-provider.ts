// A provider that administrators made through the API, as the database keeps it.

import type { ProviderKind } from './model.ts';

export interface StoredProvider {
  readonly id: string;
  readonly kind: ProviderKind;
  /** Absent: the official endpoint. */
  readonly baseUrl: string | undefined;
  /** Models, deadlines and the like, in the words of the configuration file; checked anew when they are read. */
  readonly settings: unknown;
  /** Another one after each change of what it does. Not after its key was encrypted anew. */
  readonly revision: string;
  /** How many keys it has had: no two have the same version. */
  readonly keyVersion: number;
  readonly key: EncryptedKey | undefined;
}

/** A provider's key under a data key of its own, and that one under the master key. Texts are in base64. */
export interface EncryptedKey {
  readonly version: number;
  /** Tells master keys apart and nothing of what they are. */
  readonly masterKeyId: string;
  readonly dataKey: string;
  readonly ciphertext: string;
}
