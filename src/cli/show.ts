// Commands that print what this installation is: its settings, its schema, its version.

import { readFileSync } from 'node:fs';
import { loadConfig, SETTING_NAMES, SETTINGS } from '../config.ts';
import { columns, printable, writeJson, writeLine } from './terminal.ts';

export async function showConfig(options: { sources?: boolean; json?: boolean }): Promise<void> {
  const { sources } = loadConfig(process.env);
  if (options.json)
    return writeJson(
      Object.fromEntries(
        SETTING_NAMES.map(name => {
          const { shown: value, source, where } = sources[name];
          const { path, description } = SETTINGS[name];
          return [name, { value, source, where, path, description }];
        }),
      ),
    );
  const rows = SETTING_NAMES.map(name => {
    const { shown, source, where } = sources[name];
    const from = where === undefined ? source : `${source} (${where})`;
    return options.sources ? [name, shown || '-', from] : [name, shown || '-'];
  });
  writeLine(printable(columns(rows)));
}

export async function printSchema(options: { json?: boolean }): Promise<void> {
  const { printSchemaText } = await import('../graphql/schema.ts');
  if (options.json) writeJson({ sdl: printSchemaText() });
  else process.stdout.write(printSchemaText());
}

export function version(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return version;
}

export function printVersion(options: { json?: boolean }): void {
  if (options.json) writeJson({ version: version(), node: process.versions.node });
  else writeLine(version());
}
