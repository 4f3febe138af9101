// Which calls of a request under budgets are made: those that its allowance covers (allowance.ts).

import type { Deployment } from '../domain/model.ts';
import { type Attempt, type RequestError, requestError } from '../domain/request.ts';
import type { RoutingRejection } from '../domain/routing.ts';
import { callFor } from './call.ts';
import type { Journey } from './journey.ts';
import type { Passage } from './passage.ts';
import { prefillFor } from './screen.ts';
import type { Target } from './target.ts';

/** How far a request has come. */
interface Course {
  readonly attempts: readonly Attempt[];
  /** Who was not asked for lack of money. */
  readonly uncovered: RoutingRejection[];
  readonly passage: Pick<Passage, 'expired'>;
}

/** Whether the call may be made; lets go of its deployment otherwise. */
export async function keepCovered(target: Target, course: Course, journey: Journey): Promise<boolean> {
  const { deployment, transcript, permit, release } = target;
  const call = callFor(journey, deployment, prefillFor(deployment, journey, transcript));
  const rejection = await journey.allowance?.cover({ call, deployment }, course.attempts);
  if (!rejection) return true;
  permit.ignore();
  release();
  course.uncovered.push(rejection);
  return false;
}

/** May a second deployment be asked beside the first one? Not if more would have to be reserved: that takes time. */
export function coversBoth(first: Deployment, second: Deployment, journey: Journey): boolean {
  const toCall = (deployment: Deployment) => ({ call: callFor(journey, deployment, undefined), deployment });
  return journey.allowance?.covers([first, second].map(toCall)) ?? true;
}

/** Whose request asked nobody for lack of money is told so; else the last error stands, and says why it was the last. */
export function withUncovered(error: RequestError, { uncovered, attempts, passage }: Course): RequestError {
  const [first] = uncovered;
  if (!first || passage.expired()) return error;
  const why = `${first.deploymentId} was not asked: ${first.detail}.`;
  if (attempts.length === 0) return requestError('BUDGET_EXCEEDED', why);
  return { ...error, message: `${error.message.replace(/\.?$/, '.')} ${why}` };
}
