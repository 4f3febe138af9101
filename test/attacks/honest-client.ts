// A client that does nobody any harm, in a thread of its own so that it waits for the server and not for the attacker:
// a cheap query again and again, and one stream after the other. Told to begin and to stop, it answers with what it saw.

import { parentPort, workerData } from 'node:worker_threads';
import { createClient } from '../../src/sdk/client.ts';

export interface HonestFigures {
  /** Milliseconds of each query, sorted. */
  readonly queriesMs: readonly number[];
  /** Streams that came whole. */
  readonly streams: number;
  /** Whatever went wrong. */
  readonly failures: readonly string[];
}

const PAUSE_MS = 20;
const WORDS = 40;

const { url, token } = workerData as { url: string; token: string };
const client = createClient({ url, token });
let isStopped = true;
let work: Promise<HonestFigures> | undefined;

parentPort!.on('message', async (order: 'begin' | 'stop' | 'leave') => {
  if (order === 'begin') {
    isStopped = false;
    work = serveOneself();
  } else if (order === 'stop') {
    isStopped = true;
    parentPort!.postMessage(await work);
  } else {
    await client.dispose();
    parentPort!.close();
  }
});

async function serveOneself(): Promise<HonestFigures> {
  const queriesMs: number[] = [];
  const failures: string[] = [];
  let streams = 0;
  const note = (error: unknown) => void failures.push(String(error));
  const ask = async () => {
    while (!isStopped) {
      const atMs = performance.now();
      await client.viewer().catch(note);
      queriesMs.push(performance.now() - atMs);
      await new Promise(resolve => setTimeout(resolve, PAUSE_MS));
    }
  };
  const follow = async () => {
    do {
      const stream = client.stream({ prompt: `[[words:${WORDS}]] go on`, model: 'simulated/fast' });
      const words = await stream.final().then(({ text }) => text.split(' ').length, note);
      // The label comes before them.
      if (words === WORDS + 1) streams += 1;
      else note(`a stream of ${words} words`);
    } while (!isStopped);
  };
  await Promise.all([ask(), follow()]);
  return { queriesMs: queriesMs.sort((a, b) => a - b), streams, failures };
}
