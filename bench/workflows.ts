// What the steps of a workflow cost beyond the calls they make: the time between the end of one and the call of the
// next in a chain, and how long a list of 200 takes, beside a client that makes the same calls as single requests.

import { type Caller, socketCaller, workflowCaller } from './gateway/clients.ts';
import { startOurs } from './gateway/ours.ts';
import { mediansOf, percentile, table } from './measure/figures.ts';
import { higher, lower, type Ratio } from './measure/ratios.ts';
import type { BenchOptions, BenchResult } from './run.ts';
import { startClockedProvider } from './workflows/provider.ts';

const ROUNDS = 5;
const CHAIN = 50;
const LIST = 200;
/** What the provider takes for an answer. */
const CHAIN_CALL_MS = 5;
const LIST_CALL_MS = 100;

// An alias, which unlike an interface can stand for a record of numbers.
type Figures = { readonly [Name in 'gapP50Ms' | 'gapP95Ms' | 'listMs' | 'perSecond']: number };

type Provider = Awaited<ReturnType<typeof startClockedProvider>>;

export async function run({ rounds: wanted = ROUNDS }: BenchOptions): Promise<BenchResult> {
  await using stack = new AsyncDisposableStack();
  const provider = await startClockedProvider();
  stack.defer(() => provider.close());
  const ours = await startOurs({
    name: 'mcplane, durable',
    upstream: provider.url,
    env: { MCPLANE_WORKFLOW_MAX_DEPTH: '100' },
  });
  stack.defer(() => ours.stop());
  const single = await socketCaller(ours, 4);
  stack.defer(() => single.close());
  const workflows = await workflowCaller(ours);
  stack.defer(() => workflows.close());
  const ways = new Map<string, () => Promise<Figures>>([
    ['workflow', () => byWorkflow(workflows, provider)],
    ['single requests', () => bySingleRequests(single, provider)],
  ]);
  // The first round warms up.
  const found = new Map<string, Figures[]>([...ways.keys()].map(name => [name, []]));
  for (let round = 0; round <= wanted; round += 1)
    for (const [name, measure] of ways) {
      const figures = await measure();
      if (round > 0) found.get(name)!.push(figures);
    }
  return report(new Map([...found].map(([name, figures]) => [name, mediansOf(figures)])), wanted);
}

async function byWorkflow(workflows: Awaited<ReturnType<typeof workflowCaller>>, provider: Provider) {
  provider.reset();
  const step = (index: number) => ({
    id: `s${index}`,
    prompt: `tokens=4 every=0 after=${CHAIN_CALL_MS} number=${index}`,
    dependsOn: index === 0 ? [] : [`s${index - 1}`],
  });
  await workflows.run({ steps: Array.from({ length: CHAIN }, (_, index) => step(index)) });
  const gaps = provider.gaps();
  provider.reset();
  const list = { items: 'parameters.list', maxParallel: LIST };
  const startMs = performance.now();
  await workflows.run({
    parameters: { list: Array.from({ length: LIST }, (_, index) => index) },
    steps: [{ id: 'each', prompt: `tokens=4 every=0 after=${LIST_CALL_MS} number={{item}}`, forEach: list }],
  });
  return figuresOf(gaps, performance.now() - startMs);
}

async function bySingleRequests(caller: Caller, provider: Provider): Promise<Figures> {
  provider.reset();
  for (let index = 0; index < CHAIN; index += 1)
    await caller.ask(`tokens=4 every=0 after=${CHAIN_CALL_MS} number=${index}`);
  const gaps = provider.gaps();
  provider.reset();
  const startMs = performance.now();
  const asked = Array.from({ length: LIST }, (_, index) =>
    caller.ask(`tokens=4 every=0 after=${LIST_CALL_MS} number=${index}`),
  );
  await Promise.all(asked);
  return figuresOf(gaps, performance.now() - startMs);
}

function figuresOf(gaps: readonly number[], listMs: number): Figures {
  return {
    gapP50Ms: percentile(gaps, 0.5),
    gapP95Ms: percentile(gaps, 0.95),
    listMs,
    perSecond: LIST / (listMs / 1_000),
  };
}

function report(ways: ReadonlyMap<string, Figures>, rounds: number): BenchResult {
  const rows = [...ways].map(([name, { gapP50Ms, gapP95Ms, listMs, perSecond }]) => [
    name,
    gapP50Ms.toFixed(2),
    gapP95Ms.toFixed(2),
    listMs.toFixed(0),
    perSecond.toFixed(0),
  ]);
  const head = ['the same calls', 'gap p50 ms', 'gap p95 ms', `list of ${LIST}, ms`, 'steps per second'];
  const about = `Medians of ${rounds} interleaved rounds. Gap: from the end of a call to the next one in a chain of ${CHAIN}. In the list each call takes ${LIST_CALL_MS} ms.`;
  const [workflow, single] = [ways.get('workflow')!, ways.get('single requests')!];
  const ratios: Ratio[] = [
    lower('gap p50 between steps', workflow.gapP50Ms, { target: 15, unit: 'ms' }),
    lower('gap p50 between steps / single requests', workflow.gapP50Ms / single.gapP50Ms),
    higher('steps per second of a list / single requests', workflow.perSecond / single.perSecond),
  ];
  const json = { benchmark: 'workflows', rounds, ways: Object.fromEntries(ways) };
  return { json, text: `${about}\n\n${table(head, rows)}`, ratios };
}
