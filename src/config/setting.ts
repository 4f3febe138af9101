// What one setting is. The tables of settings are made of these; parsing, the README and `mcplane config show`
// all read the same rows.

import type { z } from 'zod';

export interface Setting<Value, Default extends Value | undefined = Value | undefined> {
  /** Its place in `mcplane.yaml`; undefined: environment only. */
  readonly path: string | undefined;
  readonly kind: z.ZodType<Value>;
  readonly default: Default;
  readonly description: string;
  /** Never printed; `<NAME>_FILE` may name a file that holds it. */
  readonly secret: boolean;
}

/** What reading a setting yields: its value, or undefined where it has no default. */
export type ValueOf<S> =
  S extends Setting<infer Value, infer Default>
    ? Value | (undefined extends Default ? undefined : never)
    : never;

export function setting<Value, const Default extends Value | undefined>(
  path: string | undefined,
  kind: z.ZodType<Value>,
  defaultValue: Default,
  description: string,
): Setting<Value, Default> {
  return { path, kind, default: defaultValue, description, secret: false };
}

/** A setting that is never printed and has no default. */
export function secret(
  path: string | undefined,
  kind: z.ZodType<string>,
  description: string,
): Setting<string, undefined> {
  return { path, kind, default: undefined, description, secret: true };
}
