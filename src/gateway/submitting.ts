// From what a caller hands in to a request that is accepted: who may, what is meant, and whether it was sent before.

import { type Actor, authorize } from '../domain/access.ts';
import { badInput, DomainError } from '../domain/errors.ts';
import { type ModelRequest, promptOf, type RequestSpec } from '../domain/request.ts';
import { parseSubmission, type Submission } from '../domain/submission.ts';
import type { Acceptance } from './acceptance.ts';
import type { Gateway, GatewayDeps, SubmittedEvent } from './gateway.ts';

/** What a submission is recognised by when it comes again, and where it came from. */
interface Naming {
  readonly idempotencyKey: string | null | undefined;
  readonly address: string | undefined;
}

interface Parts {
  readonly acceptance: Acceptance;
  readonly visible: Gateway['request'];
  readonly openAccepted: (request: ModelRequest) => AsyncIterableIterator<SubmittedEvent>;
  readonly isDraining: () => boolean;
}

type Submitting = Pick<Gateway, 'submit' | 'submitAndFollow' | 'submitWorkflow' | 'submitWorkflowOf'> & {
  parse(submission: Submission): RequestSpec;
};

export function createSubmitting(
  { planning, submissionLimits, defaultStrategy }: GatewayDeps,
  { acceptance, visible, openAccepted, isDraining }: Parts,
): Submitting {
  const parse = (submission: Submission) => parseSubmission(submission, submissionLimits, defaultStrategy);

  async function submit(
    actor: Actor,
    specOf: () => RequestSpec,
    { idempotencyKey, address }: Naming,
  ): Promise<ModelRequest> {
    authorize(actor, 'request:submit');
    if (isDraining())
      throw new DomainError('SHUTTING_DOWN', 'This instance is stopping; submit again.', {
        retryAfterMs: 1_000,
      });
    const spec = specOf();
    for (const { model } of spec.workflow?.steps ?? [])
      if (model !== undefined) planning.refuseUnknown(model);
    const accepted = await acceptance.accept({
      actor,
      spec,
      address,
      idempotencyKey: idempotencyKey ?? undefined,
    });
    const request = 'request' in accepted ? accepted.request : await visible(actor, accepted.requestId);
    if (!request || ('conflict' in accepted && accepted.conflict))
      throw new DomainError(
        'IDEMPOTENCY_CONFLICT',
        'idempotencyKey was used before with another input; use a new key.',
      );
    return request;
  }

  return {
    parse,
    submit: (actor, submission, address) =>
      submit(actor, () => parse(submission), { idempotencyKey: submission.idempotencyKey, address }),
    async submitAndFollow(actor, submission, address) {
      authorize(actor, 'request:read');
      const { idempotencyKey } = submission;
      if (idempotencyKey == null)
        throw badInput('idempotencyKey', 'is needed to submit by subscribing, which clients repeat');
      return openAccepted(await submit(actor, () => parse(submission), { idempotencyKey, address }));
    },
    submitWorkflow: (actor, spec, idempotencyKey, address) =>
      submit(actor, () => spec, { idempotencyKey, address }),
    submitWorkflowOf(actor, submission, workflowOf, address) {
      const specOf = () => {
        const hasInput = submission.prompt != null || submission.messages != null;
        const taskType = 'WORKFLOW';
        const spec = parse({ ...submission, taskType, ...(!hasInput && { prompt: 'none' }) });
        const messages = hasInput ? spec.messages : [{ role: 'USER', content: '' } as const];
        const workflow = workflowOf(promptOf(messages));
        return { ...spec, messages, workflow };
      };
      return submit(actor, specOf, { idempotencyKey: submission.idempotencyKey, address });
    },
  };
}
