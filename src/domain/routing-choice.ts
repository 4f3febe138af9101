// Which of the scored deployments is tried first, and in which order the others follow. Two of the best are drawn and
// the better one is taken: taking the best itself would send everybody to the same one between two measurements.

import type { HeldBackReason, RouteQuery, RoutingCandidate, SelectionReason } from './routing.ts';
import { placeIn } from './routing-filter.ts';
import { capacityOf, isDemanding, isFull, loadOf, type Scored } from './routing-score.ts';

/** What decided, for the explanation. */
export type ChoiceRule =
  | 'none'
  | 'alone'
  | 'others-held-back'
  | 'ahead'
  | 'two'
  | 'tie'
  | 'shares'
  | 'explored'
  | 'probe'
  | 'last-resort';
/** What puts the group of the chosen one before the next group. */
export type GroupRule = 'order' | 'local' | 'tier';

export interface Choice {
  /** In the order in which they are tried. */
  readonly candidates: readonly RoutingCandidate[];
  readonly rule: ChoiceRule;
  readonly draw: number | undefined;
  readonly drawn: readonly string[];
  /** Undefined when all candidates are in one group. */
  readonly setApart: GroupRule | undefined;
}

/** Draws are among those that score at most this many times the best: a draw must not make COST pick a dear one. */
const DRAW_BAND = 1.25;
/** A quality this much below the best that can serve is another tier for tasks that ask for capability. */
const TIER_WIDTH = 0.15;
/** Hot: more loaded than this share of its peers, and at least half full; below that nobody queues anywhere. */
const HOT_QUANTILE = 0.8;
const HOT_LOAD = 0.5;
/** From one call at a time to its full capacity. */
export const RAMP_MS = 30_000;
/** Share of the requests below the default priority that go to any candidate, to learn how it does. */
const EXPLORATION = 0.015;
const DEFAULT_PRIORITY = 50;

interface Ranked extends Scored {
  /** Lower groups are tried first, whatever their scores. */
  readonly group: number;
  /** Its share within an alias that prescribes shares. */
  readonly share: number | undefined;
}

export function choose(
  query: RouteQuery,
  scored: readonly Scored[],
  nowMs: number,
  random: () => number,
): Choice {
  const ranked = holdBack(rank(query, scored), nowMs);
  const [only] = ranked;
  // Whom the breaker keeps away is here only when nobody else is.
  if (only && !only.state.admits)
    return { ...NOBODY, rule: 'last-resort', candidates: [selected(only, 'LAST_RESORT')] };
  const probe = probeIn(ranked);
  if (!probe) return chooseAmong(query, ranked, random);
  // The others as if it were not there: a failed probe, or one that another request was quicker to take, costs nothing.
  const others = ranked.filter(entry => entry !== probe);
  const choice = chooseAmong(query, others, random);
  const candidates = [selected(probe, 'PROBE'), ...choice.candidates];
  return { ...choice, rule: 'probe', candidates, setApart: undefined };
}

const NOBODY: Choice = { candidates: [], rule: 'none', draw: undefined, drawn: [], setApart: undefined };

function selected({ candidate }: Ranked, reason: SelectionReason): RoutingCandidate {
  return { ...candidate, heldBack: undefined, selected: reason };
}

/**
 * The half-open deployment that this request tries first, so that one that recovered is back soon and not only when its
 * score wins. Only among those that the request would be given to in sound times: nobody who prefers local ones, or
 * prescribes an order, is used to probe another.
 */
function probeIn(ranked: readonly Ranked[]): Ranked | undefined {
  return ranked.find(
    entry =>
      entry.group === ranked[0]?.group && entry.candidate.heldBack === 'HALF_OPEN' && entry.share !== 0,
  );
}

function chooseAmong(query: RouteQuery, ranked: readonly Ranked[], random: () => number): Choice {
  const [best] = ranked;
  if (!best) return NOBODY;
  const hasRoom = !isFull(best.state);
  const group = ranked.filter(entry => entry.group === best.group && isFull(entry.state) !== hasRoom);
  const free = group.filter(entry => !entry.candidate.heldBack);
  const pool = free.length > 0 ? free : group;
  const { chosen, ...how } = take(query, pool, random);
  const order = [chosen, ...ranked.filter(entry => entry !== chosen)];
  const next = ranked[group.length];
  return {
    ...how,
    rule: group.length === 1 ? 'alone' : pool.length === 1 ? 'others-held-back' : how.rule,
    candidates: order.map(entry => entry.candidate),
    setApart: next && isFull(next.state) !== hasRoom ? groupRule(best.group, next.group) : undefined,
  };
}

interface Taken extends Pick<Choice, 'rule' | 'draw' | 'drawn'> {
  readonly chosen: Ranked;
}

/** `pool` is sorted by score and not empty. */
function take(query: RouteQuery, pool: readonly Ranked[], random: () => number): Taken {
  const best = pool[0]!;
  const shares = pool.some(entry => entry.share !== undefined);
  const contenders = pool.filter(entry => entry.candidate.score <= best.candidate.score * DRAW_BAND);
  const mayExplore = !shares && (query.priority ?? DEFAULT_PRIORITY) < DEFAULT_PRIORITY;
  const open = shares || mayExplore ? pool : contenders;
  if (open.length < 2) return { chosen: best, rule: 'ahead', draw: undefined, drawn: [] };
  const draw = random();
  const alone = (chosen: Ranked, rule: ChoiceRule): Taken => ({
    chosen,
    rule,
    draw,
    drawn: [chosen.candidate.deploymentId],
  });
  if (shares) return alone(pick(pool, entry => entry.share ?? 0, draw).item, 'shares');
  if (mayExplore && draw < EXPLORATION)
    return alone(pick(pool, () => 1, draw / EXPLORATION).item, 'explored');
  if (contenders.length < 2) return { chosen: best, rule: 'ahead', draw, drawn: [] };
  const rest = mayExplore ? (draw - EXPLORATION) / (1 - EXPLORATION) : draw;
  return { ...takeOfTwo(contenders, rest), draw };
}

function takeOfTwo(contenders: readonly Ranked[], draw: number): Omit<Taken, 'draw'> {
  // A configured weight of 0 keeps a deployment from being drawn unless it was named, and then it is as good as any.
  const weight = ({ state: { deployment } }: Ranked) => capacityOf(deployment) * (deployment.weight || 1);
  const { item: one, rest } = pick(contenders, weight, draw);
  const { item: other } = pick(
    contenders.filter(entry => entry !== one),
    weight,
    rest,
  );
  const tie = one.candidate.score === other.candidate.score;
  return {
    chosen: other.candidate.score < one.candidate.score ? other : one,
    rule: tie ? 'tie' : 'two',
    drawn: [one.candidate.deploymentId, other.candidate.deploymentId],
  };
}

/**
 * Picks by weight with a number in [0, 1). `rest` is what the number still holds: its place within the part of the
 * item that was picked, again evenly spread over [0, 1). So one number is enough for a whole decision.
 */
function pick<Item>(items: readonly Item[], weightOf: (item: Item) => number, draw: number) {
  const total = items.reduce((sum, item) => sum + weightOf(item), 0);
  let left = draw * total;
  for (const item of items) {
    const weight = weightOf(item);
    if (left < weight) return { item, rest: left / weight };
    left -= weight;
  }
  // Rounding, or weights that are all 0.
  return { item: items[Math.floor(draw * items.length)] ?? items[0]!, rest: 0 };
}

/** The digits of a group's number: the place in the alias decides before the house, the house before the tier. */
const ORDER = 4;
const DISTANT = 2;
const WEAKER = 1;

function groupRule(first: number, next: number): GroupRule {
  if (Math.floor(first / ORDER) !== Math.floor(next / ORDER)) return 'order';
  return (first & DISTANT) === (next & DISTANT) ? 'tier' : 'local';
}

/** Sorted into the order in which they would be tried, were it not for the draw. */
function rank(query: RouteQuery, scored: readonly Scored[]): Ranked[] {
  const bestQuality = Math.max(...scored.map(({ state }) => state.deployment.quality));
  const ranked = scored.map((entry): Ranked => {
    const { deployment } = entry.state;
    const place = placeIn(query, deployment);
    const distant = query.preferLocal && !deployment.local;
    // Who prescribes an order or shares has judged the capability already.
    const weaker = !place && isDemanding(query) && deployment.quality < bestQuality - TIER_WIDTH;
    const group = (place?.rank ?? 0) * ORDER + (distant ? DISTANT : 0) + (weaker ? WEAKER : 0);
    return { ...entry, group, share: place?.weight };
  });
  return ranked.sort(
    (a, b) =>
      a.group - b.group ||
      a.candidate.score - b.candidate.score ||
      (a.candidate.deploymentId < b.candidate.deploymentId ? -1 : 1),
  );
}

/**
 * Marks who is not drawn as long as somebody else of its group can be, and puts them behind the others of it. Who is
 * full comes behind all others, whatever is preferred: only those who have no choice wait.
 */
function holdBack(ranked: readonly Ranked[], nowMs: number): Ranked[] {
  const full = ranked.filter(({ state }) => isFull(state)).map(entry => hold(entry, 'FULL'));
  const roomy = ranked.filter(({ state }) => !isFull(state));
  const groups = Map.groupBy(roomy, entry => entry.group);
  const ordered = [...groups.values()].flatMap(group => {
    const loads = group.map(({ state }) => loadOf(state)).sort((a, b) => a - b);
    const quantile = loads[Math.ceil(HOT_QUANTILE * loads.length) - 1]!;
    const marked = group.map((entry): Ranked => {
      const heldBack = reasonToHold(entry, quantile, nowMs);
      return heldBack ? hold(entry, heldBack) : entry;
    });
    const held = (entry: Ranked) => entry.candidate.heldBack !== undefined;
    return [...marked.filter(entry => !held(entry)), ...marked.filter(held)];
  });
  return [...ordered, ...full];
}

function hold(entry: Ranked, heldBack: HeldBackReason): Ranked {
  return { ...entry, candidate: { ...entry.candidate, heldBack } };
}

function reasonToHold({ state }: Ranked, quantile: number, nowMs: number): HeldBackReason | undefined {
  if (state.halfOpen) return 'HALF_OPEN';
  const load = loadOf(state);
  if (load > quantile && load >= HOT_LOAD) return 'HOT';
  const progress = (nowMs - (state.rampStartedAtMs ?? Number.NEGATIVE_INFINITY)) / RAMP_MS;
  const allowed = Math.max(1, Math.floor(capacityOf(state.deployment) * progress));
  return progress < 1 && state.inFlight >= allowed ? 'RAMPING' : undefined;
}
