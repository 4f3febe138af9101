// `mcplane ask`: submits a prompt, prints the answer as it comes, then who served it and what it took.

import { readDataFile } from '../config/data-file.ts';
import { collectAnswer } from '../sdk/answer.ts';
import type { ModelStream, StreamEvent } from '../sdk/client.ts';
import type {
  RequestSummaryFragment,
  RoutingStrategy,
  SubmitRequestInput,
  TaskType,
} from '../sdk/generated/graphql.ts';
import { connect } from './connect.ts';
import { CommandError, note, printable, readStdin, writeJson, writeText } from './terminal.ts';

export interface AskOptions {
  readonly url?: string;
  readonly model?: string;
  readonly strategy?: RoutingStrategy;
  readonly task?: TaskType;
  readonly system?: string;
  readonly maxTokens?: number;
  /** Path of a JSON Schema. */
  readonly schema?: string;
  readonly local?: boolean;
  readonly json?: boolean;
}

const INTERRUPTED = 130;

export async function ask(words: readonly string[], options: AskOptions): Promise<void> {
  const prompt = await promptOf(words);
  const outputSchema = options.schema === undefined ? undefined : schemaIn(options.schema);
  const client = await connect(process.env, options.url);
  try {
    const stream = client.stream(toInput(prompt, options, outputSchema), {
      onAccepted({ queuePosition }) {
        if (queuePosition != null) note(`It has to wait: number ${queuePosition} in the queue.`);
      },
    });
    // JSON is for programs: they get one value or none, and not the beginning of one that was given up.
    const { last, text } = await print(stream, options.json === true || outputSchema !== undefined);
    const isWorkflow = last.request.taskType === 'WORKFLOW';
    const result = isWorkflow ? await client.request({ id: last.request.id }) : undefined;
    const answer = result?.request?.output ?? text;
    const isWhole = isWorkflow || (outputSchema && last.__typename === 'StreamCompleted');
    if (isWhole && !options.json) await writeText(`${answer}\n`);
    report(last, answer, options.json === true);
  } finally {
    await client.dispose();
  }
}

async function promptOf(words: readonly string[]): Promise<string> {
  if (words.length > 0 && words.join(' ') !== '-') return words.join(' ');
  if (words.length === 0 && process.stdin.isTTY)
    throw new CommandError('What do you want to ask? Write: npx mcplane ask "…"', 2);
  return readStdin();
}

function schemaIn(path: string): object {
  let schema: unknown;
  try {
    schema = readDataFile(path);
  } catch (error) {
    throw new CommandError((error as Error).message, 2);
  }
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema))
    throw new CommandError(`${path} holds no JSON Schema, which is an object`, 2);
  return schema;
}

function toInput(prompt: string, options: AskOptions, outputSchema: object | undefined): SubmitRequestInput {
  const { model, strategy, task, system, maxTokens, local } = options;
  return {
    prompt,
    ...(model !== undefined && { model }),
    ...(strategy !== undefined && { strategy }),
    ...(task !== undefined && { taskType: task }),
    ...(system !== undefined && { system }),
    ...(maxTokens !== undefined && { maxOutputTokens: maxTokens }),
    ...(local === true && { preferLocal: true }),
    ...(outputSchema !== undefined && { outputSchema }),
  };
}

type LastEvent = Extract<StreamEvent, { __typename: 'StreamCompleted' | 'StreamFailed' }>;

/** Prints until the last event. Ctrl-C cancels the request; a second one leaves at once. */
async function print(stream: ModelStream, quiet: boolean): Promise<{ last: LastEvent; text: string }> {
  const answer = collectAnswer();
  let cancelling = false;
  const onInterrupt = () => {
    if (cancelling) process.exit(INTERRUPTED);
    cancelling = true;
    stream.cancel().catch(error => note(`Could not cancel: ${(error as Error).message}`));
  };
  process.on('SIGINT', onInterrupt);
  try {
    for await (const event of stream.events()) {
      const hadText = answer.text !== '';
      answer.take(event);
      if (event.__typename === 'StreamCompleted' || event.__typename === 'StreamFailed') {
        if (!quiet && answer.text !== '') await writeText('\n');
        return { last: event, text: answer.text };
      }
      if (quiet) continue;
      if (event.__typename === 'StepUpdated') note(`${event.updated.id} · ${event.updated.status}`);
      else if (event.__typename === 'TokenDelta' && event.step == null) await writeText(event.text);
      else if (event.__typename === 'StreamRestarted' && hadText) {
        await writeText('\n');
        note(`The answer starts again (${event.reason}). What was printed so far is void.`);
        await writeText(answer.text);
      }
    }
  } finally {
    process.off('SIGINT', onInterrupt);
  }
  throw new CommandError('The stream ended without a last event');
}

function report(last: LastEvent, text: string, json: boolean): void {
  const { request } = last;
  if (json) writeJson({ ...request, output: text });
  if (last.__typename === 'StreamFailed') {
    const { code, message } = last.error;
    throw new CommandError(`${code}: ${message} (${request.id})`, code === 'CANCELLED' ? INTERRUPTED : 1);
  }
  if (!json) note(summary(request));
}

/** `simulated · sim-fast · 12 + 40 tokens · $0.0001 · first token after 240 ms · 1.9 s · req_…` */
export function summary(request: RequestSummaryFragment): string {
  const { provider, servedModel, usage, cost, timeToFirstTokenMs, durationMs, id } = request;
  const about = usage?.estimated ? '~' : '';
  return [
    `${provider?.id ?? 'unknown provider'}${provider?.simulated && provider.id !== 'simulated' ? ' (simulated)' : ''}`,
    servedModel ?? undefined,
    usage ? `${about}${usage.inputTokens} + ${about}${usage.outputTokens} tokens` : 'tokens unknown',
    cost == null ? 'unpriced' : `$${cost}`,
    timeToFirstTokenMs == null ? undefined : `first token after ${timeToFirstTokenMs} ms`,
    durationMs == null ? undefined : `${(durationMs / 1_000).toFixed(1)} s`,
    id,
  ]
    .filter(part => part !== undefined)
    .map(printable)
    .join(' · ');
}
