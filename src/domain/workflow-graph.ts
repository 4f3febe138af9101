// The shape of a workflow: whether its steps can all be reached, how long its longest chain is.

import { badInput } from './errors.ts';
import type { StepSpec } from './workflow.ts';

type Node = Pick<StepSpec, 'id' | 'dependsOn'>;

/** Throws BAD_USER_INPUT when steps wait for each other, or the longest chain is longer than `maxDepth`. */
export function checkGraph(steps: readonly Node[], maxDepth: number): void {
  const depths = depthsOf(steps);
  const cycle = depths.size < steps.length ? cycleIn(steps) : undefined;
  if (cycle)
    throw badInput('workflow:', `steps wait for each other and can never start: ${cycle.join(' → ')}`);
  for (const [id, depth] of depths)
    if (depth > maxDepth)
      throw badInput(
        'workflow:',
        `step "${id}" is number ${depth} of a chain, at most ${maxDepth} are accepted`,
      );
}

/** Of each step its place in the longest chain that leads to it, from 1 on. Those in or behind a cycle have none. */
export function depthsOf(steps: readonly Node[]): Map<string, number> {
  const dependents = new Map<string, string[]>();
  const open = new Map(steps.map(step => [step.id, new Set(step.dependsOn).size]));
  for (const { id, dependsOn } of steps)
    for (const other of new Set(dependsOn)) dependents.set(other, [...(dependents.get(other) ?? []), id]);
  const depths = new Map<string, number>();
  const longest = new Map<string, number>();
  const ready = steps.filter(({ id }) => open.get(id) === 0).map(({ id }) => id);
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    const depth = (longest.get(id) ?? 0) + 1;
    depths.set(id, depth);
    for (const next of dependents.get(id) ?? []) {
      longest.set(next, Math.max(longest.get(next) ?? 0, depth));
      open.set(next, open.get(next)! - 1);
      if (open.get(next) === 0) ready.push(next);
    }
  }
  return depths;
}

/** The steps whose results nobody uses, in their order: what they make is the result of the whole. */
export function sinksOf(steps: readonly Node[]): string[] {
  const used = new Set(steps.flatMap(step => step.dependsOn));
  return steps.filter(({ id }) => !used.has(id)).map(({ id }) => id);
}

/** All that depend on it, directly or not, and itself. */
export function downstreamOf(steps: readonly Node[], id: string): Set<string> {
  const found = new Set([id]);
  for (let grown = true; grown; ) {
    grown = false;
    for (const step of steps)
      if (!found.has(step.id) && step.dependsOn.some(other => found.has(other))) {
        found.add(step.id);
        grown = true;
      }
  }
  return found;
}

function cycleIn(steps: readonly Node[]): string[] | undefined {
  const byId = new Map(steps.map(step => [step.id, step]));
  const reachable = depthsOf(steps);
  const stuck = steps.find(({ id }) => !reachable.has(id));
  const walked: string[] = [];
  // Whoever is stuck waits for somebody who is stuck: the walk comes back to where it has been.
  for (let at = stuck?.id; at !== undefined; ) {
    const index = walked.indexOf(at);
    walked.push(at);
    if (index >= 0) return walked.slice(index).reverse();
    at = byId.get(at)!.dependsOn.find(other => byId.has(other) && !reachable.has(other));
  }
  return undefined;
}
