// JSON lines on stdout. Secrets are never handed to the logger, prompts and outputs only where the policy says so; what slips
// in by name is masked.

import { type Logger, pino } from 'pino';
import type { LogContent } from '../domain/log-content.ts';

export type Log = Logger;

export interface LogOptions {
  readonly level: string;
  /** Human-readable lines instead of JSON; for terminals. */
  readonly pretty: boolean;
  /** What is said of requests; absent: nothing of their content. */
  readonly content?: LogContent | undefined;
  /** Which of several processes writes; absent: the only one. */
  readonly worker?: number | undefined;
}

const SECRETS = ['authorization', 'password', 'apiKey', 'token', 'secret', 'cookie'];
const CONTENT = ['prompt', 'output'];

export function createLog({ level, pretty, content, worker }: LogOptions): Log {
  const masked = content === 'full' ? SECRETS : [...SECRETS, ...CONTENT];
  return pino({
    level,
    base: worker === undefined ? null : { worker },
    errorKey: 'error',
    serializers: { error: describeError },
    redact: { paths: masked.flatMap(name => [name, `*.${name}`, `*.*.${name}`]), censor: '[redacted]' },
    ...(pretty
      ? {
          transport: {
            target: 'pino-pretty',
            options: { ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l' },
          },
        }
      : {}),
  });
}

/** What an error line needs; a cause is named, and cut. Errors carry nothing that must not be logged. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: String(error).slice(0, 500) };
  const { name, message, stack, cause } = error;
  const code = 'code' in error ? error.code : undefined;
  const about = cause instanceof Error ? `${cause.name}: ${cause.message.slice(0, 200)}` : undefined;
  return {
    name,
    message: message.slice(0, 1_000),
    code,
    cause: about,
    stack: stack?.split('\n').slice(0, 12).join('\n'),
  };
}
