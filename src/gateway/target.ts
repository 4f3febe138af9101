// One attempt on one deployment, from the announcement to its row in the ledger: what is sent, what the subscribers get
// to see of the answer, what is learnt from it. Who is asked, and who next, is decided in failover.ts.

import type { Deployment } from '../domain/model.ts';
import { type Attempt, requestError } from '../domain/request.ts';
import { type AttemptFailed, type AttemptResult, runAttempt } from './attempt.ts';
import { learn, learnFromDefeat, toAttempt } from './attempt-record.ts';
import { callFor } from './call.ts';
import type { FailoverDeps, Journey } from './journey.ts';
import type { Entry } from './passage.ts';
import { holdToSchema } from './schema-check.ts';
import { createScreen, prefillFor, type Transcript } from './screen.ts';

export const OWN_FAULT = requestError('INTERNAL', 'The control plane failed while running the request.');

/** A deployment whose turn it is, with the right to call it. */
export interface Target extends Entry {
  /** Of the attempt: 1, 2, … within the request. */
  readonly number: number;
  readonly transcript: Transcript;
  /** Present when another deployment is or may be asked at the same time. */
  readonly race?: Race;
}

export interface Race {
  /** Aborted when the other one answers. */
  readonly lost: AbortSignal;
  /** Called once, at the first sign of an answer. */
  readonly onAnswering: () => void;
}

/** What became of an attempt. */
export interface Called {
  readonly deployment: Deployment;
  readonly outcome: AttemptResult;
  /** Its row in the ledger. */
  readonly attempt: Attempt;
  readonly prefilled: boolean;
  /** Something of ours threw on the way: nobody else is to be asked. */
  readonly defect?: { readonly cause: unknown };
}

/**
 * Makes one attempt. Settles the permit and gives the place back. Never throws: what was sent belongs in the ledger,
 * whoever failed.
 */
export async function callTarget(
  journey: Journey,
  { deployment, permit, release, number, transcript, race }: Target,
  deps: FailoverDeps,
): Promise<Called> {
  const { spec, emit } = journey;
  const startedAt = new Date(deps.clock.now());
  const startedAtMs = deps.clock.monotonic();
  let text = '';
  let prefill: string | undefined;
  // The provider is done, and what the call taught is known: a cooldown begins before the next one is let in.
  let awaited = 2;
  const leave = () => {
    awaited -= 1;
    if (awaited === 0) release();
  };
  const lost = ({ outcome }: AttemptResult) => outcome === 'cancelled' && race?.lost.aborted === true;
  const book = (outcome: AttemptResult) =>
    toAttempt({ journey, deployment, number, startedAt, text, prefill, hasLost: lost(outcome) }, outcome);
  try {
    prefill = prefillFor(deployment, journey, transcript);
    const show = createScreen({ journey, transcript, number, prefill });
    emit({ type: 'attempt-started', attempt: number, deploymentId: deployment.id });
    const ended = await runAttempt({
      adapter: deps.catalog.adapterOf(deployment),
      call: callFor(journey, deployment, prefill),
      permit,
      deadlines: { ...deployment.deadlines, ...spec.deadlines },
      deploymentDeadlines: deployment.deadlines,
      endsAtMs: journey.endsAtMs,
      signal: race ? AbortSignal.any([journey.signal, race.lost]) : journey.signal,
      clock: deps.clock,
      moments: journey.moments,
      maxOutputBytes: deps.maxOutputBytes,
      onAnswering: race?.onAnswering,
      onToken(token) {
        text += token;
        show.push(token);
      },
      onReleased: leave,
    });
    const outcome = spec.outputSchema ? judge(ended, text, journey, deps) : ended;
    if (outcome.outcome === 'succeeded') show.end();
    // What was answered, and how fast, whether or not it is of use.
    learn(deployment, ended, text, deps);
    if (lost(outcome)) learnFromDefeat(deployment, outcome, deps);
    leave();
    return { deployment, outcome, attempt: book(outcome), prefilled: prefill !== undefined };
  } catch (cause) {
    // Nobody else would give them back.
    permit.ignore();
    release();
    const outcome = ownFault(deps.clock.monotonic() - startedAtMs, text);
    return { deployment, outcome, attempt: book(outcome), prefilled: false, defect: { cause } };
  }
}

/** The log is not told what is wrong with an answer, for that may quote it. */
function judge(
  ended: AttemptResult,
  text: string,
  { spec: { outputSchema }, requestId }: Journey,
  { maxSchemaCheckMs, redact, log }: FailoverDeps,
): AttemptResult {
  if (ended.outcome !== 'succeeded' || !outputSchema) return ended;
  const outcome = holdToSchema(ended, text, outputSchema, maxSchemaCheckMs);
  if (outcome.outcome !== 'failed') return outcome;
  log.warn({ requestId, code: outcome.code, fault: outcome.fault }, 'an answer does not keep to its schema');
  return redact ? { ...outcome, message: redact(outcome.message) } : outcome;
}

function ownFault(durationMs: number, text: string): AttemptFailed {
  return {
    outcome: 'failed',
    code: 'INTERNAL',
    message: OWN_FAULT.message,
    fault: undefined,
    deadline: undefined,
    retryAfterMs: undefined,
    tokensSent: text !== '',
    counted: false,
    retrySameTarget: false,
    retryForbidden: false,
    retryable: OWN_FAULT.retryable,
    providerWide: false,
    declined: false,
    usage: undefined,
    cause: undefined,
    responseId: undefined,
    servedModel: undefined,
    inputUsage: undefined,
    accepted: text !== '',
    timeToFirstTokenMs: undefined,
    durationMs,
    textLength: text.length,
  };
}
