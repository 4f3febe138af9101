// The servers of a run, each a process of its own that the run starts and stops, and what they cost: processor time and
// memory as the system counts them (Linux).

import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { ProcessorShare } from './processor-share.ts';

export interface Server {
  readonly name: string;
  readonly url: string;
  /** Processor time used so far, children included. */
  cpuMs(): number;
  rssBytes(): number;
  readonly pid: number;
  /** Resolves with the first match in what it prints from now on. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  /** Told each line that it prints from now on. */
  listen(listener: (line: string) => void): void;
  stop(): Promise<void>;
}

interface StartOptions {
  readonly name: string;
  /** Arguments for node. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Finds the address in what the process prints. */
  readonly address?: RegExp;
  /** Known beforehand; then `address` only tells when it is ready. */
  readonly url?: string;
  /** Which it may not exceed. */
  readonly share?: ProcessorShare | undefined;
}

/** Clock ticks of the kernel's process statistics. */
const TICK_MS = 10;

export async function startServer({
  name,
  args,
  env = {},
  cwd,
  address = /(http:\/\/[\d.]+:\d+)/,
  url,
  share,
}: StartOptions): Promise<Server> {
  const node = [process.execPath, ...args];
  const [program, ...rest] = share
    ? ['sh', '-c', 'echo $$ > "$0" && exec "$@"', share.members, ...node]
    : node;
  const child = spawn(program!, rest, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd && { cwd }),
  });
  // Also when the run itself breaks down.
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  const printed = new EventEmitter<{ line: [string] }>();
  for (const stream of [child.stdout!, child.stderr!])
    createInterface({ input: stream }).on('line', line => printed.emit('line', line));
  const found = await ready(child, name, { printed, address });
  return {
    name,
    url: url ?? found,
    pid: child.pid!,
    says: pattern => match(printed, pattern),
    listen: listener => void printed.on('line', listener),
    cpuMs: () => family(child.pid!).reduce((sum, pid) => sum + cpuOf(pid), 0),
    rssBytes: () => family(child.pid!).reduce((sum, pid) => sum + rssOf(pid), 0),
    async stop() {
      process.off('exit', kill);
      if (child.exitCode !== null) return;
      const ended = once(child, 'exit');
      kill();
      await ended;
    },
  };
}

type Printed = EventEmitter<{ line: [string] }>;

async function ready(
  child: ChildProcess,
  name: string,
  { printed, address }: { printed: Printed; address: RegExp },
): Promise<string> {
  const seen: string[] = [];
  const keep = (line: string) => seen.push(line);
  printed.on('line', keep);
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${name} ended before it was ready:\n${seen.join('\n')}`);
  });
  const [, found] = await Promise.race([match(printed, address), ended]);
  ended.catch(() => {});
  printed.off('line', keep);
  return found ?? '';
}

function match(printed: Printed, pattern: RegExp): Promise<RegExpExecArray> {
  const { promise, resolve } = Promise.withResolvers<RegExpExecArray>();
  const look = (line: string) => {
    const found = pattern.exec(line);
    if (!found) return;
    printed.off('line', look);
    resolve(found);
  };
  printed.on('line', look);
  return promise;
}

function family(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return [pid, ...(children === '' ? [] : children.split(' ').flatMap(child => family(Number(child))))];
  } catch {
    return [pid];
  }
}

function cpuOf(pid: number): number {
  // Behind the name, which may hold spaces: state is the first, user and system time the 12th and 13th field.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

function rssOf(pid: number): number {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes ?? 0) * 1_024;
}
