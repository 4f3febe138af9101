// Settings of what is kept of what was said in requests, and for how long.

import type { z } from 'zod';
import { REDACTION_KINDS, type RedactionKind } from '../domain/redaction.ts';
import { setting } from './setting.ts';
import { integer, list } from './values.ts';

/** A hundred years. */
const MAX_DAYS = 36_500;

export const PRIVACY_SETTINGS = {
  MCPLANE_CONTENT_RETENTION_DAYS: setting(
    'privacy.contentRetentionDays',
    integer(0, MAX_DAYS),
    30,
    'How long prompts, answers and metadata are kept after the end of a model request, in days; 0: for a minute, in which the answer can still be read. Figures, attempts and routing stay.',
  ),
  MCPLANE_REDACT: setting(
    'privacy.redact',
    list(`any of ${REDACTION_KINDS.join(', ')}`, isKind) as z.ZodType<readonly RedactionKind[]>,
    [],
    'Personal data of these common forms is replaced by what it was, such as `[EMAIL]`: in prompts, messages, system texts, metadata and workflows before they are stored or sent anywhere, in answers before they are stored. Any of `email`, `phone`, `card`, `iban`, `ip`, separated by commas.',
  ),
} as const;

function isKind(name: string): boolean {
  return REDACTION_KINDS.some(kind => kind === name);
}
