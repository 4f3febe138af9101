// What an owner of a workflow has around it: a database and requests of steps that it reaches only while it lives.

import { StoreUnavailable } from '../../src/store/unavailable.ts';
import type { WorkflowsDeps } from '../../src/workflows/workflows.ts';
import type { Cluster } from './cluster.ts';
import type { createNews } from './news.ts';
import type { Owner } from './owner.ts';
import { BOUNDS } from './plays.ts';
import type { RunRepository } from './rows.ts';

interface Parts {
  readonly cluster: Cluster;
  readonly workflows: RunRepository;
  readonly news: ReturnType<typeof createNews>;
  readonly newId: () => string;
  /** Nothing else moves until it is done. */
  readonly counted: <Result>(work: () => Promise<Result>) => Promise<Result>;
  /** Something went wrong that no outage explains. */
  readonly onFault: (fault: unknown) => void;
}

export function depsOf(
  owner: Owner,
  { cluster, workflows, news, newId, counted, onFault }: Parts,
): WorkflowsDeps {
  const called =
    <Given extends readonly unknown[], Result>(work: (...given: Given) => Promise<Result>) =>
    (...given: Given) =>
      owner.call(() => counted(() => work(...given)));
  const knowing = <Told extends { readonly pausedAt: Date | undefined } | undefined>(told: Told): Told => {
    owner.knowsOfPause = told?.pausedAt !== undefined;
    return told;
  };
  const store = {
    workflows: {
      begin: called(async (...given: Parameters<RunRepository['begin']>) =>
        knowing(await workflows.begin(...given)),
      ),
      advance: called(workflows.advance),
      acts: called(async (id: string) => knowing(await workflows.acts(id))),
      park: called(workflows.park),
      spentBeside: called(async (_id: string, except: readonly string[]) => ({
        costNanoUsd: cluster.spent(except),
        usage: undefined,
      })),
    },
  };
  const steps = {
    ...cluster,
    submit: called(cluster.submit),
    request: called(cluster.request),
    body: called(cluster.body),
    cancel: called(cluster.cancel),
    nextChange: (_id: string, atMostMs: number, signal: AbortSignal) => news.next(owner, atMostMs, signal),
  };
  const own: Omit<WorkflowsDeps, 'store' | 'gateway' | 'steps' | 'log'> = {
    clock: owner.clock,
    bounds: BOUNDS,
    maxPromptBytes: 100_000,
    newId,
    onStepEnded: () => {},
  };
  const log = {
    warn: ({ error }: { error: unknown }) => {
      if (!(error instanceof StoreUnavailable)) onFault(error);
    },
  };
  return { ...own, store, steps: () => steps, log } as unknown as WorkflowsDeps;
}
