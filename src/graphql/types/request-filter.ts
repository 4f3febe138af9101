// Which requests a caller means, within those the caller may see.

import { type Actor, authorize, can, type Permission } from '../../domain/access.ts';
import { badInput } from '../../domain/errors.ts';
import { idOf } from '../../domain/ids.ts';
import type { RequestFilter } from '../../store/store.ts';
import { builder } from '../builder.ts';
import { RequestStatusEnum, TaskTypeEnum } from './enums.ts';

export const TimeRangeInput = builder.inputType('TimeRangeInput', {
  description: 'A span of time; either end may be left open.',
  fields: t => ({
    from: t.field({ type: 'DateTime', description: 'From this moment on.' }),
    to: t.field({ type: 'DateTime', description: 'Up to, not including, this moment.' }),
  }),
});

export const RequestFilterInput = builder.inputType('RequestFilter', {
  description:
    'Every condition given must hold; of a list, any of its members. An empty list is no condition. Lists have at most 50 members.',
  fields: t => ({
    status: t.field({ type: [RequestStatusEnum], description: 'Where they are.' }),
    taskType: t.field({ type: [TaskTypeEnum], description: 'What they are for.' }),
    provider: t.stringList({ description: 'Ids of providers that served them.' }),
    model: t.stringList({ description: 'Names of models asked for or served, or ids of deployments.' }),
    createdAt: t.field({ type: TimeRangeInput, description: 'When they were submitted.' }),
    text: t.string({
      description:
        'Text contained in the prompt or the answer, letter case ignored. 1 to 200 characters. Looked for in the first 4,000 characters of each, of the 1,000 newest requests that meet the other conditions.',
    }),
    workflow: t.id({
      description: 'Id of a request: the steps of its workflow, which are left out otherwise.',
    }),
    includeSteps: t.boolean({
      defaultValue: false,
      description: 'Whether the steps of workflows are listed beside all others.',
    }),
    user: t.id({
      description: 'Id of the user who submitted them. For ADMIN; everybody else sees their own anyway.',
    }),
  }),
});

type TimeRange = typeof TimeRangeInput.$inferInput;

/** The filter for the store. Whoever has not the permission for all of them gets their own, whatever they ask for. */
export function toRequestFilter(
  actor: Actor,
  input: typeof RequestFilterInput.$inferInput | null | undefined,
  toSeeAny: Permission = 'request:read-any',
): RequestFilter {
  const { status, taskType, provider, model, createdAt, text, workflow, includeSteps, user } = input ?? {};
  if (text != null && (text === '' || text.length > 200 || text.includes('\0') || !text.isWellFormed()))
    throw badInput('filter.text', 'must have 1 to 200 characters of well-formed Unicode without NUL');
  return {
    userId: visibleUser(actor, user, toSeeAny),
    status: members('filter.status', status),
    taskType: members('filter.taskType', taskType),
    providerId: members('filter.provider', provider),
    model: members('filter.model', model),
    ...toCreatedBetween('filter.createdAt', createdAt),
    text: text ?? undefined,
    parentId: parentOf(workflow, includeSteps ?? false),
  };
}

export function toCreatedBetween(
  argument: string,
  range: TimeRange | null | undefined,
): Pick<RequestFilter, 'createdFrom' | 'createdTo'> {
  const { from, to } = range ?? {};
  if (from && to && from >= to) throw badInput(argument, 'must have `from` before `to`');
  return { createdFrom: from ?? undefined, createdTo: to ?? undefined };
}

function parentOf(workflow: string | null | undefined, includeSteps: boolean): string | null | undefined {
  if (workflow == null) return includeSteps ? undefined : null;
  const id = idOf('request', workflow);
  if (id === undefined) throw badInput('filter.workflow', 'is not the id of a request');
  return id;
}

function visibleUser(
  actor: Actor,
  asked: string | null | undefined,
  toSeeAny: Permission,
): string | undefined {
  const userId = asked == null ? undefined : idOf('user', asked);
  if (asked != null && userId === undefined) throw badInput('filter.user', 'is not the id of a user');
  if (can(actor, toSeeAny)) return userId;
  if (userId !== undefined && userId !== actor.userId) authorize(actor, toSeeAny);
  return actor.userId;
}

function members<Value extends string>(
  argument: string,
  list: readonly Value[] | null | undefined,
): readonly Value[] | undefined {
  if (!list?.length) return undefined;
  if (list.length > 50) throw badInput(argument, 'has more than 50 members');
  if (list.some(value => value.length > 200 || value.includes('\0') || !value.isWellFormed()))
    throw badInput(argument, 'has a member that is no such name');
  return list;
}
