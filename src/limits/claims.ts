// What one submission takes, and of which limits.

import type { Actor } from '../domain/access.ts';
import { badInput, DomainError } from '../domain/errors.ts';
import {
  RATE_LIMIT_FIELDS,
  RATE_LIMIT_KINDS,
  type RateLimitKind,
  type RateLimitName,
  type RateLimitOverrides,
  type RateLimitSubject,
  type RateLimits,
} from '../domain/rate-limit.ts';
import { networkOf } from '../lib/network.ts';

/** Limits of everybody, by whose they are. */
export type RateLimitSettings = Readonly<Record<RateLimitSubject, RateLimits>>;

/** Whose limits are looked at. */
export interface RateLimitHolder {
  readonly subject: Exclude<RateLimitSubject, 'address'>;
  readonly id: string;
  readonly overrides: RateLimitOverrides | undefined;
}

export interface Demand {
  readonly requestId: string;
  readonly actor: Actor;
  /** Where it came from; undefined: from this process itself. */
  readonly address: string | undefined;
  /**
   * Whether it is a request of its own; else a workflow, which is under way through its steps, or one of these, which
   * were submitted with it.
   */
  readonly part: 'whole' | 'workflow' | 'step';
  /** Of the prompt, as estimated. */
  readonly inputTokens: number;
  /** What the answer may take. */
  readonly outputTokens: number;
  /** Whether that many were asked for; else they are a guess. */
  readonly outputIsAsked: boolean;
}

export interface Claim {
  readonly name: RateLimitName;
  readonly kind: RateLimitKind;
  /** Whose: `user:…`, `apiKey:…` or `address:…`. */
  readonly subject: string;
  readonly max: number;
  readonly amount: number;
}

export interface Refusal {
  readonly claim: Claim;
  /** Until it may be admitted; of a limit of concurrency nobody knows that. */
  readonly waitMs: number;
}

/** What is told to wait for a request to end: about the time in which they do. */
export const CONCURRENCY_WAIT_MS = 1_000;

const KINDS_OF: Readonly<Record<Demand['part'], readonly RateLimitKind[]>> = {
  whole: RATE_LIMIT_KINDS,
  workflow: ['REQUESTS_PER_MINUTE'],
  step: RATE_LIMIT_KINDS.filter(kind => kind !== 'REQUESTS_PER_MINUTE'),
};

/** Empty when nothing limits it. Throws BAD_USER_INPUT for one that no waiting would let in. */
export function claimsOf(demand: Demand, settings: RateLimitSettings): Claim[] {
  const claims: Claim[] = [];
  for (const { subject, id, overrides } of subjectsOf(demand))
    for (const kind of KINDS_OF[demand.part]) {
      const max = overrides?.[RATE_LIMIT_FIELDS[kind]] ?? settings[subject][RATE_LIMIT_FIELDS[kind]];
      if (max === 0) continue;
      const amount = kind === 'TOKENS_PER_MINUTE' ? tokensOf(demand, max) : 1;
      claims.push({ name: NAMES[subject][kind], kind, subject: `${subject}:${id}`, max, amount });
    }
  return claims;
}

/** What a holder has of each kind, in their order, for looking and not for taking; undefined where nothing limits it. */
export function claimsAbout(
  { subject, id, overrides }: RateLimitHolder,
  settings: RateLimitSettings,
): (Claim | undefined)[] {
  return RATE_LIMIT_KINDS.map(kind => {
    const max = overrides?.[RATE_LIMIT_FIELDS[kind]] ?? settings[subject][RATE_LIMIT_FIELDS[kind]];
    return max === 0
      ? undefined
      : { name: NAMES[subject][kind], kind, subject: `${subject}:${id}`, max, amount: 0 };
  });
}

const NAMES = Object.fromEntries(
  (['user', 'apiKey', 'address'] as const).map(subject => [
    subject,
    Object.fromEntries(
      RATE_LIMIT_KINDS.map(kind => {
        const field = RATE_LIMIT_FIELDS[kind];
        return [kind, `${subject}${field[0]!.toUpperCase()}${field.slice(1)}`];
      }),
    ),
  ]),
) as Readonly<Record<RateLimitSubject, Readonly<Record<RateLimitKind, RateLimitName>>>>;

interface Subject {
  readonly subject: RateLimitSubject;
  readonly id: string;
  readonly overrides?: RateLimitOverrides | undefined;
}

function subjectsOf({ actor, address }: Demand): Subject[] {
  const { userId, credential, rateLimits } = actor;
  const subjects: Subject[] = [{ subject: 'user', id: userId, overrides: rateLimits?.user }];
  if (credential.kind === 'apiKey')
    subjects.push({ subject: 'apiKey', id: credential.id, overrides: rateLimits?.apiKey });
  if (address !== undefined) subjects.push({ subject: 'address', id: networkOf(address) });
  return subjects;
}

/** A guess never exceeds the limit; what was asked for, and the prompt, must not. */
function tokensOf({ inputTokens, outputTokens, outputIsAsked }: Demand, max: number): number {
  const sure = inputTokens + (outputIsAsked ? outputTokens : 0);
  if (sure > max)
    throw badInput(
      outputIsAsked ? 'maxOutputTokens' : 'prompt',
      `takes about ${sure} tokens${outputIsAsked ? ' with the prompt' : ''}, and the limit is ${max} a minute: ask for less`,
    );
  return Math.min(max, inputTokens + outputTokens);
}

const WHOSE: Readonly<Record<string, string>> = {
  user: 'a user',
  apiKey: 'an API key',
  address: 'an address',
};

export function toError({ claim, waitMs }: Refusal): DomainError {
  const { kind, name, max, subject } = claim;
  const whose = WHOSE[subject.slice(0, subject.indexOf(':'))];
  const message =
    kind === 'CONCURRENT_REQUESTS'
      ? `At most ${max} requests of ${whose} may be under way at once. Submit again when one has ended.`
      : `At most ${max} ${kind === 'TOKENS_PER_MINUTE' ? 'tokens' : 'requests'} a minute are accepted from ${whose}. Wait retryAfterMs.`;
  return new DomainError('RATE_LIMITED', message, { retryAfterMs: waitMs, details: { limit: name } });
}
