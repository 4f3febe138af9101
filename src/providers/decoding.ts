// What the decoders of all APIs share: parsing an event, collecting text, and the closing event with its checks.

import type { FinishReason } from '../domain/request.ts';
import type { InputUsage } from '../domain/usage.ts';
import type { FinishedEvent } from './answer.ts';
import type { ErrorContext } from './errors.ts';
import type { ProviderEvent } from './provider.ts';
import { ProviderError } from './provider-error.ts';
import { type ReportedUsage, toUsage } from './usage.ts';

/** Parsed JSON of the other side: every field has to be looked at before it is used. */
export type Json = Readonly<Record<string, unknown>>;

/** What an answer says of itself before its content. */
interface AnswerHead {
  readonly id: unknown;
  readonly model: unknown;
  readonly inputUsage?: InputUsage | undefined;
}

export interface AnswerState {
  /** Emits `started`, the first time only. */
  start(out: ProviderEvent[], head: AnswerHead): void;
  /** Emits text, joined to the text before it. Content that is not text is an error: it must not be dropped unnoticed. */
  text(out: ProviderEvent[], content: unknown): void;
  progress(out: ProviderEvent[]): void;
  finished(unified: FinishReason, raw: string, usage: ReportedUsage | undefined): FinishedEvent;
}

export function createAnswerState({ provider }: ErrorContext): AnswerState {
  let started = false;
  let servedModel: string | undefined;
  let hasText = false;
  let hasProgress = false;
  return {
    start(out, { id, model, inputUsage }) {
      if (started) return;
      started = true;
      servedModel = toText(model);
      out.push({ type: 'started', responseId: toText(id), servedModel, ...(inputUsage && { inputUsage }) });
    },
    text(out, content) {
      if (content === null || content === undefined || content === '') return;
      if (typeof content !== 'string')
        throw new ProviderError('bad-response', `${provider} sent content that is not text`);
      hasText = true;
      // What came in one piece goes on in one: each event costs more on its way than its text.
      const last = out.at(-1);
      if (last?.type === 'token') out[out.length - 1] = { type: 'token', text: last.text + content };
      else out.push({ type: 'token', text: content });
    },
    progress(out) {
      hasProgress = true;
      out.push({ type: 'progress' });
    },
    finished(unified, raw, reported) {
      const usage = reported && toUsage(reported, hasText);
      // No tool is ever offered. What the model would have done with one is no answer that a caller could read.
      if (unified === 'tool-calls' && !hasText)
        throw new ProviderError('bad-response', `${provider} called a tool, and none was offered`);
      // Only the end marker: there is no answer that could have stopped.
      if (unified === 'stop' && !hasText && !hasProgress && !(usage && usage.outputTokens > 0))
        throw new ProviderError('bad-response', `${provider} sent an empty answer`);
      return { type: 'finished', reason: { unified, raw }, usage, servedModel };
    },
  };
}

export function parseEvent(data: string, { provider }: ErrorContext): Json {
  let parsed: unknown;
  try {
    parsed = JSON.parse(data);
  } catch {
    // The parser's error quotes the event.
    throw new ProviderError('bad-response', `${provider} sent a malformed event`);
  }
  if (!isJson(parsed)) throw new ProviderError('bad-response', `${provider} sent an event of another format`);
  return parsed;
}

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An object to look into, whatever came. */
export function toJson(value: unknown): Json {
  return isJson(value) ? value : {};
}

function toText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
