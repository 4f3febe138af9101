// Limits on what a document may ask, checked in a pass of its own before the standard validation, whose rules are
// partly quadratic. Linear in the document: a fragment is measured once however often it is spread. What depends on
// variables or on the caller is not decided here, since yoga caches the verdict by document.

import type { Plugin } from '@envelop/core';
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  type ParseOptions,
  parse,
  type Source,
  type ValidationRule,
  validate,
} from 'graphql';
import { hasMoreCharacters } from './query-characters.ts';
import { measureDocument } from './query-measure.ts';

export interface QueryLimits {
  /** Lexical tokens. The standard introspection query has fewer than 200. */
  readonly maxTokens: number;
  /** Nested fields; a connection takes three (field, edges, node). */
  readonly maxDepth: number;
  readonly maxAliases: number;
  readonly maxRootFields: number;
  readonly maxDirectives: number;
  /** Fields after all fragments are spread. */
  readonly maxCost: number;
  /** Nested lists and objects in arguments and variable defaults. */
  readonly maxValueDepth: number;
  readonly maxOperations: number;
  /** One field in one selection set, fragments spread: what the rule about fields that overlap takes grows with its square. */
  readonly maxRepeats: number;
  /** Characters besides the texts, which may be long prompts. */
  readonly maxCharacters: number;
  /** Errors in one refusal. */
  readonly maxErrors: number;
}

export const DEFAULT_QUERY_LIMITS: QueryLimits = {
  maxTokens: 1_000,
  maxDepth: 10,
  maxAliases: 30,
  maxRootFields: 20,
  maxDirectives: 20,
  maxCost: 5_000,
  maxValueDepth: 20,
  maxOperations: 5,
  maxRepeats: 50,
  maxCharacters: 20_000,
  maxErrors: 5,
};

/** The limits as a plugin, so that HTTP, SSE and WebSocket share them. Suggestions ("Did you mean") tell names. */
export function useQueryLimits(limits: QueryLimits, options: { hideSuggestions: boolean }): Plugin {
  return {
    onParse({ setParseFn }) {
      setParseFn((source: string | Source, parseOptions?: ParseOptions) =>
        parseWithin(source, limits, parseOptions),
      );
      return ({ result, replaceParseResult }) => {
        if (result === null || result instanceof Error) return;
        const refusal = overLimit(result, limits);
        if (refusal) replaceParseResult(refusal);
      };
    },
    onValidate({ setValidationFn }) {
      setValidationFn((schema: GraphQLSchema, document: DocumentNode, rules?: ValidationRule[]) =>
        validate(schema, document, rules, {
          maxErrors: limits.maxErrors,
          hideSuggestions: options.hideSuggestions,
        })
          .slice(0, limits.maxErrors)
          .map(asDocumentError),
      );
    },
  };
}

/** Which limit the document is over, as the error to answer. */
export function overLimit(document: DocumentNode, limits: QueryLimits): GraphQLError | undefined {
  const measure = measureDocument(document);
  const figures: [string, number, number][] = [
    ['operations', measure.operations, limits.maxOperations],
    ['depth', measure.depth, limits.maxDepth],
    ['aliases', measure.aliases, limits.maxAliases],
    ['rootFields', measure.rootFields, limits.maxRootFields],
    ['directives', measure.directives, limits.maxDirectives],
    ['valueDepth', measure.valueDepth, limits.maxValueDepth],
    ['repeats', measure.repeats, limits.maxRepeats],
    ['cost', measure.cost, limits.maxCost],
  ];
  const over = figures.find(([, figure, max]) => figure > max);
  return over && tooComplex(over[0], over[2]);
}

function parseWithin(source: string | Source, limits: QueryLimits, options?: ParseOptions): DocumentNode {
  const text = typeof source === 'string' ? source : source.body;
  if (hasMoreCharacters(text, limits.maxCharacters)) throw tooComplex('characters', limits.maxCharacters);
  try {
    return parse(source, { ...options, maxTokens: limits.maxTokens });
  } catch (error) {
    // A document that nests as deep as the token limit allows can exhaust a stack that is already deep.
    if (error instanceof RangeError) throw tooComplex('depth', limits.maxDepth);
    if (!(error instanceof GraphQLError)) throw error;
    if (error.message.includes('tokens. Parsing aborted')) throw tooComplex('tokens', limits.maxTokens);
    throw asDocumentError(error);
  }
}

function tooComplex(limit: string, max: number): GraphQLError {
  return new GraphQLError(`The document is over the limit of ${max} for ${limit}.`, {
    extensions: {
      code: 'QUERY_TOO_COMPLEX',
      retryable: false,
      limit,
      max,
      http: { status: 400, spec: true },
    },
  });
}

/** A literal of the document is named by its kind or its type, never repeated: it may be long, or a secret. */
function asDocumentError(error: GraphQLError): GraphQLError {
  const message = error.message
    .replace(/((?:Block)?String) ".*"/s, '$1')
    .replace(/, found: .*/s, '.')
    .replace(/ Found: .*/s, '')
    .replace(/( cannot represent [\w -]*value): .*?(\. Did you mean [^.]*\?)?$/s, '$1$2');
  return new GraphQLError(message, {
    nodes: error.nodes,
    source: error.source,
    positions: error.positions,
    extensions: {
      ...error.extensions,
      code: 'BAD_USER_INPUT',
      retryable: false,
      http: { status: 400, spec: true },
    },
  });
}
