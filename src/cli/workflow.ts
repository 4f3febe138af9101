// `mcplane workflow`: runs steps from a file or an example, shows how they come along, and lets people decide.

import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Client, StreamEvent } from '../sdk/client.ts';
import type { StepStateFragment, WorkflowInput, WorkflowStateFragment } from '../sdk/generated/graphql.ts';
import { connect } from './connect.ts';
import { CommandError, columns, note, printable, writeJson, writeLine } from './terminal.ts';
import { readWorkflowFile } from './workflow-file.ts';

const EXAMPLES = join(import.meta.dirname, 'workflows');
const INTERRUPTED = 130;

interface ClientOptions {
  readonly url?: string;
  readonly json?: boolean;
}

export interface RunOptions extends ClientOptions {
  readonly input?: string;
  readonly param?: readonly string[];
}

/** The workflows that come with it, by name. */
export function exampleNames(): string[] {
  return readdirSync(EXAMPLES).map(file => basename(file, '.yaml'));
}

export async function runWorkflowFile(source: string, options: RunOptions): Promise<void> {
  const workflow = withParameters(read(source), options.param ?? []);
  await withClient(options, async client => {
    const stream = client.stream({ workflow, prompt: options.input ?? '-', taskType: 'WORKFLOW' });
    const stop = () => void stream.cancel().catch(() => {});
    process.once('SIGINT', stop);
    let last: StreamEvent | undefined;
    for await (const event of stream.events()) {
      last = event;
      if (event.__typename === 'StepUpdated') note(line(event.updated));
    }
    process.off('SIGINT', stop);
    await report(client, last!.requestId, options);
  });
}

export async function showWorkflow(requestId: string, options: ClientOptions): Promise<void> {
  await withClient(options, client => report(client, requestId, { ...options, quiet: true }));
}

export interface DecideOptions extends ClientOptions {
  readonly comment?: string;
}

export async function decide(
  approved: boolean,
  [requestId, step]: readonly [string, string],
  options: DecideOptions,
): Promise<void> {
  await withClient(options, async client => {
    const comment = options.comment ?? null;
    await client.decideStep({ input: { requestId, step, approved, comment } });
    note(`${step}: ${approved ? 'approved' : 'rejected'}`);
  });
}

export async function change(
  verb: 'pause' | 'resume' | 'cancel',
  requestId: string,
  options: ClientOptions,
): Promise<void> {
  await withClient(options, async client => {
    const input = { requestId };
    if (verb === 'pause') await client.pauseWorkflow({ input });
    else if (verb === 'resume') await client.resumeWorkflow({ input });
    else await client.cancelRequest({ input });
    await report(client, requestId, { ...options, quiet: true });
  });
}

export async function rerun(requestId: string, options: ClientOptions & { from?: string }): Promise<void> {
  await withClient(options, async client => {
    const { rerunWorkflow } = await client.rerunWorkflow({
      input: { requestId, fromStep: options.from ?? null },
    });
    const { id } = rerunWorkflow.request;
    for await (const event of client.follow(id).events())
      if (event.__typename === 'StepUpdated') note(line(event.updated));
    await report(client, id, options);
  });
}

function read(source: string): WorkflowInput {
  if (exampleNames().includes(source)) return readWorkflowFile(join(EXAMPLES, `${source}.yaml`));
  if (!existsSync(source))
    throw new CommandError(
      `There is no file ${source}. Write the path of a YAML or JSON file, or the name of an example: ${exampleNames().join(', ')}.`,
      2,
    );
  return readWorkflowFile(source);
}

function withParameters(workflow: WorkflowInput, given: readonly string[]): WorkflowInput {
  const pairs = given.map(pair => {
    const at = pair.indexOf('=');
    if (at < 1) throw new CommandError(`--param is written NAME=VALUE, not ${pair}.`, 2);
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
  return pairs.length === 0
    ? workflow
    : { ...workflow, parameters: { ...Object(workflow.parameters), ...Object.fromEntries(pairs) } };
}

async function withClient(options: ClientOptions, work: (client: Client) => Promise<void>): Promise<void> {
  const client = await connect(process.env, options.url);
  try {
    await work(client);
  } finally {
    await client.dispose();
  }
}

/** The result on stdout, the rest on stderr; `quiet`: it need not have ended. */
async function report(
  client: Client,
  requestId: string,
  { json, quiet }: ClientOptions & { readonly quiet?: boolean },
): Promise<void> {
  const { request } = await client.workflow({ requestId });
  if (!request?.workflow) throw new CommandError(`NOT_FOUND: there is no workflow ${requestId}.`);
  const { output } = (await client.request({ id: requestId })).request ?? {};
  if (json) writeJson({ ...request, output });
  else if (output != null) writeLine(printable(output));
  if (quiet && !json) note(columns(request.workflow.steps.map(row)));
  if (!json) note(summary(request));
  if (quiet) return;
  if (request.status !== 'SUCCEEDED')
    throw new CommandError(
      `${request.error?.code ?? request.status}: ${request.error?.message ?? ''} (${request.id})`,
      request.status === 'CANCELLED' ? INTERRUPTED : 1,
    );
}

function row({ id, status, title, note: why, itemsEnded, itemCount }: StepStateFragment): string[] {
  const items = itemCount == null ? '' : `${itemsEnded} of ${itemCount}`;
  return [id, status, items, why ?? (title === id ? '' : title)].map(printable);
}

function line(step: StepStateFragment): string {
  return row(step)
    .filter(cell => cell !== '')
    .join(' · ');
}

function summary({ id, status, workflow, durationMs }: WorkflowStateFragment): string {
  const { progress, cost, pausedAt } = workflow!;
  return [
    pausedAt ? `${status}, paused` : status,
    `${progress.ended} of ${progress.total} steps`,
    progress.waiting > 0 ? `${progress.waiting} wait for a decision` : undefined,
    cost == null ? 'unpriced' : `$${cost}`,
    durationMs == null ? undefined : `${(durationMs / 1_000).toFixed(1)} s`,
    id,
  ]
    .filter(part => part !== undefined)
    .join(' · ');
}
