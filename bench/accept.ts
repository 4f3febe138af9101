// What it costs to answer a submission only when it is durable: group commit against one statement for each request,
// and against no database at all. Needs TEST_PG_URL for figures with fsync; else it starts a server without it.

import { addedOf, type Figure, type Report, ratiosOf, table } from './accept/report.ts';
import { openWays, type Ways } from './accept/ways.ts';
import { mediansOf } from './measure/figures.ts';
import { closedLoop, type Measured, openLoop } from './measure/load.ts';
import { higher } from './measure/ratios.ts';
import type { BenchOptions, BenchResult } from './run.ts';

const ROUNDS = 5;
const CALLERS = [1, 10, 64, 256];
const CLOSED_MS = 300;
const PER_SECOND = 1_000;
const OPEN_MS = 600;
/** On a machine that is busy with something else: no round is begun after this. */
const BUDGET_MS = 45_000;

export async function run({ seed, rounds: wanted = ROUNDS }: BenchOptions): Promise<BenchResult> {
  const opened = await openWays();
  try {
    const { figures, rounds } = await measure(opened, wanted, seed);
    const report: Report = {
      benchmark: 'accept',
      databases: opened.databases,
      rounds,
      ratios: ratiosOf(figures),
      added: addedOf(figures),
      perSecondOffered: PER_SECOND,
      figures,
    };
    const ratios = report.ratios.flatMap(({ ratio, byCallers }) =>
      Object.entries(byCallers).map(([callers, value]) => higher(`${ratio}, ${callers} callers`, value)),
    );
    return { json: report, text: table(report), ratios };
  } finally {
    await opened.close();
  }
}

/** Every way in every round, so that what disturbs the machine disturbs all of them. */
async function measure({ ways, clear }: Ways, wanted: number, seed: number) {
  const runs = ways.flatMap(way => [
    ...CALLERS.map(callers => ({
      way,
      callers,
      once: () => closedLoop(way.accept, callers, CLOSED_MS),
    })),
    // One row after the other need not keep up, and would then measure its own queue.
    ...(way.serial
      ? []
      : [
          {
            way,
            callers: undefined,
            once: () => openLoop(way.accept, { perSecond: PER_SECOND, durationMs: OPEN_MS, seed }),
          },
        ]),
  ]);
  // Connections, statements and compiled code.
  for (const { accept } of ways) await closedLoop(accept, 32, CLOSED_MS);
  const found = new Map(runs.map(each => [each, [] as Measured[]]));
  const untilMs = performance.now() + BUDGET_MS;
  let rounds = 0;
  for (; rounds < wanted && performance.now() < untilMs; rounds++) {
    await clear();
    for (const each of runs) found.get(each)!.push(await each.once());
  }
  const figures: Figure[] = runs.map(each => ({
    way: each.way.name,
    callers: each.callers,
    ...mediansOf(found.get(each)!),
  }));
  return { figures, rounds };
}
