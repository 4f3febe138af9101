// Servers that are killed and replaced, on each of the surroundings that they run in.

import { type TestContext, test } from 'node:test';
import { postgresMissing, postgresTestUrl } from '../support/database.ts';
import { redisMissing, sharedRedisUrl } from '../support/redis.ts';
import type { ServerProcess } from '../support/server-process.ts';
import type { World } from './world.ts';

/** Kills one of the servers, notes when, and starts another in its place. */
export async function replaceKilled(
  world: World,
  servers: ServerProcess[],
  { victim, kills }: { victim: number; kills: number[] },
): Promise<void> {
  const { process, ended } = servers[victim]!;
  kills.push(performance.now());
  process.kill('SIGKILL');
  await ended;
  servers[victim] = await world.start();
  world.balancer.pointTo(servers, { inTurn: true });
}

interface KillTest {
  readonly timeoutMs: number;
  readonly createWorld: (t: TestContext, env: Record<string, string>) => Promise<World>;
  readonly run: (t: TestContext, world: World, servers: ServerProcess[]) => Promise<void>;
}

/** One embedded instance, two on Postgres, two that share Redis besides. */
export async function testKills(
  claim: string,
  { timeoutMs: timeout, createWorld, run }: KillTest,
): Promise<void> {
  test(`embedded: ${claim}`, { timeout }, async t => {
    const world = await createWorld(t, {});
    await run(t, world, [await world.start()]);
  });

  for (const [title, needsRedis] of [
    ['two instances', false],
    ['two instances and Redis', true],
  ] as const)
    test(`${title}: ${claim}`, {
      skip: (await postgresMissing()) || (needsRedis && redisMissing()),
      timeout,
    }, async t => {
      const world = await createWorld(t, {
        DATABASE_URL: await postgresTestUrl(t),
        ...(needsRedis && { REDIS_URL: await sharedRedisUrl() }),
      });
      await run(t, world, [await world.start(), await world.start()]);
    });
}
