// Anthropic Messages: the body of a call and the meaning of its stream.

import type Anthropic from '@anthropic-ai/sdk';
import { jsonSchemaOutputFormat } from '@anthropic-ai/sdk/helpers/json-schema';
import type { FinishReason } from '../domain/request.ts';
import type { AnswerDecoder } from './answer.ts';
import { createAnswerState, type Json, parseEvent, toJson } from './decoding.ts';
import { type ErrorContext, streamError } from './errors.ts';
import { isClosable, systemInWords } from './output-schema.ts';
import type { OutputFormat, ProviderCall } from './provider.ts';
import { isCount, type ReportedUsage, toInputUsage } from './usage.ts';

type MessagesBody = Anthropic.MessageCreateParamsStreaming;

/** Instructions have one place here, before the conversation, so SYSTEM messages join the system prompt in order. */
export function messagesBody(call: ProviderCall): MessagesBody {
  const instructions = call.messages.filter(({ role }) => role === 'SYSTEM').map(({ content }) => content);
  const config = call.output && outputConfig(call.output);
  const above = config ? call.system : systemInWords(call);
  const system = [above ?? '', ...instructions].filter(text => text !== '').join('\n\n');
  return {
    model: call.model,
    messages: call.messages
      .filter(({ role }) => role !== 'SYSTEM')
      .map(({ role, content }) => ({ role: role === 'USER' ? 'user' : 'assistant', content })),
    stream: true,
    max_tokens: call.maxOutputTokens,
    ...(system !== '' && { system }),
    ...(call.temperature !== undefined && { temperature: call.temperature }),
    ...(call.stop.length > 0 && { stop_sequences: [...call.stop] }),
    ...(config && { output_config: config }),
  };
}

/** Undefined: the schema has to be told in words. The SDK knows the form in which it is taken. */
function outputConfig({ schema, enforced }: OutputFormat): MessagesBody['output_config'] {
  if (!enforced || schema.type !== 'object' || !isClosable(schema)) return undefined;
  try {
    const { type, schema: taken } = jsonSchemaOutputFormat({ ...schema, type: 'object' });
    return { format: { type, schema: taken } };
  } catch {
    return undefined;
  }
}

const FINISH_REASONS: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool-calls',
  refusal: 'content-filter',
};

/** The end is `message_stop`. The stop reason before it follows all content: with it the answer is complete. */
export function createMessagesDecoder(context: ErrorContext): AnswerDecoder {
  const answer = createAnswerState(context);
  let counts: Json = {};
  let reason: string | undefined;
  let stopped = false;

  /** Cumulative: what a later event names replaces what an earlier one said. */
  function count(usage: unknown): void {
    const named = Object.entries(toJson(usage)).filter(([, value]) => value !== null);
    counts = { ...counts, ...Object.fromEntries(named) };
  }

  return {
    decode({ data, event }, out) {
      const message = parseEvent(data, context);
      const delta = toJson(message.delta);
      switch (message.type ?? event) {
        case 'message_start': {
          const head = toJson(message.message);
          // Its output tokens are a beginning, not a count.
          count({ ...toJson(head.usage), output_tokens: null });
          const inputUsage = toInputUsage(reportedUsage(counts));
          answer.start(out, { id: head.id, model: head.model, inputUsage });
          break;
        }
        case 'content_block_start':
          answer.text(out, toJson(message.content_block).text);
          break;
        case 'content_block_delta':
          if (delta.type === 'text_delta') answer.text(out, delta.text);
          else answer.progress(out);
          break;
        case 'message_delta':
          if (typeof delta.stop_reason === 'string') reason = delta.stop_reason;
          count(message.usage);
          break;
        case 'message_stop':
          stopped = true;
          break;
        case 'error':
          throw streamError(message.error ?? message, context);
      }
    },
    isComplete() {
      return reason !== undefined;
    },
    hasEnded() {
      return stopped;
    },
    finished() {
      return answer.finished(FINISH_REASONS[reason!] ?? 'other', reason!, reportedUsage(counts));
    },
  };
}

/** Anthropic's `input_tokens` are those beside the cache; ours include what was read from it and written to it. */
function reportedUsage(counts: Json): ReportedUsage {
  const { input_tokens: plain, cache_read_input_tokens: read, cache_creation_input_tokens: written } = counts;
  const cached = isCount(read) ? read : 0;
  const cacheWrite = isCount(written) ? written : 0;
  const input = isCount(plain) ? plain + cached + cacheWrite : undefined;
  return { input, cached, cacheWrite, output: counts.output_tokens };
}
