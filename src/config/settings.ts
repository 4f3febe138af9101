// The table of all settings of the server, by the name of their environment variable.

import { BREAKER_SETTINGS } from './breaker-settings.ts';
import { BUDGET_SETTINGS } from './budget-settings.ts';
import { IDENTITY_SETTINGS } from './identity-settings.ts';
import { LIMIT_SETTINGS } from './limit-settings.ts';
import { PRIVACY_SETTINGS } from './privacy-settings.ts';
import { PROVIDER_SETTINGS, SERVER_SETTINGS } from './server-settings.ts';
import type { Setting, ValueOf } from './setting.ts';

const TABLE = {
  ...SERVER_SETTINGS,
  ...IDENTITY_SETTINGS,
  ...PROVIDER_SETTINGS,
  ...BREAKER_SETTINGS,
  ...BUDGET_SETTINGS,
  ...PRIVACY_SETTINGS,
  ...LIMIT_SETTINGS,
} as const;

export type SettingName = keyof typeof TABLE;
export type Values = { readonly [Name in SettingName]: ValueOf<(typeof TABLE)[Name]> };

export const SETTINGS: Readonly<Record<SettingName, Setting<unknown>>> = TABLE;
export const SETTING_NAMES = Object.keys(TABLE) as readonly SettingName[];

/** Variables of the command line's client side. The server knows them only so as not to complain of them. */
export const CLIENT_VARIABLES = {
  MCPLANE_URL: 'Server that `mcplane ask` and `mcplane key` talk to; default `http://127.0.0.1:4000`.',
  MCPLANE_API_KEY: 'API key they send.',
  MCPLANE_TOKEN: 'Session token they send instead.',
  MCPLANE_USERNAME: 'User they log in as instead.',
  MCPLANE_PASSWORD: 'Password of that user.',
} as const;
