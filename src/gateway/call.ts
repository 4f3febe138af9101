// What is sent to a deployment for a request, and the most that it can cost.

import type { Deployment } from '../domain/model.ts';
import type { RequestSpec } from '../domain/request.ts';
import { outputLimit } from '../domain/routing.ts';
import { estimateTokens, maxCostOf } from '../domain/usage.ts';
import type { ProviderCall } from '../providers/provider.ts';

interface Asked {
  readonly requestId: string;
  readonly spec: RequestSpec;
  readonly decision: { readonly estimatedInputTokens: number };
  /** Of a request under budgets; absent: one that asks for no number of output tokens gets what the model allows. */
  readonly allowance?: { readonly outputTokens: number } | undefined;
}

/** `prefill`: the beginning of the answer, for a model that goes on from it. */
export function callFor(
  { requestId, spec, decision, allowance }: Asked,
  { model, capabilities }: Deployment,
  prefill: string | undefined,
): ProviderCall {
  const written = prefill === undefined ? 0 : estimateTokens(prefill);
  const asked = spec.maxOutputTokens ?? allowance?.outputTokens;
  const limit = asked && Math.max(1, asked - written);
  return {
    model,
    system: spec.system,
    messages:
      prefill === undefined ? spec.messages : [...spec.messages, { role: 'ASSISTANT', content: prefill }],
    maxOutputTokens: outputLimit(capabilities, limit, decision.estimatedInputTokens + written),
    temperature: capabilities.customTemperature ? spec.temperature : undefined,
    stop: spec.stop,
    output: spec.outputSchema && {
      schema: spec.outputSchema,
      enforced: capabilities.structuredOutput === true,
    },
    requestId,
  };
}

/** What a provider may put around a prompt that it was not sent, such as a system prompt of its own. */
const TEMPLATE_TOKENS = 128;

/**
 * The most tokens that a prompt can have: none is shorter than a byte, and the JSON around the messages has more bytes
 * than any chat format has tokens for them. What does not belong to the prompt is left out, so that all calls of a
 * request have the same.
 */
export function maxInputTokensOf(call: ProviderCall): number {
  const prompt = { ...call, model: undefined, requestId: undefined, maxOutputTokens: undefined };
  return Buffer.byteLength(JSON.stringify(prompt)) + TEMPLATE_TOKENS;
}

/** Undefined: the price is unknown. */
export function maxCostOfCall(
  call: ProviderCall,
  { price }: Deployment,
  inputTokens: number = maxInputTokensOf(call),
): bigint | undefined {
  return maxCostOf({ inputTokens, outputTokens: call.maxOutputTokens }, price);
}
