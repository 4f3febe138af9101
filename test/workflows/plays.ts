// Random workflows, and what befalls each of their steps: which tries fail, what people decide, how long all of it takes.

import fc from 'fast-check';
import type { FailurePolicy, Join, StepKind } from '../../src/domain/workflow.ts';
import type { WorkflowInput } from '../../src/domain/workflow-input.ts';
import type { StepInput, WorkflowBounds } from '../../src/domain/workflow-step-input.ts';

/** What becomes of one request of a step. Nonsense is an answer that a plan cannot be made of. */
export interface Outcome {
  readonly end: 'succeeds' | 'fails' | 'fails for good' | 'answers nonsense';
  readonly takesMs: number;
  /** The answer is begun again in the middle. */
  readonly restarts: boolean;
}

export interface ListPlay {
  /** A step whose answer is the list; undefined: it is a parameter. */
  readonly from: string | undefined;
  readonly joinWith: string | undefined;
  readonly maxParallel: number;
  readonly onItemFailure: FailurePolicy;
}

export interface StepPlay {
  readonly id: string;
  readonly kind: StepKind;
  /** Needed without being referred to. */
  readonly behind: readonly string[];
  /** Steps whose results are in its prompt. */
  readonly refs: readonly string[];
  readonly join: Join;
  /** Whether the result of that step must be empty or must not be. */
  readonly condition: { readonly ref: string; readonly isEmpty: boolean } | undefined;
  readonly list: ListPlay | undefined;
  readonly onFailure: FailurePolicy;
  readonly maxRetries: number;
  readonly backoffMs: number;
  /** The answer is this list; undefined: a text. */
  readonly answer: readonly string[] | undefined;
  /** Of each element of a list, over and over; what comes behind the last one succeeds. */
  readonly tries: readonly (readonly Outcome[])[];
  readonly decision: { readonly approved: boolean; readonly afterMs: number };
}

export interface Play {
  /** Each behind those that it needs. */
  readonly steps: readonly StepPlay[];
  /** They are handed in the other way round. */
  readonly isReversed: boolean;
  readonly items: readonly string[];
  /** Steps whose results make that of the whole; undefined: it is left to the rule. */
  readonly output: readonly string[] | undefined;
  readonly maxParallel: number;
  /** A model plans the steps. */
  readonly plan:
    | { readonly tries: readonly Outcome[]; readonly decision: StepPlay['decision'] | undefined }
    | undefined;
}

export const TASK = 'the task';

export const BOUNDS: WorkflowBounds = {
  maxSteps: 50,
  maxDepth: 50,
  maxItems: 5,
  maxParallel: 50,
  maxDeadlineMs: 1_000_000,
  maxSchemaBytes: 16_384,
  maxTemplateBytes: 100_000,
};

const policy = fc.constantFrom<FailurePolicy>('FAIL', 'CONTINUE', 'CONTINUE');
const outcome = fc.record<Outcome>({
  end: fc.oneof(
    { weight: 12, arbitrary: fc.constant<Outcome['end']>('succeeds') },
    { weight: 4, arbitrary: fc.constant<Outcome['end']>('fails') },
    { weight: 1, arbitrary: fc.constant<Outcome['end']>('fails for good') },
  ),
  takesMs: fc.integer({ min: 0, max: 400 }),
  restarts: fc.boolean(),
});
const decision = fc.record({
  approved: fc.oneof(
    { weight: 6, arbitrary: fc.constant(true) },
    { weight: 1, arbitrary: fc.constant(false) },
  ),
  afterMs: fc.integer({ min: 0, max: 500 }),
});
const words = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 5, size: 'max' });

/** A step before it is known how many there are in front of it; numbers stand for those. */
const rough = fc.record({
  kind: fc.oneof(
    { weight: 7, arbitrary: fc.constant<StepKind>('MODEL') },
    { weight: 2, arbitrary: fc.constant<StepKind>('TRANSFORM') },
    { weight: 1, arbitrary: fc.constant<StepKind>('APPROVAL') },
  ),
  behind: fc.array(fc.nat(100), { maxLength: 2 }),
  refs: fc.array(fc.nat(100), { maxLength: 3 }),
  join: fc.constantFrom<Join>('ALL', 'ALL', 'ANY'),
  condition: fc.option(fc.record({ ref: fc.nat(100), isEmpty: fc.boolean() }), { nil: undefined, freq: 5 }),
  list: fc.option(
    fc.record({
      from: fc.option(fc.nat(100), { nil: undefined, freq: 2 }),
      joinWith: fc.constantFrom(undefined, ' | '),
      maxParallel: fc.integer({ min: 1, max: 4 }),
      onItemFailure: policy,
    }),
    { nil: undefined, freq: 3 },
  ),
  onFailure: policy,
  maxRetries: fc.nat(2),
  backoffMs: fc.constantFrom(0, 10, 300),
  answer: fc.option(words, { nil: undefined, freq: 3 }),
  tries: fc.array(fc.array(outcome, { maxLength: 3, size: 'max' }), {
    minLength: 1,
    maxLength: 3,
    size: 'max',
  }),
  decision,
});
type Rough = typeof rough extends fc.Arbitrary<infer Value> ? Value : never;

function settled(step: Rough, index: number, all: readonly Rough[]): StepPlay {
  const earlier = (numbers: readonly number[]) =>
    index === 0 ? [] : [...new Set(numbers.map(number => `s${number % index}`))];
  const [conditional] = step.condition ? earlier([step.condition.ref]) : [];
  const lists = all
    .slice(0, index)
    .flatMap(({ answer, kind, list }, at) => (answer && kind === 'MODEL' && !list ? [at] : []));
  // Mostly a step that answers with a list, but any may be asked for one.
  const number = step.list?.from ?? 0;
  const source =
    lists.length > 0 && number % 5 > 0 ? `s${lists[number % lists.length]}` : earlier([number])[0];
  return {
    ...step,
    id: `s${index}`,
    behind: earlier(step.behind),
    refs: earlier(step.refs),
    condition: conditional === undefined ? undefined : { ref: conditional, isEmpty: step.condition!.isEmpty },
    list:
      step.list && step.kind === 'MODEL'
        ? { ...step.list, from: step.list.from === undefined ? undefined : source }
        : undefined,
  };
}

const steps = fc
  .array(rough, { minLength: 1, maxLength: 9, size: 'max' })
  .map(all => all.map((step, index) => settled(step, index, all)));

/** As a plan can have them: prompts and what they need. */
function plain(step: StepPlay): StepPlay {
  return {
    ...step,
    kind: 'MODEL',
    join: 'ALL',
    condition: undefined,
    list: undefined,
    onFailure: 'FAIL',
    maxRetries: 1,
    backoffMs: 1_000,
  };
}

const planTries = fc.array(
  fc.record<Outcome>({
    end: fc.constantFrom('succeeds', 'fails', 'answers nonsense', 'answers nonsense'),
    takesMs: fc.nat(100),
    restarts: fc.boolean(),
  }),
  { maxLength: 3, size: 'max' },
);

export const play: fc.Arbitrary<Play> = fc
  .record({
    steps,
    isReversed: fc.boolean(),
    items: words,
    output: fc.option(fc.array(fc.nat(100), { maxLength: 3 }), { nil: undefined, freq: 2 }),
    maxParallel: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant(50)),
    plan: fc.option(fc.record({ tries: planTries, decision: fc.option(decision, { nil: undefined }) }), {
      nil: undefined,
      freq: 8,
    }),
  })
  .map(({ output, ...rest }) => ({
    ...rest,
    steps: rest.plan ? rest.steps.map(plain) : rest.steps,
    output: output?.map(number => `s${number % rest.steps.length}`),
  }));

/** What is handed in for it. */
export function inputOf({ steps, isReversed, items, output, maxParallel, plan }: Play): WorkflowInput {
  const inputs = steps.map(stepInputOf);
  return {
    steps: plan ? [] : isReversed ? inputs.reverse() : inputs,
    parameters: { items },
    output: output && (output.map(id => `<{{steps.${id}.output}}>`).join('') || 'nothing'),
    approvePlan: plan?.decision !== undefined,
    limits: { maxParallel },
  };
}

function stepInputOf(step: StepPlay): StepInput {
  const { id, kind, behind, join, condition, list, onFailure, maxRetries, backoffMs, refs } = step;
  const text = [
    id,
    ...refs.map(ref => `{{steps.${ref}.output}}`),
    ...(list ? ['{{item}} {{index}}'] : []),
  ].join(' ');
  return {
    id,
    kind,
    [kind === 'TRANSFORM' ? 'template' : 'prompt']: text,
    dependsOn: behind,
    join,
    condition: condition && { value: `{{steps.${condition.ref}.output}}`, isEmpty: condition.isEmpty },
    forEach: list && {
      ...list,
      items: list.from === undefined ? 'parameters.items' : `steps.${list.from}.json`,
    },
    retry: { maxRetries, backoffMs },
    onFailure,
  };
}

/** The answer of the planning model. */
export function planOf({ steps }: Play): string {
  return JSON.stringify({
    steps: steps.map(step => {
      const { id, prompt } = stepInputOf(step);
      return { id, title: id, prompt, dependsOn: step.behind };
    }),
  });
}
