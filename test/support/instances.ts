// Two servers over one store, as an installation of several instances has them, and power over the first one's pulse.

import type { TestContext } from 'node:test';
import { requestError } from '../../src/domain/request.ts';
import type { Store } from '../../src/store/store.ts';
import { startTestApp, type TestApp } from './app.ts';
import { openTestDatabase, type TestDatabase } from './database.ts';

export interface Instance extends TestApp {
  /** The ids under which it has registered, the present one last. */
  readonly ids: readonly string[];
  /** Its heartbeats wait from now on, as those of a process that hangs; resolves when none is under way. */
  freeze(): Promise<void>;
  thaw(): void;
}

export interface Instances extends TestDatabase {
  readonly first: Instance;
  readonly second: Instance;
  /** What an instance does to another that was silent for too long. */
  declareDead(instance: Instance): Promise<void>;
}

type Environment = Record<string, string>;

/** `environments`: what the first and the second have each for itself. */
export async function startInstances(
  t: TestContext,
  common: Environment,
  [ofFirst, ofSecond]: readonly [Environment, Environment] = [{}, {}],
): Promise<Instances> {
  const { store: opened, db } = await openTestDatabase(t);
  // As on a server: nobody takes the others for what the last process left behind.
  const store: Store = { ...opened, info: { ...opened.info, kind: 'postgres' }, close: async () => {} };
  const first = await startInstance(t, { ...common, ...ofFirst }, store);
  const second = await startInstance(t, { ...common, ...ofSecond }, store);
  return {
    store,
    db,
    first,
    second,
    async declareDead({ ids }) {
      await store.instances.retire(ids.at(-1)!);
      const error = requestError('INTERNAL', 'The server died too often.');
      await store.transaction(inside => inside.queue.recover([ids.at(-1)!], 3, error));
    },
  };
}

async function startInstance(t: TestContext, env: Environment, store: Store): Promise<Instance> {
  const ids: string[] = [];
  let pulse = Promise.withResolvers<void>();
  pulse.resolve();
  let beating: Promise<unknown> = Promise.resolve();
  const instances: Store['instances'] = {
    ...store.instances,
    register(id, ...rest) {
      ids.push(id);
      return store.instances.register(id, ...rest);
    },
    async beat(id) {
      await pulse.promise;
      const beat = store.instances.beat(id);
      beating = beat.catch(() => {});
      return beat;
    },
  };
  const app = await startTestApp(t, env, async () => ({ ...store, instances }));
  t.after(() => pulse.resolve());
  return {
    ...app,
    ids,
    async freeze() {
      pulse = Promise.withResolvers();
      await beating;
    },
    thaw: () => pulse.resolve(),
  };
}
