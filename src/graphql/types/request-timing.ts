// When things happened to a request, and how long they took.

import { builder } from '../builder.ts';
import { loading } from '../loading.ts';
import { ModelRequestType } from './request.ts';

/** The most that an Int holds: 24 days. */
const MAX_SPAN_MS = 2 ** 31 - 1;

function span(from: Date | undefined, to: Date | undefined): number | undefined {
  return from && to && Math.min(MAX_SPAN_MS, Math.max(0, to.getTime() - from.getTime()));
}

builder.objectFields(ModelRequestType, t => ({
  createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was accepted.' }),
  startedAt: t.expose('startedAt', {
    type: 'DateTime',
    nullable: true,
    description:
      'When it left the queue for the first time; it waits once more when the instance that ran it stops.',
  }),
  firstTokenAt: t.expose('firstTokenAt', {
    type: 'DateTime',
    nullable: true,
    description: 'When the first token came.',
  }),
  finishedAt: t.expose('finishedAt', {
    type: 'DateTime',
    nullable: true,
    description: 'When it came into its final state.',
  }),
  queuePosition: t.loadable({
    type: 'Int',
    nullable: true,
    description:
      'Its place among all that wait, 1 for the one that is next; 10000 stands for that place and those behind it. Null unless QUEUED. It can grow: a request of higher priority goes ahead.',
    complexity: 5,
    ...loading((ids, context) => context.store.queue.positions(ids)),
    resolve: request => (request.status === 'QUEUED' ? request.id : null),
  }),
  waitMs: t.int({
    nullable: true,
    description:
      'Milliseconds from acceptance to the start, and so far while it waits for that; to the final state when it never started.',
    resolve: request => span(request.createdAt, request.startedAt ?? request.finishedAt ?? new Date()),
  }),
  timeToFirstTokenMs: t.int({
    nullable: true,
    description: 'Milliseconds from acceptance to the first token, waiting included.',
    resolve: request => span(request.createdAt, request.firstTokenAt),
  }),
  durationMs: t.int({
    nullable: true,
    description: 'Milliseconds from acceptance to the final state.',
    resolve: request => span(request.createdAt, request.finishedAt),
  }),
  overheadMs: t.exposeFloat('overheadMs', {
    nullable: true,
    description: 'Milliseconds spent in the control plane itself, without waiting for a provider or a slot.',
  }),
}));
