// What a workflow comes to when nobody interferes, worked out step after step, without time, rows or requests. Written
// to be compared with what really runs: it shares no rule with it.

import { crc32 } from 'node:zlib';
import type { StepStatus } from '../../src/domain/workflow.ts';
import { type Outcome, type Play, planOf, type StepPlay } from './plays.ts';

/** Of a step, or of one element of its list. */
export interface Result {
  readonly status: StepStatus;
  readonly output: string | undefined;
  /** How many requests are made for it. */
  readonly requests: number;
  /** The run ends with it. */
  readonly isFatal: boolean;
  /** An element of a list that fails with another of its elements, perhaps before this one has its turn. */
  readonly mayBeCancelled?: boolean;
}

export interface Prediction {
  /** By the name of the state: `s1`, `s1[0]`. In the order in which the steps stand in the definition. */
  readonly results: ReadonlyMap<string, Result>;
  /** All of it comes about, in whatever order: nothing in it ends the run early. */
  readonly isCertain: boolean;
  /** How the run may end. */
  readonly statuses: readonly ('SUCCEEDED' | 'FAILED' | 'CANCELLED')[];
  readonly output: string | undefined;
}

/** What the scripted model says: it depends on the whole prompt, so that another prompt is noticed. */
export function answerOf(play: Play, key: string, prompt: string): string {
  if (key === 'plan') return planOf(play);
  // Elements of lists answer with a text.
  const answer = play.steps.find(({ id }) => id === key)?.answer;
  return answer ? JSON.stringify(answer) : `${key}:${crc32(prompt).toString(16)}`;
}

export function predict(play: Play): Prediction {
  const results = new Map<string, Result>();
  const fatal: StepPlay[] = [];
  const all = stepsOf(play);
  for (const step of all) {
    if (step.id === 's0' && play.plan && results.get('plan')?.status !== 'SUCCEEDED') break;
    for (const [key, result] of resultsOf(step, play, results)) results.set(key, result);
    if (results.get(step.id)!.isFatal) fatal.push(step);
  }
  // Only what no other end comes before can be the first.
  const first = fatal.filter(step => !fatal.some(other => other !== step && leadsTo(other, step, all)));
  const statuses = first.map(step => (step.kind === 'APPROVAL' ? 'CANCELLED' : 'FAILED'));
  const isCertain = fatal.length === 0;
  return {
    results,
    isCertain,
    statuses: isCertain ? ['SUCCEEDED'] : statuses,
    output: isCertain ? outputOf(play, results) : undefined,
  };
}

/** Those that a plan brings along among them. */
function stepsOf({ steps, plan }: Play): readonly StepPlay[] {
  if (!plan) return steps;
  const gate = plan.decision ? 'approve-plan' : 'plan';
  const bare = { ...steps[0]!, behind: [], refs: [], tries: [], answer: undefined };
  return [
    { ...bare, id: 'plan', maxRetries: 2, tries: [plan.tries] },
    ...(plan.decision
      ? [{ ...bare, id: gate, kind: 'APPROVAL' as const, behind: ['plan'], decision: plan.decision }]
      : []),
    ...steps.map(step => (needs(step).length === 0 ? { ...step, behind: [gate] } : step)),
  ];
}

function needs({ behind, refs, condition, list }: StepPlay): string[] {
  return [
    ...behind,
    ...refs,
    ...(condition ? [condition.ref] : []),
    ...(list?.from === undefined ? [] : [list.from]),
  ];
}

function leadsTo(from: StepPlay, to: StepPlay, all: readonly StepPlay[]): boolean {
  return needs(to).some(id => id === from.id || leadsTo(from, all.find(step => step.id === id)!, all));
}

type Results = ReadonlyMap<string, Result>;

function* resultsOf(step: StepPlay, play: Play, before: Results): Generator<[string, Result]> {
  const { id, kind, join, condition, list } = step;
  const end = (status: StepStatus, more: Partial<Result> = {}): [string, Result] => {
    const isFatal = status === 'FAILED' && step.onFailure === 'FAIL';
    return [id, { status, output: undefined, requests: 0, isFatal, ...more }];
  };
  const done = needs(step).map(other => before.get(other)!.status === 'SUCCEEDED');
  const isMissing = join === 'ALL' ? done.includes(false) : done.length > 0 && !done.includes(true);
  if (isMissing) return yield end('SKIPPED');
  const outputOf = (other: string) => before.get(other)?.output ?? '';
  if (condition && (outputOf(condition.ref).trim() === '') !== condition.isEmpty) return yield end('SKIPPED');
  const text = [id, ...step.refs.map(outputOf)].join(' ');
  if (kind === 'TRANSFORM') return yield end('SUCCEEDED', { output: text });
  if (kind === 'APPROVAL')
    return yield step.decision.approved ? end('SUCCEEDED', { output: 'because' }) : end('FAILED');
  if (!list) return yield [id, triedOut(step, { play, key: id, prompt: text, tries: step.tries[0] ?? [] })];
  const items = list.from === undefined ? play.items : listIn(outputOf(list.from));
  if (!items) return yield end('FAILED');
  const results = items.map((item, index): [string, Result] => {
    const key = `${id}[${index}]`;
    const tries = step.tries[index % step.tries.length]!;
    return [
      key,
      { ...triedOut(step, { play, key, prompt: `${text} ${item} ${index}`, tries }), isFatal: false },
    ];
  });
  const outputs = results.flatMap(([, { output }]) => output ?? []);
  const hasFailed = outputs.length < items.length && list.onItemFailure === 'FAIL';
  const { joinWith } = list;
  for (const [key, result] of results) yield [key, { ...result, mayBeCancelled: hasFailed }];
  yield hasFailed
    ? end('FAILED')
    : end('SUCCEEDED', { output: joinWith === undefined ? JSON.stringify(outputs) : outputs.join(joinWith) });
}

interface Tried {
  readonly play: Play;
  readonly key: string;
  readonly prompt: string;
  readonly tries: readonly Outcome[];
}

function triedOut(step: StepPlay, { play, key, prompt, tries }: Tried): Result {
  for (let requests = 1; ; requests += 1) {
    const { end } = tries[requests - 1] ?? { end: 'succeeds' };
    if (end === 'succeeds')
      return { status: 'SUCCEEDED', output: answerOf(play, key, prompt), requests, isFatal: false };
    if (end === 'fails for good' || requests > step.maxRetries)
      return { status: 'FAILED', output: undefined, requests, isFatal: step.onFailure === 'FAIL' };
  }
}

function listIn(output: string): readonly string[] | undefined {
  if (!output.startsWith('[')) return undefined;
  return JSON.parse(output);
}

function outputOf(play: Play, results: Results): string {
  const textOf = (id: string) => results.get(id)?.output ?? '';
  if (play.output) return play.output.map(id => `<${textOf(id)}>`).join('') || 'nothing';
  const all = stepsOf(play);
  const used = new Set(all.flatMap(needs));
  const sinks = all.filter(({ id }) => !used.has(id)).map(({ id }) => id);
  if (play.isReversed && !play.plan) sinks.reverse();
  const made = sinks.flatMap(id => {
    const output = results.get(id)?.output;
    return output === undefined ? [] : [[id, output]];
  });
  if (made.length === 1) return made[0]![1]!;
  return made.length === 0 ? '' : JSON.stringify(Object.fromEntries(made));
}
