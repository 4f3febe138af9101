// OpenAI Responses: the body of a call and the meaning of its stream. Nothing is kept at OpenAI (`store: false`).

import type OpenAI from 'openai';
import type { AnswerDecoder } from './answer.ts';
import { createAnswerState, type Json, parseEvent, toJson } from './decoding.ts';
import { type ErrorContext, streamError } from './errors.ts';
import { isObjectSchema, isStrict, systemInWords } from './output-schema.ts';
import type { OutputFormat, ProviderCall } from './provider.ts';
import type { ReportedUsage } from './usage.ts';

type ResponsesBody = OpenAI.Responses.ResponseCreateParamsStreaming;

const ROLES = { SYSTEM: 'system', USER: 'user', ASSISTANT: 'assistant' } as const;

/** There is no parameter for stop sequences: the adapter watches for them itself, see stop-sequences.ts. */
export function responsesBody(call: ProviderCall): ResponsesBody {
  const text = call.output && textConfig(call.output);
  const instructions = text ? call.system : systemInWords(call);
  return {
    model: call.model,
    input: call.messages.map(({ role, content }) => ({ role: ROLES[role], content })),
    stream: true,
    store: false,
    max_output_tokens: call.maxOutputTokens,
    ...(instructions !== undefined && { instructions }),
    ...(call.temperature !== undefined && { temperature: call.temperature }),
    ...(text && { text }),
  };
}

function textConfig(output: OutputFormat): ResponsesBody['text'] {
  if (!output.enforced || !isObjectSchema(output)) return undefined;
  const { schema } = output;
  return { format: { type: 'json_schema', name: 'answer', schema, strict: isStrict(schema) } };
}

/** The end is one event that says everything: completed, incomplete or failed. Some servers add a `[DONE]`. */
export function createResponsesDecoder(context: ErrorContext): AnswerDecoder {
  const answer = createAnswerState(context);
  /** Parts of the answer that came as deltas, so that their repetition as a whole is not read again. */
  const parts = new Set<string>();
  let refused = false;
  let done = false;
  let calledTool = false;
  let last: { readonly type: string; readonly response: Json } | undefined;

  return {
    decode({ data }, out) {
      if (data === '[DONE]') {
        done = true;
        return;
      }
      const event = parseEvent(data, context);
      const type = String(event.type);
      const response = toJson(event.response);
      const part = `${event.item_id}:${event.content_index}`;
      if (type === 'error' || event.error) throw streamError(event.error ?? event, context);
      if (type === 'response.failed') throw streamError(response.error, context);
      answer.start(out, { id: response.id, model: response.model });
      if (type === 'response.output_text.delta' || type === 'response.refusal.delta') {
        parts.add(part);
        refused ||= type === 'response.refusal.delta';
        answer.text(out, event.delta);
      } else if (type === 'response.output_text.done' && !parts.has(part)) answer.text(out, event.text);
      else if (type.startsWith('response.reasoning')) answer.progress(out);
      else if (type.startsWith('response.function_call')) {
        calledTool = true;
        answer.progress(out);
      } else if (type === 'response.completed' || type === 'response.incomplete') last = { type, response };
    },
    isComplete() {
      return last !== undefined;
    },
    hasEnded() {
      return done || last !== undefined;
    },
    finished() {
      const { type, response } = last!;
      const usage = reportedUsage(response.usage);
      if (type === 'response.completed')
        return answer.finished(
          refused ? 'content-filter' : calledTool ? 'tool-calls' : 'stop',
          'completed',
          usage,
        );
      const raw = String(toJson(response.incomplete_details).reason ?? 'incomplete');
      const unified =
        raw === 'max_output_tokens' ? 'length' : raw === 'content_filter' ? 'content-filter' : 'other';
      return answer.finished(unified, raw, usage);
    },
  };
}

function reportedUsage(reported: unknown): ReportedUsage {
  const usage = toJson(reported);
  const details = toJson(usage.input_tokens_details);
  return {
    input: usage.input_tokens,
    cached: details.cached_tokens,
    cacheWrite: details.cache_write_tokens,
    output: usage.output_tokens,
  };
}
