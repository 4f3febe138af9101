// Prompts, conversations and answers for the fields that ask for them: read in one statement for a list, and no more of
// them in an operation than a server wants to hold. Fields and pages are what the cost of an operation counts; a hundred
// rows can be two kilobytes of text, or fifty megabytes.

import DataLoader from 'dataloader';
import type { GraphQLResolveInfo } from 'graphql';
import { DomainError } from '../domain/errors.ts';
import type { Message, ModelRequest, RequestBody } from '../domain/request.ts';

import type { Context } from './context.ts';

export const DEFAULT_MAX_TEXT_BYTES = 4_000_000;

type Place = readonly [context: Context, info: GraphQLResolveInfo];

/** The prompt of a request; like the others QUERY_TOO_COMPLEX when the operation has had too much already. */
export async function promptOf({ id }: ModelRequest, ...place: Place): Promise<string | undefined> {
  const texts = textsOf(...place);
  return texts.given(await texts.prompts.load(id));
}

export async function outputOf(request: ModelRequest, ...place: Place): Promise<string | undefined> {
  return textsOf(...place).given((await bodyOf(request, ...place))?.output);
}

export async function systemOf(request: ModelRequest, ...place: Place): Promise<string | undefined> {
  return textsOf(...place).given((await bodyOf(request, ...place))?.spec.system);
}

export async function messagesOf(request: ModelRequest, ...place: Place): Promise<Message[]> {
  const messages = (await bodyOf(request, ...place))?.spec.messages ?? [];
  for (const { content } of messages) textsOf(...place).given(content);
  return [...messages];
}

export async function metadataOf(request: ModelRequest, ...place: Place): Promise<unknown> {
  const { metadata } = (await bodyOf(request, ...place))?.spec ?? {};
  if (metadata !== undefined) textsOf(...place).given(JSON.stringify(metadata));
  return metadata;
}

/** What was asked, decided and answered, for fields that give nothing long of it. */
export function bodyOf({ id }: ModelRequest, ...place: Place): Promise<RequestBody | undefined> {
  return textsOf(...place).bodies.load(id);
}

interface Texts {
  /** Of one execution. */
  readonly root: unknown;
  readonly prompts: DataLoader<string, string | undefined>;
  readonly bodies: DataLoader<string, RequestBody | undefined>;
  /** The text, counted: under other names the same can be asked for many times. */
  given(text: string | undefined): string | undefined;
}

const textsByContext = new WeakMap<Context, Texts>();

/** Each event of a subscription is an execution of its own in the same context; it has another root. */
function textsOf(context: Context, { rootValue: root }: GraphQLResolveInfo): Texts {
  let texts = textsByContext.get(context);
  if (!texts || texts.root !== root) {
    texts = createTexts(context, root);
    textsByContext.set(context, texts);
  }
  return texts;
}

type BatchRead<Value> = (ids: readonly string[], atMostBytes: number) => Promise<readonly Value[]>;

function createTexts({ store, maxTextBytes = DEFAULT_MAX_TEXT_BYTES }: Context, root: unknown): Texts {
  let readBytes = 0;
  let givenBytes = 0;
  // One read after the other: each has to know how much the others took.
  let before: Promise<unknown> = Promise.resolve();

  function loader<Value>(read: BatchRead<Value>, sizeOf: (value: Value) => number) {
    const readNext = async (ids: readonly string[]) => {
      // Without a cache the same id may stand in a batch many times; it is read once.
      const unique = [...new Set(ids)];
      const values = readBytes > maxTextBytes ? [] : await read(unique, maxTextBytes - readBytes);
      for (const value of values) readBytes += sizeOf(value);
      const found = new Map(values.map((value, index) => [unique[index]!, value]));
      return ids.map(id => (found.has(id) ? (found.get(id) as Value) : tooMuchText(maxTextBytes)));
    };
    return new DataLoader<string, Value>(
      ids => {
        const turn = before.then(() => readNext(ids));
        before = turn.catch(() => {});
        return turn;
      },
      { cache: false },
    );
  }

  return {
    root,
    prompts: loader(
      (ids, atMost) => store.requests.promptsByIds(ids, atMost),
      prompt => Buffer.byteLength(prompt ?? ''),
    ),
    bodies: loader(
      (ids, atMost) => store.requests.bodiesByIds(ids, atMost),
      body => (body ? sizeOfBody(body) : 0),
    ),
    given(text) {
      if (text === undefined) return text;
      if (givenBytes > maxTextBytes) throw tooMuchText(maxTextBytes);
      givenBytes += Buffer.byteLength(text);
      return text;
    },
  };
}

function sizeOfBody({ spec, output = '' }: RequestBody): number {
  const texts = [output, spec.system ?? '', ...spec.messages.map(({ content }) => content)];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}

function tooMuchText(maximum: number): DomainError {
  return new DomainError(
    'QUERY_TOO_COMPLEX',
    `Prompts, messages and answers of an operation have at most ${maximum} bytes. Ask for fewer rows, or without them.`,
    { details: { limit: 'textBytes', maximum } },
  );
}
