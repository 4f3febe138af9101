// A share of one processor, which a process and its children may not exceed, by Linux' control groups. What is limited
// so leaves the rest of the machine to those who load it and serve it, as machines of their own would.

import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = '/sys/fs/cgroup';
/** Short: at the usual 100 ms a process that used up its share would stand still for most of it. */
const PERIOD_US = 10_000;

export interface ProcessorShare {
  /** A process that writes its id into this file belongs to it, and so do the children that it makes then. */
  readonly members: string;
  /** When all its members have ended. */
  close(): void;
}

let made = 0;

/** `processors`: how many it may use, such as 0.2. Throws where control groups cannot be made: that takes root. */
export function createProcessorShare(processors: number): ProcessorShare {
  made += 1;
  // Version 1 has a tree for each resource.
  const isFirst = existsSync(join(ROOT, 'cpu/cpu.cfs_quota_us'));
  const group = join(ROOT, isFirst ? 'cpu' : '', `mcplane-bench-${process.pid}-${made}`);
  const quotaUs = Math.round(processors * PERIOD_US);
  if (!isFirst) writeFileSync(join(ROOT, 'cgroup.subtree_control'), '+cpu');
  mkdirSync(group);
  const set = (name: string, value: string) => writeFileSync(join(group, name), value);
  if (isFirst) {
    set('cpu.cfs_period_us', String(PERIOD_US));
    set('cpu.cfs_quota_us', String(quotaUs));
  } else set('cpu.max', `${quotaUs} ${PERIOD_US}`);
  return { members: join(group, 'cgroup.procs'), close: () => rmdirSync(group) };
}
