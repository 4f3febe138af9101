// OpenAI Chat Completions: the body of a call and the meaning of its stream. Also what nearly every other server
// speaks, each with small defects: usage missing or early, no `[DONE]`, text in the closing chunk.

import type OpenAI from 'openai';
import type { FinishReason } from '../domain/request.ts';
import type { AnswerDecoder } from './answer.ts';
import { createAnswerState, isJson, type Json, parseEvent, toJson } from './decoding.ts';
import { type ErrorContext, streamError } from './errors.ts';
import { createLikeness } from './likeness.ts';
import { isObjectSchema, isStrict, systemInWords } from './output-schema.ts';
import type { OutputFormat, ProviderCall } from './provider.ts';
import type { ReportedUsage } from './usage.ts';

type ChatBody = OpenAI.Chat.Completions.ChatCompletionCreateParamsStreaming;

export interface ChatDialect {
  /**
   * OpenAI itself: it renamed `max_tokens`, and can keep answers, which we do not want. Others know neither, and do not
   * tell the model the schema that its answer is held to.
   */
  readonly official: boolean;
  /** A few servers refuse to be asked for usage. */
  readonly includeUsage: boolean;
}

const ROLES = { SYSTEM: 'system', USER: 'user', ASSISTANT: 'assistant' } as const;

export function chatBody(call: ProviderCall, { official, includeUsage }: ChatDialect): ChatBody {
  const format = call.output && responseFormat(call.output, official);
  const system = format && official ? call.system : systemInWords(call);
  const instructions = system === undefined ? [] : [{ role: 'system' as const, content: system }];
  return {
    model: call.model,
    messages: [
      ...instructions,
      ...call.messages.map(({ role, content }) => ({ role: ROLES[role], content })),
    ],
    stream: true,
    ...(includeUsage && { stream_options: { include_usage: true } }),
    ...(official
      ? { max_completion_tokens: call.maxOutputTokens, store: false }
      : { max_tokens: call.maxOutputTokens }),
    ...(call.temperature !== undefined && { temperature: call.temperature }),
    ...(call.stop.length > 0 && { stop: [...call.stop] }),
    ...(format && { response_format: format }),
  };
}

function responseFormat(output: OutputFormat, official: boolean): ChatBody['response_format'] {
  if (!output.enforced || (official && !isObjectSchema(output))) return undefined;
  const { schema } = output;
  return { type: 'json_schema', json_schema: { name: 'answer', schema, strict: isStrict(schema) } };
}

const FINISH_REASONS: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  length: 'length',
  content_filter: 'content-filter',
  tool_calls: 'tool-calls',
  function_call: 'tool-calls',
};

/** The end is the finish reason and then usage or `[DONE]`, whichever comes first: usage may follow the reason. */
export function createChatDecoder(context: ErrorContext): AnswerDecoder {
  const answer = createAnswerState(context);
  const likeness = createLikeness('content');
  let reason: string | undefined;
  let refused = false;
  let usage: ReportedUsage | undefined;
  let done = false;

  function decodeDelta(delta: Json, out: Parameters<AnswerDecoder['decode']>[1]): void {
    if (delta.reasoning_content || delta.reasoning || delta.tool_calls) answer.progress(out);
    answer.text(out, delta.content);
    if (delta.refusal) refused = true;
    answer.text(out, delta.refusal);
  }

  return {
    decode({ data, event }, out) {
      if (data === '[DONE]') {
        done = true;
        return;
      }
      const like = event === undefined && reason === undefined ? likeness.textOf(data) : undefined;
      if (like !== undefined) {
        answer.text(out, like);
        return;
      }
      const chunk = parseEvent(data, context);
      if (chunk.error || event === 'error' || chunk.object === 'error')
        throw streamError(chunk.error ?? chunk, context);
      answer.start(out, { id: chunk.id, model: chunk.model });
      if (isJson(chunk.usage)) usage = reportedUsage(chunk.usage);
      const choice = toJson(Array.isArray(chunk.choices) ? chunk.choices[0] : undefined);
      // Behind the finish reason there is no answer any more, whatever is sent.
      if (reason !== undefined) return;
      const delta = toJson(choice.delta);
      decodeDelta(delta, out);
      if (typeof choice.finish_reason === 'string' && choice.finish_reason !== '')
        reason = choice.finish_reason;
      if (reason === undefined && !isJson(chunk.usage) && isTextAlone(delta))
        likeness.learn(data, delta.content);
    },
    isComplete() {
      return reason !== undefined;
    },
    hasEnded() {
      return done || (reason !== undefined && usage !== undefined);
    },
    finished() {
      const unified = refused ? 'content-filter' : (FINISH_REASONS[reason!] ?? 'other');
      return answer.finished(unified, reason!, usage);
    },
  };
}

function isTextAlone(delta: Json): delta is Json & { readonly content: string } {
  const { content, reasoning_content, reasoning, tool_calls, refusal } = delta;
  return typeof content === 'string' && !(reasoning_content || reasoning || tool_calls || refusal);
}

function reportedUsage(usage: Json): ReportedUsage {
  const details = toJson(usage.prompt_tokens_details);
  return {
    input: usage.prompt_tokens,
    cached: details.cached_tokens,
    cacheWrite: details.cache_write_tokens,
    output: usage.completion_tokens,
  };
}
