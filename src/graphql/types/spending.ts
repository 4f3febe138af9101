// What workflows have taken: their requests make no calls of their own, those of their steps do.

import type { ModelRequest } from '../../domain/request.ts';
import type { Spending } from '../../store/workflows.ts';
import type { Context } from '../context.ts';
import { createLoader } from '../loading.ts';

const spending = createLoader((ids, context) => context.store.workflows.spendingByIds(ids));

/** Undefined for what is no workflow. */
export async function stepSpending(request: ModelRequest, context: Context): Promise<Spending | undefined> {
  return request.taskType === 'WORKFLOW' ? spending(context).load(request.id) : undefined;
}
