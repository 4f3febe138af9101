// The bytes of each provider API that the scripted upstream speaks: streams of the OpenAI Chat Completions and
// Responses APIs and of the Anthropic Messages API, and the model lists of OpenAI, Anthropic, Ollama and LM Studio.

import type { Ending, ScriptedUsage } from './upstream-script.ts';

export type Api = 'chat' | 'responses' | 'messages';

/** One streamed answer being put into bytes. */
export interface WireFormat {
  start(): string;
  text(text: string): string;
  reasoning(text: string): string;
  /** A call of a function, its arguments in pieces. */
  toolCall(name: string, pieces: readonly string[]): string;
  error(type: string, message: string): string;
  finish(ending: Ending, usage: ScriptedUsage | undefined): string;
}

export interface AnswerHead {
  readonly id: string;
  readonly model: string;
  readonly inputTokens: number;
  /** Chat Completions sends usage only when it is asked to. */
  readonly includeUsage: boolean;
}

export function wireFormat(api: Api, head: AnswerHead): WireFormat {
  return { chat: chatFormat, responses: responsesFormat, messages: messagesFormat }[api](head);
}

const DONE = 'data: [DONE]\n\n';
const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const typed = (type: string, fields: object = {}): string => `event: ${type}\n${data({ type, ...fields })}`;

function chatFormat({ id, model, includeUsage }: AnswerHead): WireFormat {
  const chunk = (choices: unknown[], usage?: unknown) =>
    data({
      id,
      object: 'chat.completion.chunk',
      created: 1_790_000_000,
      model,
      choices,
      ...(includeUsage ? { usage: usage ?? null } : {}),
    });
  const delta = (content: object, reason: string | null = null) =>
    chunk([{ index: 0, delta: content, finish_reason: reason }]);
  const reasons = {
    stop: 'stop',
    length: 'length',
    'content-filter': 'content_filter',
    'tool-calls': 'tool_calls',
  };
  return {
    start: () => delta({ role: 'assistant', content: '' }),
    text: content => delta({ content }),
    reasoning: content => delta({ reasoning_content: content }),
    toolCall(name, pieces) {
      const call = (fields: object) => delta({ tool_calls: [{ index: 0, ...fields }] });
      const begun = call({ id: 'call_1', type: 'function', function: { name, arguments: '' } });
      return begun + pieces.map(piece => call({ function: { arguments: piece } })).join('');
    },
    error: (type, message) => data({ error: { type, message, code: null } }),
    finish({ reason = 'stop', marker = true }, usage) {
      if (reason === 'none') return DONE;
      const counted = usage && {
        prompt_tokens: usage.inputTokens,
        completion_tokens: usage.outputTokens,
        total_tokens: usage.inputTokens + usage.outputTokens,
        prompt_tokens_details: { cached_tokens: usage.cachedInputTokens ?? 0 },
      };
      return (
        delta({}, reasons[reason]) +
        (includeUsage && counted ? chunk([], counted) : '') +
        (marker ? DONE : '')
      );
    },
  };
}

function responsesFormat({ id, model }: AnswerHead): WireFormat {
  let sequence = 0;
  let answer = '';
  const event = (type: string, fields: object) => typed(type, { ...fields, sequence_number: sequence++ });
  const response = (status: string, fields: object = {}) => ({
    response: { id, object: 'response', created_at: 1_790_000_000, model, status, output: [], ...fields },
  });
  const part = { item_id: 'msg_1', output_index: 0, content_index: 0 };
  return {
    start: () =>
      event('response.created', response('in_progress')) +
      event('response.in_progress', response('in_progress')) +
      event('response.output_item.added', {
        output_index: 0,
        item: { id: 'msg_1', type: 'message', role: 'assistant', status: 'in_progress', content: [] },
      }),
    text(delta) {
      answer += delta;
      return event('response.output_text.delta', { ...part, delta, logprobs: [] });
    },
    reasoning: delta => event('response.reasoning_summary_text.delta', { ...part, summary_index: 0, delta }),
    toolCall(name, pieces) {
      const item = { id: 'fc_1', type: 'function_call', call_id: 'call_1', name, arguments: '' };
      const call = { item_id: 'fc_1', output_index: 1 };
      return [
        event('response.output_item.added', { output_index: 1, item }),
        ...pieces.map(delta => event('response.function_call_arguments.delta', { ...call, delta })),
      ].join('');
    },
    error: (type, message) => event('error', { code: type, message, param: null }),
    finish({ reason = 'stop' }, usage) {
      if (reason === 'none') return DONE;
      const status = reason === 'stop' || reason === 'tool-calls' ? 'completed' : 'incomplete';
      const why = reason === 'length' ? 'max_output_tokens' : 'content_filter';
      const counted = usage && {
        input_tokens: usage.inputTokens,
        input_tokens_details: { cached_tokens: usage.cachedInputTokens ?? 0 },
        output_tokens: usage.outputTokens,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: usage.inputTokens + usage.outputTokens,
      };
      return (
        event('response.output_text.done', { ...part, text: answer, logprobs: [] }) +
        event(
          `response.${status}`,
          response(status, {
            usage: counted ?? null,
            incomplete_details: status === 'incomplete' ? { reason: why } : null,
            output: [
              {
                id: 'msg_1',
                type: 'message',
                role: 'assistant',
                content: [{ type: 'output_text', text: answer }],
              },
            ],
          }),
        )
      );
    },
  };
}

function messagesFormat({ id, model, inputTokens }: AnswerHead): WireFormat {
  const block = (delta: object) => typed('content_block_delta', { index: 0, delta });
  const reasons = {
    stop: 'end_turn',
    length: 'max_tokens',
    'content-filter': 'refusal',
    'tool-calls': 'tool_use',
  };
  const message = {
    id,
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: inputTokens, output_tokens: 1 },
  };
  return {
    start: () =>
      typed('message_start', { message }) +
      typed('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }) +
      typed('ping'),
    text: content => block({ type: 'text_delta', text: content }),
    reasoning: content => block({ type: 'thinking_delta', thinking: content }),
    toolCall(name, pieces) {
      const block = { type: 'tool_use', id: 'toolu_1', name, input: {} };
      const call = (piece: string) => ({
        index: 1,
        delta: { type: 'input_json_delta', partial_json: piece },
      });
      return [
        typed('content_block_start', { index: 1, content_block: block }),
        ...pieces.map(piece => typed('content_block_delta', call(piece))),
      ].join('');
    },
    error: (type, message) => typed('error', { error: { type, message } }),
    finish({ reason = 'stop', marker = true }, usage) {
      if (reason === 'none') return typed('message_stop');
      const {
        inputTokens: all = 0,
        cachedInputTokens: read = 0,
        cacheWriteTokens: written = 0,
      } = usage ?? {};
      const counted = usage && {
        input_tokens: all - read - written,
        cache_read_input_tokens: read,
        cache_creation_input_tokens: written,
        output_tokens: usage.outputTokens,
      };
      const delta = { stop_reason: reasons[reason], stop_sequence: null };
      return (
        typed('content_block_stop', { index: 0 }) +
        typed('message_delta', { delta, usage: counted }) +
        (marker ? typed('message_stop') : '')
      );
    },
  };
}

export interface ListedModel {
  readonly id: string;
  readonly contextWindow?: number;
  readonly maxOutputTokens?: number;
}

export function openaiModels(models: readonly ListedModel[]): object {
  return {
    object: 'list',
    data: models.map(({ id }) => ({ id, object: 'model', created: 1_790_000_000, owned_by: 'scripted' })),
  };
}

export function anthropicModels(models: readonly ListedModel[]): object {
  return {
    data: models.map(({ id, contextWindow, maxOutputTokens }) => ({
      type: 'model',
      id,
      display_name: id,
      created_at: '2026-09-01T00:00:00Z',
      max_input_tokens: contextWindow ?? null,
      max_tokens: maxOutputTokens ?? null,
    })),
    has_more: false,
    first_id: models[0]?.id ?? null,
    last_id: models.at(-1)?.id ?? null,
  };
}

export function ollamaTags(models: readonly ListedModel[]): object {
  return { models: models.map(({ id }) => ({ name: id, model: id, size: 1, details: { family: 'llama' } })) };
}

export function ollamaShow(model: ListedModel): object {
  return {
    details: { family: 'llama' },
    model_info: { 'general.architecture': 'llama', 'llama.context_length': model.contextWindow },
    capabilities: ['completion'],
  };
}

export function lmstudioModels(models: readonly ListedModel[]): object {
  return {
    models: models.map(({ id, contextWindow }) => ({
      type: 'llm',
      key: id,
      display_name: id,
      max_context_length: contextWindow,
      loaded_instances: [],
    })),
  };
}
