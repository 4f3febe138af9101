// Settings of what is kept of what was said in requests, and for how long.

import { setting } from './setting.ts';
import { integer } from './values.ts';

/** A hundred years. */
const MAX_DAYS = 36_500;

export const PRIVACY_SETTINGS = {
  MCPLANE_CONTENT_RETENTION_DAYS: setting(
    'privacy.contentRetentionDays',
    integer(0, MAX_DAYS),
    30,
    'How long prompts, answers and metadata are kept after the end of a model request, in days; 0: for a minute, in which the answer can still be read. Figures, attempts and routing stay.',
  ),
} as const;
