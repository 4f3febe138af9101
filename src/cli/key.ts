// `mcplane key create`: an API key for the caller, from a running server.

import type { ApiKeyScope } from '../domain/access.ts';
import { connect } from './connect.ts';
import { note, writeJson, writeLine } from './terminal.ts';

const DAY_MS = 86_400_000;

export async function createKey(
  name: string,
  options: { url?: string; days?: number; scope?: readonly ApiKeyScope[]; json?: boolean },
): Promise<void> {
  const client = await connect(process.env, options.url);
  try {
    const expiresAt =
      options.days === undefined ? undefined : new Date(Date.now() + options.days * DAY_MS).toISOString();
    const input = {
      name,
      ...(expiresAt !== undefined && { expiresAt }),
      ...(options.scope && { scopes: [...options.scope] }),
    };
    const { createApiKey } = await client.createApiKey({ input });
    if (options.json) return writeJson(createApiKey);
    writeLine(createApiKey.secret);
    note('Keep it: it is shown this once. Use it as MCPLANE_API_KEY, or as `Authorization: Bearer …`.');
  } finally {
    await client.dispose();
  }
}
