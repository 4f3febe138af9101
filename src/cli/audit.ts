// `mcplane audit verify`: recomputes the chain of the audit log, on the database itself.

import { loadConfig } from '../config.ts';
import { type ChainLink, verifyChain } from '../domain/audit-chain.ts';
import { withStore } from './local-store.ts';
import { CommandError, writeJson, writeLine } from './terminal.ts';

export async function verifyAudit(options: { anchor?: string; json?: boolean }): Promise<void> {
  const anchor = options.anchor === undefined ? undefined : parseAnchor(options.anchor);
  const { config } = loadConfig(process.env);
  const verification = await withStore(config, async ({ audit }) =>
    verifyChain({ storedHead: await audit.head(), entries: audit.chain(), anchor }),
  );
  const { entries, head, defect } = verification;
  if (options.json) writeJson({ sound: defect === undefined, entries, head, ...(defect && { defect }) });
  else if (!defect)
    writeLine(`The audit log is sound up to entry ${entries}. Anchor: ${head.sequence}:${head.hash}`);
  if (defect)
    throw new CommandError(
      options.json ? '' : `${defect} It is sound up to entry ${entries} (${head.sequence}:${head.hash}).`,
    );
}

function parseAnchor(text: string): ChainLink {
  const [, sequence, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text.trim()) ?? [];
  if (!sequence || !hash)
    throw new CommandError('An anchor is SEQUENCE:HASH, as `mcplane audit verify` prints it.', 2);
  return { sequence: Number(sequence), hash };
}
