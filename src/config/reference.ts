// The reference tables of the README, made from the tables the code itself reads. `npm run codegen` writes them
// between their markers, and a test compares.

import { ERROR_CODES } from '../domain/errors.ts';
import { show } from './read.ts';
import { CLIENT_VARIABLES, SETTING_NAMES, SETTINGS } from './settings.ts';

const WHERE = {
  operation: 'refused operation',
  outcome: 'outcome of a request',
  both: 'both',
} as const;

export function settingsTable(): string {
  const rows = SETTING_NAMES.map(name => {
    const { path, default: defaultValue, description, secret } = SETTINGS[name];
    const shown = show(defaultValue);
    return [
      secret ? `\`${name}\` (\`_FILE\`)` : `\`${name}\``,
      path === undefined ? '' : `\`${path}\``,
      shown === '' ? '' : `\`${shown}\``,
      description,
    ];
  });
  const clientRows = Object.entries(CLIENT_VARIABLES).map(([name, text]) => [`\`${name}\``, '', '', text]);
  return table(['variable', 'in `mcplane.yaml`', 'default', 'meaning'], [...rows, ...clientRows]);
}

export function errorTable(): string {
  const rows = Object.entries(ERROR_CODES).map(([code, { meaning, retryable, httpStatus, scope }]) => [
    `\`${code}\``,
    WHERE[scope],
    retryable ? 'yes' : 'no',
    String(httpStatus),
    meaning,
  ]);
  return table(['code', 'where', 'retryable', 'HTTP', 'meaning'], rows);
}

/** What happens when a provider fails; the rows come from the rules of the gateway, which this folder does not know. */
export function faultTable(
  faults: readonly { meaning: string; error: string; retryable: string; next: string; counted: string }[],
): string {
  const rows = faults.map(({ meaning, error, retryable, next, counted }) => [
    meaning,
    `\`${error}\``,
    retryable,
    next,
    counted,
  ]);
  return table(
    [
      'the provider …',
      'error, if no candidate answers',
      'retryable',
      'who is asked next',
      'counted by its breaker',
    ],
    rows,
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The text with the content between `<!-- name:begin -->` and `<!-- name:end -->` replaced. */
export function withSection(text: string, name: string, content: string): string {
  const begin = `<!-- ${name}:begin -->`;
  const start = text.indexOf(begin);
  const end = text.indexOf(`<!-- ${name}:end -->`);
  if (start < 0 || end < start) throw new Error(`The text has no section ${name}`);
  return `${text.slice(0, start + begin.length)}\n${content}\n${text.slice(end)}`;
}
