// A property of every way of judging: whatever callers do, in whatever order, it says what the reference says.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Claim } from '../../src/limits/claims.ts';
import { ReferenceLimits } from './reference.ts';

/** One way of judging, on a clock in the test's hand. */
export interface JudgeUnderTest {
  advance(ms: number): void | Promise<void>;
  /** Undefined when all of it was taken. */
  admit(
    requestId: string,
    claims: readonly Claim[],
    leaseMs: number,
  ): Judged | undefined | Promise<Judged | undefined>;
  end(requestId: string, usedTokens: number): void | Promise<void>;
  extend(requestId: string, leaseMs: number): void | Promise<void>;
  used(claim: Claim): Use | Promise<Use>;
}

interface Judged {
  readonly claim: Claim;
  readonly waitMs: number;
}

interface Use {
  readonly used: number;
  readonly resetInMs: number | undefined;
}

interface State {
  readonly reference: ReferenceLimits;
  readonly requests: string[];
}

type Command = fc.AsyncCommand<State, JudgeUnderTest, false>;

const MAX = { REQUESTS_PER_MINUTE: 5, TOKENS_PER_MINUTE: 100, CONCURRENT_REQUESTS: 3 } as const;
const KINDS = ['REQUESTS_PER_MINUTE', 'TOKENS_PER_MINUTE', 'CONCURRENT_REQUESTS'] as const;

function claimsOf(subjects: readonly string[], tokens: number): Claim[] {
  return subjects.flatMap(subject =>
    KINDS.map(kind => {
      const amount = kind === 'TOKENS_PER_MINUTE' ? tokens : 1;
      return { name: 'userRequestsPerMinute' as const, kind, subject, max: MAX[kind], amount };
    }),
  );
}

class Submit implements Command {
  readonly #subjects: readonly string[];
  readonly #tokens: number;
  readonly #leaseMs: number;
  constructor(subjects: readonly string[], tokens: number, leaseMs: number) {
    this.#subjects = subjects;
    this.#tokens = tokens;
    this.#leaseMs = leaseMs;
  }
  check = () => true;
  async run({ reference, requests }: State, judge: JudgeUnderTest): Promise<void> {
    const requestId = `r${requests.length}`;
    requests.push(requestId);
    const claims = claimsOf(this.#subjects, this.#tokens);

    const judged = await judge.admit(requestId, claims, this.#leaseMs);
    const { refused } = reference.admit(requestId, claims, this.#leaseMs);

    const longestMs = Math.max(0, ...refused.map(({ waitMs }) => waitMs));
    assert.equal(judged?.waitMs ?? 0, longestMs);
    if (judged)
      assert.ok(refused.some(({ claim, waitMs }) => claim === judged.claim && waitMs === longestMs));
  }
  toString = () => `submit(${this.#subjects}, ${this.#tokens} tokens, ${this.#leaseMs} ms)`;
}

class End implements Command {
  readonly #which: number;
  readonly #usedTokens: number;
  constructor(which: number, usedTokens: number) {
    this.#which = which;
    this.#usedTokens = usedTokens;
  }
  check = ({ requests }: State) => requests.length > 0;
  async run({ reference, requests }: State, judge: JudgeUnderTest): Promise<void> {
    // Nobody ends a request twice and expects a second settlement; who does it all the same, gets none.
    const index = this.#which % requests.length;
    const requestId = requests[index]!;
    requests[index] = `${requestId}'`;
    await judge.end(requestId, this.#usedTokens);
    reference.end(requestId, this.#usedTokens);
  }
  toString = () => `end(${this.#which}, ${this.#usedTokens} tokens)`;
}

class Extend implements Command {
  readonly #which: number;
  readonly #leaseMs: number;
  constructor(which: number, leaseMs: number) {
    this.#which = which;
    this.#leaseMs = leaseMs;
  }
  check = ({ requests }: State) => requests.length > 0;
  async run({ reference, requests }: State, judge: JudgeUnderTest): Promise<void> {
    const requestId = requests[this.#which % requests.length]!;
    await judge.extend(requestId, this.#leaseMs);
    reference.extend(requestId, this.#leaseMs);
  }
  toString = () => `extend(${this.#which}, ${this.#leaseMs} ms)`;
}

class Pass implements Command {
  readonly #ms: number;
  constructor(ms: number) {
    this.#ms = ms;
  }
  check = () => true;
  async run({ reference }: State, judge: JudgeUnderTest): Promise<void> {
    await judge.advance(this.#ms);
    reference.nowMs += this.#ms;
  }
  toString = () => `pass(${this.#ms} ms)`;
}

class Look implements Command {
  readonly #subject: string;
  constructor(subject: string) {
    this.#subject = subject;
  }
  check = () => true;
  async run({ reference }: State, judge: JudgeUnderTest): Promise<void> {
    for (const claim of claimsOf([this.#subject], 0))
      assert.deepEqual(await judge.used(claim), {
        used: reference.used(claim),
        resetInMs: reference.emptyInMs(claim),
      });
  }
  toString = () => `look(${this.#subject})`;
}

const subject = fc.constantFrom('user:a', 'user:b');
const lease = fc.constantFrom(1_000, 20_000, 90_000);
const COMMANDS = [
  fc
    .tuple(fc.subarray(['user:a', 'user:b', 'apiKey:c'], { minLength: 1 }), fc.nat(60), lease)
    .map(args => new Submit(...args)),
  fc.tuple(fc.nat(1_000), fc.nat(120)).map(args => new End(...args)),
  fc.tuple(fc.nat(1_000), lease).map(args => new Extend(...args)),
  fc
    .oneof(
      fc.nat(2_500),
      fc.constantFrom(1_000, 20_000, 58_999, 59_000, 60_000, 60_999, 61_000, 90_000, 125_000),
    )
    .map(ms => new Pass(ms)),
  subject.map(each => new Look(each)),
];

/** Runs so many random stories; `open` begins each with an empty judge at `startMs`. */
export async function agreesWithReference(
  open: (startMs: number) => JudgeUnderTest | Promise<JudgeUnderTest>,
  numRuns: number,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(10_000),
      fc.commands<State, JudgeUnderTest, false>(COMMANDS, { size: 'max', maxCommands: 120 }),
      async (offsetMs, commands) => {
        const startMs = 1_790_000_000_000 + offsetMs;
        const judge = await open(startMs);
        await fc.asyncModelRun(
          () => ({ model: { reference: new ReferenceLimits(startMs), requests: [] }, real: judge }),
          commands,
        );
      },
    ),
    { numRuns },
  );
}
