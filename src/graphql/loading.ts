// Batch loading: what the rows of a list ask for one by one is read in one statement. Nothing is cached beyond the
// batch, because the context of a subscription lives for hours and every event has to show what is, not what was.

import { dataloaderGetter } from '@pothos/plugin-dataloader';
import type { Context } from './context.ts';

type BatchRead<Value> = (ids: string[], context: Context) => Promise<readonly Value[]>;

const LOADER_OPTIONS = { cache: false, maxBatchSize: 500 };

/** Options of `t.loadable` and `t.loadableList`; `load` answers in the order of the ids. */
export function loading<Value>(load: BatchRead<Value>) {
  return { load: distinct(load), loaderOptions: LOADER_OPTIONS };
}

/** A loader that several fields share, or a field with arguments uses: `const histories = createLoader(…)`. */
export function createLoader<Value>(load: BatchRead<Value>) {
  return dataloaderGetter<string, Value, string>(
    LOADER_OPTIONS,
    distinct(load) as never,
    undefined,
    undefined,
  );
}

/** Without a cache the same id may stand in a batch many times; it is read once. */
function distinct<Value>(load: BatchRead<Value>) {
  return async (ids: string[], context: Context): Promise<Value[]> => {
    const unique = [...new Set(ids)];
    const values = await load(unique, context);
    const byId = new Map(unique.map((id, index) => [id, values[index] as Value]));
    return ids.map(id => byId.get(id) as Value);
  };
}
