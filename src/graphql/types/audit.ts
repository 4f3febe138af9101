// The audit log: who did what, when and why.

import { authorize } from '../../domain/access.ts';
import type { ChainedAuditEvent } from '../../domain/audit-chain.ts';
import { badInput } from '../../domain/errors.ts';
import { idOf, toGlobalId } from '../../domain/ids.ts';
import type { AuditFilter } from '../../store/store.ts';
import { permitted } from '../auth.ts';
import { builder } from '../builder.ts';
import { actorOf } from '../context.ts';
import { pageCost } from '../cost.ts';
import { toConnection, toPageQuery } from '../pagination.ts';
import { UserType } from './member.ts';
import { TimeRangeInput, toCreatedBetween } from './request-filter.ts';

const AuditEventType = builder.objectRef<ChainedAuditEvent>('AuditEvent').implement({
  description: 'One act worth remembering.',
  fields: t => ({
    id: t.id({
      description: 'Opaque; starts with `evt_`.',
      resolve: event => toGlobalId('auditEvent', event.id),
    }),
    at: t.expose('at', { type: 'DateTime', description: 'When it was done.' }),
    actorId: t.id({
      nullable: true,
      description: 'Id of the user who did it; null when it was the server itself or nobody known.',
      resolve: event => event.actorId && toGlobalId('user', event.actorId),
    }),
    actorName: t.exposeString('actorName', {
      nullable: true,
      description: 'Name of that user at the time.',
    }),
    action: t.exposeString('action', {
      description: 'What was done, as `noun.verb`, for example `breaker.reset`.',
    }),
    subject: t.exposeString('subject', { nullable: true, description: 'What it was done to, as an id.' }),
    reason: t.exposeString('reason', { nullable: true, description: 'Why, as the actor put it.' }),
    data: t.expose('data', {
      type: 'JSON',
      nullable: true,
      description: 'Before, after and other facts; never secrets or prompts.',
    }),
    sequence: t.exposeInt('sequence', { description: 'Its place in the log: 1, 2, … without gaps.' }),
    hash: t.exposeString('hash', {
      description:
        'SHA-256 over the entry and the hash before it. Noted elsewhere, it proves that nothing up to here was changed; see `mcplane audit verify`.',
    }),
  }),
});

const AuditEventConnection = builder.connectionObject(
  { type: AuditEventType, name: 'AuditEventConnection', description: 'A page of the audit log.' },
  { name: 'AuditEventEdge', description: 'An entry and its place in the page.' },
);

const AuditFilterInput = builder.inputType('AuditFilter', {
  description: 'Every condition given must hold.',
  fields: t => ({
    action: t.string({ description: 'Exactly this act, for example `breaker.reset`.' }),
    actor: t.id({ description: 'Id of the user who did it.' }),
    subject: t.string({
      description: 'Id of what it was done to: of a user, a key, a request, a provider, a deployment, …',
    }),
    at: t.field({ type: TimeRangeInput, description: 'When it was done.' }),
  }),
});

builder.queryField('auditEvents', t =>
  t.connection(
    {
      ...permitted('audit:read'),
      type: AuditEventType,
      description: 'The audit log, newest first.',
      args: { filter: t.arg({ type: AuditFilterInput, description: 'Only those that meet it.' }) },
      complexity: pageCost,
      resolve: async (_root, { filter, ...args }, context) => {
        authorize(actorOf(context), 'audit:read');
        const query = toPageQuery('auditEvents', args);
        return toConnection('auditEvents', await context.store.audit.page(toAuditFilter(filter), query));
      },
    },
    AuditEventConnection,
  ),
);

function toAuditFilter(input: typeof AuditFilterInput.$inferInput | null | undefined): AuditFilter {
  const { action, actor, subject, at } = input ?? {};
  const actorId = actor == null ? undefined : idOf('user', actor);
  if (actor != null && actorId === undefined) throw badInput('filter.actor', 'is not the id of a user');
  const { createdFrom: from, createdTo: to } = toCreatedBetween('filter.at', at);
  return {
    action: nameOf('filter.action', action),
    actorId,
    subject: nameOf('filter.subject', subject),
    from,
    to,
  };
}

/** What the database can look for. */
function nameOf(argument: string, name: string | null | undefined): string | undefined {
  if (name != null && (name.length > 300 || name.includes('\0') || !name.isWellFormed()))
    throw badInput(argument, 'is no such name');
  return name ?? undefined;
}

builder.objectField(UserType, 'auditEvents', t =>
  t.connection(
    {
      ...permitted('account:manage'),
      type: AuditEventType,
      description:
        "What the audit log has of the user: what they did, and what was done to them and to what is theirs, newest first. One's own, or anybody's for ADMIN; else FORBIDDEN.",
      complexity: pageCost,
      resolve: async (user, args, context) => {
        const query = toPageQuery('auditEvents', args);
        return toConnection(
          'auditEvents',
          await context.members.auditEventsOf(actorOf(context), user.id, query),
        );
      },
    },
    AuditEventConnection,
  ),
);
