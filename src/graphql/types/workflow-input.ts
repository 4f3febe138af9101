// The steps of a workflow as a caller hands them in.

import { builder } from '../builder.ts';
import { FailurePolicyEnum, JoinEnum, RoutingStrategyEnum, StepKindEnum, TaskTypeEnum } from './enums.ts';

const ConditionInput = builder.inputType('WorkflowConditionInput', {
  description: 'Compares a text with something fixed. Exactly one of the comparisons is given.',
  fields: t => ({
    value: t.string({
      required: true,
      description: 'What is compared: a template, for example `{{steps.classify.output}}`.',
    }),
    equals: t.string({ description: 'It is this text.' }),
    notEquals: t.string({ description: 'It is another text.' }),
    contains: t.string({ description: 'It contains this text, letter case counted.' }),
    isEmpty: t.boolean({ description: 'Whether it has nothing but white space.' }),
    in: t.stringList({ description: 'It is one of these.' }),
  }),
});

const FanOutInput = builder.inputType('WorkflowFanOutInput', {
  description: 'Runs a step once for each element of a list; the number of elements has a limit.',
  fields: t => ({
    items: t.string({
      required: true,
      description: 'What refers to the list: `steps.ID.json.PATH`, `steps.ID.output` or `parameters.NAME`.',
    }),
    maxParallel: t.int({ description: 'How many run at the same time; 20 when left out.' }),
    joinWith: t.string({
      description: 'Put between the results. Left out: the result is a JSON array of them.',
    }),
    onItemFailure: t.field({
      type: FailurePolicyEnum,
      defaultValue: 'FAIL',
      description: 'What an element that fails does to the step.',
    }),
  }),
});

const RetryInput = builder.inputType('WorkflowRetryInput', {
  description:
    'What to do when a step fails with an error that may pass, beside the attempts that its request makes by itself.',
  fields: t => ({
    maxRetries: t.int({ description: '0 to 10; 1 when left out.' }),
    backoffMs: t.int({
      description:
        'Milliseconds before the first retry, doubled with each; 1,000 when left out, at most an hour.',
    }),
  }),
});

const WorkflowLimitsInput = builder.inputType('WorkflowLimitsInput', {
  description: 'What the whole may take. A step that does not fit any more is not begun and fails.',
  fields: t => ({
    maxCost: t.field({ type: 'Decimal', description: 'USD over all steps.' }),
    maxTokens: t.int({ description: 'Input and output of all steps; checked before each begins.' }),
    deadlineMs: t.int({
      description: 'Milliseconds from acceptance, the decisions of people included. Left out: none.',
    }),
    maxParallel: t.int({ description: 'Requests at the same time. Left out: what the server allows.' }),
  }),
});

const StepInput = builder.inputType('WorkflowStepInput', {
  description:
    'A step. Templates may refer to `{{input}}`, `{{parameters.NAME}}`, `{{steps.ID.output}}`, `{{steps.ID.json.PATH}}` and, with `forEach`, `{{item}}` and `{{index}}`; what is referred to is awaited.',
  fields: t => ({
    id: t.string({
      required: true,
      description: 'Unique in the workflow: 1 to 64 letters, digits, - and _, beginning with a letter or _.',
    }),
    title: t.string({ description: 'For people; 1 to 200 characters. Left out: the id.' }),
    kind: t.field({ type: StepKindEnum, defaultValue: 'MODEL', description: 'What carries it out.' }),
    prompt: t.string({
      description: 'MODEL: what is asked. APPROVAL: what is to be decided. A template, required for both.',
    }),
    template: t.string({ description: 'TRANSFORM: the result. A template, required.' }),
    system: t.string({ description: 'Instructions that stand above the prompt. A template.' }),
    taskType: t.field({
      type: TaskTypeEnum,
      defaultValue: 'CHAT',
      description: 'What it is for; not WORKFLOW.',
    }),
    dependsOn: t.stringList({
      description: 'Ids of steps that have to end first, beside those that its templates refer to.',
    }),
    join: t.field({
      type: JoinEnum,
      defaultValue: 'ALL',
      description: 'Which of the steps that it depends on have to succeed.',
    }),
    condition: t.field({ type: ConditionInput, description: 'It is skipped unless this holds.' }),
    forEach: t.field({
      type: FanOutInput,
      description: 'Runs it once for each element of a list. MODEL only.',
    }),
    model: t.string({ description: 'As in `SubmitRequestInput.model`.' }),
    strategy: t.field({
      type: RoutingStrategyEnum,
      description: "What routing weighs most. Left out: the workflow's own.",
    }),
    preferLocal: t.boolean({ description: "Left out: the workflow's own." }),
    maxOutputTokens: t.int({ description: 'The longest answer in tokens.' }),
    temperature: t.float({ description: '0 to 2.' }),
    outputSchema: t.field({ type: 'JSON', description: 'JSON Schema that the answer has to meet.' }),
    deadlineMs: t.int({ description: 'For its request, over all attempts.' }),
    maxCost: t.field({
      type: 'Decimal',
      description: 'USD. It is not begun when it is estimated to take more.',
    }),
    retry: t.field({ type: RetryInput, description: 'What to do when it fails.' }),
    onFailure: t.field({
      type: FailurePolicyEnum,
      defaultValue: 'FAIL',
      description: 'What its failure does to the workflow.',
    }),
  }),
});

export const WorkflowInput = builder.inputType('WorkflowInput', {
  description: 'Steps that depend on each other. They are checked before anything is accepted.',
  fields: t => ({
    steps: t.field({
      type: [StepInput],
      description: 'Left out or empty: a capable model plans them from the prompt.',
    }),
    output: t.string({
      description:
        'A template for the result. Left out: the result of the last step; of several that nobody waits for, a JSON object by id.',
    }),
    parameters: t.field({
      type: 'JSON',
      description:
        'An object: what `{{parameters.NAME}}` stands for. In a definition the defaults of its runs.',
    }),
    limits: t.field({ type: WorkflowLimitsInput, description: 'What the whole may take.' }),
    approvePlan: t.boolean({
      defaultValue: false,
      description: 'A plan made by a model waits for `decideStep` on the step `approve-plan`.',
    }),
  }),
});
