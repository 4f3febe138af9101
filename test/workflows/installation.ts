// An installation with one workflow, under a clock that jumps from event to event: owners come and go, people act, and
// every write is looked at.

import assert from 'node:assert/strict';
import { createRandom } from '../../bench/routing/random.ts';
import type { StepState, WorkflowSpec } from '../../src/domain/workflow.ts';
import type { WorkflowArrival, WorkflowJourney } from '../../src/gateway/steps.ts';
import type { Parking, RunChange } from '../../src/store/workflows.ts';
import { runWorkflow } from '../../src/workflows/run-workflow.ts';
import type { WorkflowsDeps } from '../../src/workflows/workflows.ts';
import { turn } from '../gateway/attempt-setup.ts';
import { aSpec } from '../store/samples.ts';
import { createTestClock } from '../support/clock.ts';
import { type Cluster, createCluster } from './cluster.ts';
import { depsOf } from './deps.ts';
import { createNews } from './news.ts';
import { type Fate, Owner } from './owner.ts';
import type { Rows } from './rows.ts';
import type { Act, Schedule } from './schedules.ts';
import { Watch } from './watch.ts';

const LEASE_MS = 500;
const AFTER_ACTS_MS = 1_000;
/** What nobody told of is found by a heartbeat. */
const BEAT_MS = 1_500;
const TAKING_MS = 60;
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
  #isBeingTaken = false;
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
    if (!arrival) {
      // Without an answer it does not know whether it is parked: then it is found without a holder.
      if (this.#owns(owner))
        this.#at(2 * BEAT_MS, async () => {
          await this.rows.giveBack(owner.epoch);
          await this.#takeUp();
        });
      return;
    }
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
    if (this.end || this.#isBeingTaken) return;
    if (this.#isCancelWished) {
      await this.#cancelWaiting();
      return;
    }
    this.#isBeingTaken = true;
    if ((await this.rows.status()) === 'QUEUED') await this.#start();
    this.#isBeingTaken = false;
  }

  async #act(what: Act['what']): Promise<void> {
    if (this.end) return;
    if (what === 'stop') {
      if (this.owner.isUp) this.owner.stop('shutdown');
    } else if (what === 'cancel') await this.#cancel();
    else {
      await this.rows.workflows.setPaused(this.rows.id, what === 'pause');
      this.#acted();
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

  /** Whoever has it in hand hears of it, and if nobody has, somebody takes it up. */
  #acted(): void {
    const tell = () => {
      this.#news.tell();
      this.#at(TAKING_MS, () => this.#takeUp());
    };
    if (this.#schedule.isDeaf) this.#at(BEAT_MS, async () => tell());
    else tell();
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
      sequence: () => owner.events.length,
    };
  }

  #depsOf(owner: Owner): WorkflowsDeps {
    return depsOf(owner, {
      cluster: this.cluster,
      workflows: {
        ...this.rows.workflows,
        advance: change => this.#advance(owner, change),
        park: parking => this.#park(owner, parking),
      },
      news: this.#news,
      newId: () => `00000000-0000-7000-8000-${String(++this.#ids).padStart(12, '0')}`,
      counted: work => this.#counted(work),
      onFault: fault => this.faults.push(fault),
    });
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

  async #park(owner: Owner, parking: Parking): Promise<boolean> {
    const isParked = await this.rows.workflows.park(parking);
    if (!isParked || !this.#owns(owner)) return isParked;
    assert.deepEqual(this.cluster.open(), [], 'a step runs in a workflow that is parked');
    this.#isOwned = false;
    if (this.#isCancelWished) this.#at(TAKING_MS, () => this.#takeUp());
    if (parking.wakeAt)
      this.#at(parking.wakeAt.getTime() - this.#clock.now() + BEAT_MS, async () => {
        await this.rows.wake();
        await this.#takeUp();
      });
    return true;
  }

  #decideLater({ stepId }: StepState): void {
    if (this.#asked.has(stepId)) return;
    this.#asked.add(stepId);
    const { play } = this.#schedule;
    const { approved, afterMs } =
      stepId === 'approve-plan' ? play.plan!.decision! : play.steps.find(({ id }) => id === stepId)!.decision;
    this.#at(afterMs, async () => {
      await this.rows.workflows.decide(this.rows.id, { stepId, approved, by: 'somebody', comment: COMMENT });
      this.#acted();
    });
  }
}
