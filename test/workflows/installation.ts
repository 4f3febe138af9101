// An installation with one workflow, under a clock that jumps from event to event: owners come and go, people act, and
// every write is looked at.

import assert from 'node:assert/strict';
import { createRandom } from '../../bench/routing/random.ts';
import { isTerminal } from '../../src/domain/request.ts';
import type { StepState, WorkflowSpec } from '../../src/domain/workflow.ts';
import type { WorkflowArrival, WorkflowJourney } from '../../src/gateway/steps.ts';
import { StoreUnavailable } from '../../src/store/unavailable.ts';
import type { RunChange } from '../../src/store/workflows.ts';
import { runWorkflow } from '../../src/workflows/run-workflow.ts';
import type { WorkflowsDeps } from '../../src/workflows/workflows.ts';
import { turn } from '../gateway/attempt-setup.ts';
import { aSpec } from '../store/samples.ts';
import { createTestClock } from '../support/clock.ts';
import { type Cluster, createCluster } from './cluster.ts';
import { createNews } from './news.ts';
import { type Fate, Owner } from './owner.ts';
import { BOUNDS } from './plays.ts';
import type { Rows } from './rows.ts';
import type { Act, Schedule } from './schedules.ts';
import { Watch } from './watch.ts';

const LEASE_MS = 500;
const AFTER_ACTS_MS = 1_000;
/** Far more than any schedule needs. */
const MOST_TURNS = 20_000;
const COMMENT = 'because';

export class Installation {
  readonly cluster: Cluster;
  readonly rows: Rows;
  /** How the run has ended. */
  end: WorkflowArrival | undefined;
  /** Who has it in hand, or had it last. */
  owner!: Owner;
  /** What went wrong that no outage explains. */
  readonly faults: unknown[] = [];
  /** Owns it as the database has it. */
  #isOwned = false;
  /** How many have had it. */
  owners = 0;
  readonly #schedule: Schedule;
  readonly #spec: WorkflowSpec;
  readonly #clock = createTestClock();
  readonly #random: () => number;
  readonly #news = createNews();
  readonly #asked = new Set<string>();
  readonly #createdAt = new Date(this.#clock.now());
  readonly #watch: Watch;
  #isCancelWished = false;
  #pending = 0;
  #ids = 0;

  constructor(schedule: Schedule, spec: WorkflowSpec, rows: Rows) {
    this.#schedule = schedule;
    this.#spec = spec;
    this.rows = rows;
    this.#watch = new Watch(spec);
    this.#random = createRandom(schedule.seed);
    this.cluster = createCluster(schedule.play, rows, this.#clock);
  }

  /** Until the workflow has ended and nothing moves any more. */
  async live(): Promise<void> {
    for (const { atMs, what } of this.#schedule.acts) this.#at(atMs, () => this.#act(what));
    const last = Math.max(0, ...this.#schedule.acts.map(({ atMs }) => atMs));
    this.#at(last + AFTER_ACTS_MS, () => this.#act('resume'));
    await this.#start();
    for (let turns = 0; !this.end || this.#hasRest(); turns += 1) {
      assert.ok(turns < MOST_TURNS, `the workflow never ends: ${JSON.stringify(this.#watch.states)}`);
      do await turn();
      while (this.#pending > 0);
      if (!this.#clock.advanceToNext()) assert.ok(this.end, 'nothing is to come, and it has not ended');
    }
  }

  /** Owners that stand still wake up, and may do harm yet. */
  #hasRest(): boolean {
    return this.#clock.nextMs() !== undefined && this.#clock.nextMs()! < 60_000 + this.#endedMs;
  }
  #endedMs = 0;

  #at(delayMs: number, work: () => Promise<void>): void {
    this.#clock.after(delayMs, () => void this.#counted(work));
  }

  async #counted<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#pending += 1;
    return work().finally(() => {
      this.#pending -= 1;
    });
  }

  async #start(): Promise<void> {
    const epoch = await this.rows.claim();
    const { fates, troubles } = this.#schedule;
    const owner: Owner = new Owner({
      epoch,
      clock: this.#clock,
      random: this.#random,
      troubles,
      fate: fates[this.owners],
      onDown: fate => this.#down(owner, fate),
    });
    this.owner = owner;
    this.owners += 1;
    this.#isOwned = true;
    void this.#carry(owner);
  }

  async #carry(owner: Owner): Promise<void> {
    const arrival = await runWorkflow(this.#journeyOf(owner), this.#depsOf(owner));
    const { reason } = owner.controller.signal;
    if (reason === 'fenced') return;
    if (reason === 'shutdown' && arrival.status === 'CANCELLED') {
      await owner.certain(() => this.#counted(() => this.rows.giveBack(owner.epoch)));
      this.#at(LEASE_MS >> 3, () => this.#takeUp());
      return;
    }
    const isStored = await owner.certain(() =>
      this.#counted(async () => {
        const stored = await this.rows.finish(owner.epoch, arrival.status);
        if (stored) this.#ended(arrival);
        return stored;
      }),
    );
    assert.ok(isStored || !this.#owns(owner), 'the end of the one who owns it is taken');
  }

  #owns(owner: Owner): boolean {
    return this.#isOwned && owner === this.owner;
  }

  #ended(arrival: WorkflowArrival): void {
    assert.equal(this.end, undefined, 'it ends once');
    this.end = arrival;
    this.#endedMs = this.#clock.monotonic();
    assert.deepEqual(this.cluster.open(), [], 'no step outlives its workflow');
  }

  #down(owner: Owner, { how, forMs, unawareMs }: Fate): void {
    const isBack = how === 'stands still' && forMs < LEASE_MS;
    if (how === 'stands still')
      this.#clock.after(forMs, () => {
        owner.thaw();
        if (isBack && this.#isCancelWished) owner.stop('cancelled');
        if (!isBack) this.#clock.after(unawareMs, () => owner.stop('fenced'));
      });
    if (isBack) return;
    this.#at(LEASE_MS, async () => {
      await this.rows.recover();
      this.#isOwned = false;
      await this.#takeUp();
    });
  }

  /** Whoever is next takes what waits. */
  async #takeUp(): Promise<void> {
    if (this.end || isTerminal(await this.rows.status())) return;
    if (this.#isCancelWished) await this.#cancelWaiting();
    else await this.#start();
  }

  async #act(what: Act['what']): Promise<void> {
    if (this.end) return;
    if (what === 'stop') {
      if (this.owner.isUp) this.owner.stop('shutdown');
    } else if (what === 'cancel') await this.#cancel();
    else {
      await this.rows.workflows.setPaused(this.rows.id, what === 'pause');
      this.#tell();
    }
  }

  async #cancel(): Promise<void> {
    if (await this.#cancelWaiting()) return;
    this.#isCancelWished = true;
    if (this.owner.isUp) this.owner.stop('cancelled');
  }

  async #cancelWaiting(): Promise<boolean> {
    if (!(await this.rows.cancelWaiting())) return false;
    for (const id of this.cluster.open()) await this.cluster.cancel({ id } as never);
    this.#ended({ status: 'CANCELLED', output: undefined, error: undefined });
    return true;
  }

  #tell(): void {
    if (!this.#schedule.isDeaf) this.#news.tell();
  }

  #journeyOf(owner: Owner): WorkflowJourney {
    return {
      request: {
        id: this.rows.id,
        epoch: owner.epoch,
        createdAt: this.#createdAt,
      } as WorkflowJourney['request'],
      spec: aSpec({ taskType: 'WORKFLOW', workflow: this.#spec }),
      signal: owner.controller.signal,
      emit: event => void owner.events.push(event),
    };
  }

  #depsOf(owner: Owner): WorkflowsDeps {
    const { cluster, rows } = this;
    const called =
      <Given extends readonly unknown[], Result>(work: (...given: Given) => Promise<Result>) =>
      (...given: Given) =>
        owner.call(() => this.#counted(() => work(...given)));
    const { workflows } = rows;
    const store = {
      workflows: {
        begin: called(async (...given: Parameters<typeof workflows.begin>) => {
          const stored = await workflows.begin(...given);
          owner.knowsOfPause = stored?.pausedAt !== undefined;
          return stored;
        }),
        advance: called((change: RunChange) => this.#advance(owner, change)),
        specsByIds: called(async (ids: readonly string[]) => {
          const [run] = await workflows.specsByIds(ids);
          owner.knowsOfPause = run?.pausedAt !== undefined;
          return [run];
        }),
        decisions: called(workflows.decisions),
        spendingByIds: called(async () => [{ costNanoUsd: cluster.spent([]), usage: undefined }]),
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
      nextChange: (_id: string, atMostMs: number, signal: AbortSignal) =>
        this.#news.next(owner, atMostMs, signal),
    };
    const own: Omit<WorkflowsDeps, 'store' | 'gateway' | 'steps' | 'log'> = {
      clock: owner.clock,
      bounds: BOUNDS,
      maxPromptBytes: 100_000,
      newId: () => `00000000-0000-7000-8000-${String(++this.#ids).padStart(12, '0')}`,
      onStepEnded: () => {},
    };
    const log = {
      warn: ({ error }: { error: unknown }) => {
        if (!(error instanceof StoreUnavailable)) this.faults.push(error);
      },
    };
    return { ...own, store, steps: () => steps, log } as unknown as WorkflowsDeps;
  }

  async #advance(owner: Owner, change: RunChange) {
    const { knowsOfPause } = owner;
    const written = await this.rows.workflows.advance(change);
    if (!this.#owns(owner)) assert.equal(written, undefined, 'who lost the workflow writes nothing');
    if (!written) return undefined;
    owner.knowsOfPause = written.pausedAt !== undefined;
    const now = this.#watch.written(await this.rows.states(), change.spec, knowsOfPause);
    for (const state of now) if (state.status === 'WAITING') this.#decideLater(state);
    return written;
  }
  #decideLater({ stepId }: StepState): void {
    if (this.#asked.has(stepId)) return;
    this.#asked.add(stepId);
    const { play } = this.#schedule;
    const { approved, afterMs } =
      stepId === 'approve-plan' ? play.plan!.decision! : play.steps.find(({ id }) => id === stepId)!.decision;
    this.#at(afterMs, async () => {
      await this.rows.workflows.decide(this.rows.id, { stepId, approved, by: 'somebody', comment: COMMENT });
      this.#tell();
    });
  }
}
