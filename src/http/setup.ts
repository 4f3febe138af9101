// POST /setup: spends the one-time token and makes the first administrator.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Members } from '../control/members.ts';
import { DomainError, ERROR_CODES } from '../domain/errors.ts';
import { sendJson } from './answer.ts';
import { decodeUtf8, readBody } from './body.ts';
import type { Gate } from './gate.ts';
import { isJsonBody } from './media-types.ts';
import { parseJson } from './operation-params.ts';
import { type OriginPolicy, passesCsrf } from './origin.ts';

export interface SetupDeps {
  readonly members: Pick<Members, 'setup' | 'hasAdmin'>;
  readonly gate: Gate;
  readonly origins: OriginPolicy;
  readonly addressOf: (request: IncomingMessage) => string;
}

const MAX_BODY_BYTES = 10_000;
/** Tries count as that many operations, so that tokens cannot be guessed at the rate of queries. */
const OPERATIONS_PER_TRY = 10;

/** Throws what it refuses with. */
export async function setUp(
  request: IncomingMessage,
  response: ServerResponse,
  { members, gate, origins, addressOf }: SetupDeps,
): Promise<void> {
  if (!passesCsrf(request, origins)) throw new DomainError('FORBIDDEN', 'This is for pages of this server.');
  if (!isJsonBody(request.headers['content-type'])) throw badSetup();
  passGate(request, { gate, addressOf }, OPERATIONS_PER_TRY);
  const bytes = await readBody(request, MAX_BODY_BYTES);
  const text = Buffer.isBuffer(bytes) ? decodeUtf8(bytes) : undefined;
  const json = text === undefined ? undefined : parseJson(text);
  const input = json && 'value' in json ? json.value : undefined;
  if (!isSetupInput(input)) throw badSetup();
  const { token, expiresAt, user } = await members.setup(input.token, input.username, input.password);
  sendJson(response, 201, { username: user.username, token, expiresAt });
}

/** Counts operations for the address; throws when there were too many, or the server stops. */
export function passGate(
  request: IncomingMessage,
  { gate, addressOf }: Pick<SetupDeps, 'gate' | 'addressOf'>,
  operations: number,
): void {
  const refused = gate.refuse(null, addressOf(request), operations);
  if (!refused) return;
  const { retryAfterMs } = refused.extensions as { retryAfterMs?: number };
  throw new DomainError(gate.draining ? 'SHUTTING_DOWN' : 'RATE_LIMITED', refused.message, { retryAfterMs });
}

function badSetup(): DomainError {
  return new DomainError('BAD_USER_INPUT', 'Send JSON with token, username and password.');
}

function isSetupInput(value: unknown): value is { token: string; username: string; password: string } {
  if (typeof value !== 'object' || value === null) return false;
  const { token, username, password } = value as Record<string, unknown>;
  return [token, username, password].every(part => typeof part === 'string' && part !== '');
}

/** A refusal outside GraphQL, in the shape of our other answers. */
export function sendFailure(response: ServerResponse, error: DomainError): void {
  const { code, message, retryAfterMs } = error;
  const waits = retryAfterMs !== undefined || error.retryable;
  const headers: Record<string, string> = {
    ...(waits ? { 'retry-after': String(Math.ceil((retryAfterMs ?? 1_000) / 1_000)) } : {}),
    ...(code === 'UNAUTHENTICATED' ? { 'www-authenticate': 'Bearer' } : {}),
  };
  sendJson(response, ERROR_CODES[code].httpStatus, { error: { code, message } }, headers);
}
