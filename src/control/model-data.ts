// What is known of models beside their price: size, abilities, and a judgement of how capable they are. Data, not
// an enum: a model that is not here is served too, with the careful defaults at the end of the file.

import type { Capabilities, ProviderKind } from '../domain/model.ts';

export interface ModelData {
  readonly capabilities: Capabilities;
  readonly quality: number;
  /** Offered from the provider's list without being configured. Not the ones that cost a multiple, or have no price. */
  readonly offered: boolean;
  /** Offered as long as the official endpoint's list cannot be had: few, and current. */
  readonly standard: boolean;
}

/**
 * [context, longest answer, quality, marks]: `p` prefill, `t` temperature, `j` JSON of a schema, `n` surely not that,
 * `s` standard set, `x` only by configuration.
 */
type Row = readonly [contextWindow: number, maxOutputTokens: number, quality: number, marks?: string];

/** Reasoning models refuse any temperature but their default; no OpenAI model continues an assistant message. */
const OPENAI: Readonly<Record<string, Row>> = {
  'gpt-6-astra': [1_050_000, 128_000, 0.98, 'j'],
  'gpt-6.1-sol': [1_050_000, 128_000, 0.95, 'j'],
  'gpt-6.1-terra': [1_050_000, 128_000, 0.88, 'jx'],
  'gpt-6-sol': [1_050_000, 128_000, 0.94, 'js'],
  'gpt-6-luna': [1_050_000, 128_000, 0.72, 'js'],
  'gpt-5.6-sol': [1_050_000, 128_000, 0.92, 'j'],
  'gpt-5.6-terra': [1_050_000, 128_000, 0.86, 'js'],
  'gpt-5.6-luna': [1_050_000, 128_000, 0.68, 'j'],
  'gpt-5.5': [1_000_000, 128_000, 0.9, 'j'],
  'gpt-5.5-pro': [1_000_000, 128_000, 0.93, 'x'],
  'gpt-5.4': [1_050_000, 128_000, 0.86, 'j'],
  'gpt-5.4-mini': [400_000, 128_000, 0.68, 'j'],
  'gpt-5.4-nano': [400_000, 128_000, 0.5, 'j'],
  'gpt-5.4-pro': [1_050_000, 128_000, 0.9, 'x'],
  'gpt-5.3-codex': [400_000, 128_000, 0.83, 'j'],
  'gpt-5.3-chat-latest': [128_000, 16_384, 0.76],
  'gpt-5.2': [400_000, 128_000, 0.82, 'j'],
  'gpt-5.2-pro': [400_000, 128_000, 0.86, 'x'],
  'gpt-5.1': [400_000, 128_000, 0.79, 'j'],
  'gpt-5.1-codex': [400_000, 128_000, 0.79, 'j'],
  'gpt-5.1-codex-mini': [400_000, 128_000, 0.6, 'j'],
  'gpt-5': [400_000, 128_000, 0.77, 'j'],
  'gpt-5-mini': [400_000, 128_000, 0.62, 'j'],
  'gpt-5-nano': [400_000, 128_000, 0.42, 'j'],
  'gpt-5-pro': [400_000, 128_000, 0.82, 'x'],
  'gpt-4.1': [1_000_000, 32_768, 0.62, 'tj'],
  'gpt-4.1-mini': [1_000_000, 32_768, 0.5, 'tj'],
  'gpt-4.1-nano': [1_000_000, 32_768, 0.35, 'tj'],
  'gpt-4o': [128_000, 16_384, 0.58, 'tj'],
  'gpt-4o-mini': [128_000, 16_384, 0.4, 'tj'],
  o3: [200_000, 100_000, 0.74, 'j'],
  'o3-pro': [200_000, 100_000, 0.78, 'jx'],
  'o4-mini': [200_000, 100_000, 0.62, 'j'],
  'o3-mini': [200_000, 100_000, 0.55, 'j'],
  o1: [200_000, 100_000, 0.64, 'jx'],
};

/**
 * From claude-sonnet-5 and claude-opus-5-5 on a prefill and a temperature are refused. The 4-6 to 5 generation in
 * between is marked by what it surely accepts: a flag that is off only costs the feature, one that is wrongly on
 * costs the request.
 */
const ANTHROPIC: Readonly<Record<string, Row>> = {
  'claude-fable-5-1': [1_000_000, 128_000, 0.99, 'j'],
  'claude-fable-5': [1_000_000, 64_000, 0.97, 'j'],
  'claude-opus-5-5': [1_000_000, 128_000, 0.97, 'js'],
  'claude-opus-5': [1_000_000, 64_000, 0.94, 'j'],
  'claude-opus-4-8': [1_000_000, 64_000, 0.92, 'j'],
  'claude-opus-4-7': [1_000_000, 64_000, 0.9, 'j'],
  'claude-opus-4-6': [1_000_000, 64_000, 0.88, 'tj'],
  'claude-opus-4-5': [200_000, 64_000, 0.86, 'ptj'],
  'claude-opus-4-1': [200_000, 32_000, 0.74, 'ptx'],
  'claude-opus-4-0': [200_000, 32_000, 0.72, 'ptnx'],
  'claude-sonnet-5-5': [1_000_000, 128_000, 0.9, 'js'],
  'claude-sonnet-5': [1_000_000, 64_000, 0.87, 'j'],
  'claude-sonnet-4-6': [1_000_000, 64_000, 0.82, 'tj'],
  'claude-sonnet-4-5': [200_000, 64_000, 0.78, 'ptj'],
  'claude-haiku-5-5': [1_000_000, 64_000, 0.72, 'js'],
  'claude-haiku-4-5': [200_000, 64_000, 0.6, 'ptj'],
};

/** Sizes come with the simulated provider's own list; these hold until it was asked. */
const SIMULATED: Readonly<Record<string, Row>> = {
  fast: [32_000, 4_096, 0.4, 'ptjs'],
  smart: [200_000, 16_384, 0.9, 'ptjs'],
  local: [8_192, 2_048, 0.3, 'ptjs'],
};

const TABLES: Partial<Record<ProviderKind, Readonly<Record<string, Row>>>> = {
  openai: OPENAI,
  anthropic: ANTHROPIC,
  simulated: SIMULATED,
};

/** The data of a model, or undefined when it is only served by the defaults. Dated snapshots are their model. */
export function knownModel(kind: ProviderKind, model: string): ModelData | undefined {
  const table = TABLES[kind];
  const row = table && (ownRow(table, model) ?? ownRow(table, undatedName(model)));
  if (!row) return undefined;
  const [contextWindow, maxOutputTokens, quality, marks = ''] = row;
  return {
    capabilities: {
      contextWindow,
      maxOutputTokens,
      assistantPrefill: marks.includes('p'),
      customTemperature: marks.includes('t'),
      structuredOutput: marks.includes('j') ? true : marks.includes('n') ? false : undefined,
    },
    quality,
    offered: !marks.includes('x'),
    standard: marks.includes('s'),
  };
}

/** What a provider of the kind offers while its list cannot be had and nothing is configured. */
export function standardModels(kind: ProviderKind): string[] {
  return Object.keys(TABLES[kind] ?? {}).filter(model => knownModel(kind, model)?.standard);
}

/** The name without what only pins a snapshot or tag: `-20251001`, `-2026-04-23`, `-latest`, `:latest`. */
export function undatedName(model: string): string {
  return model.replace(/(?:-\d{8}|-\d{4}-\d{2}-\d{2}|[-:]latest)$/, '');
}

const OTHER_PURPOSE =
  /(?:^|[^a-z])(?:embed|embedding|embeddings|whisper|tts|dall-e|moderation|transcribe|realtime|audio|image|sora|rerank|reranker|bge|minilm)(?:[^a-z]|$)/i;

/** Is it made for something other than chat, as far as its name tells? */
export function isOtherPurpose(model: string): boolean {
  return OTHER_PURPOSE.test(model);
}

/**
 * Defaults for a model without data and without figures in the provider's list. Small on purpose: a prompt that is
 * too long for them is refused with a clear reason, and the configuration can raise them, while Ollama silently cuts
 * what is over its own context.
 */
const UNKNOWN_REMOTE: Capabilities = {
  contextWindow: 32_768,
  maxOutputTokens: 4_096,
  assistantPrefill: false,
  customTemperature: true,
};
/** Both local servers hold any model to a schema. */
const UNKNOWN_LOCAL: Capabilities = { ...UNKNOWN_REMOTE, contextWindow: 8_192, structuredOutput: true };

/** Quality by the billions of parameters that open models carry in their names, up to and including. */
const QUALITY_BY_SIZE: readonly (readonly [upToBillions: number, quality: number])[] = [
  [4, 0.2],
  [9, 0.35],
  [16, 0.42],
  [40, 0.52],
  [130, 0.62],
  [Number.POSITIVE_INFINITY, 0.7],
];
const UNKNOWN_QUALITY = 0.4;

/** The data of any model: what is known, else family rules and defaults. */
export function modelData(kind: ProviderKind, model: string): ModelData {
  const known = knownModel(kind, model);
  if (known) return known;
  const local = kind === 'ollama' || kind === 'lmstudio';
  return {
    capabilities: local ? UNKNOWN_LOCAL : { ...UNKNOWN_REMOTE, customTemperature: !isReasoning(model) },
    quality: qualityBySize(model) ?? UNKNOWN_QUALITY,
    offered: false,
    standard: false,
  };
}

/** Newer models of the big families: their temperature is fixed until the table says otherwise. */
function isReasoning(model: string): boolean {
  return /^(?:gpt-[5-9]|o\d|claude-(?:\w+-)?[5-9])/.test(model);
}

function qualityBySize(model: string): number | undefined {
  const billions = /(?:^|[^a-z0-9.])(\d+(?:\.\d+)?)b(?:[^a-z0-9]|$)/i.exec(model)?.[1];
  if (billions === undefined) return undefined;
  return QUALITY_BY_SIZE.find(([upTo]) => Number(billions) <= upTo)?.[1];
}

function ownRow(table: Readonly<Record<string, Row>>, name: string): Row | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
