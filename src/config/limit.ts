// What one limit is: a setting with a whole number, known by a short name as well.

import { type Setting, setting } from './setting.ts';
import { integer } from './values.ts';

export function limit<const Name extends string>(
  name: Name,
  range: readonly [number, number],
  defaultValue: number,
  description: string,
): Setting<number, number> & { readonly limit: Name } {
  return { ...setting(`limits.${name}`, integer(...range), defaultValue, description), limit: name };
}
