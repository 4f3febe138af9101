// What the client reads: the Accept header against the three forms an answer can take.

export const RESPONSE_JSON = 'application/graphql-response+json';
export const JSON_TYPE = 'application/json';
export const EVENT_STREAM = 'text/event-stream';

export interface Accepted {
  /** The form of a single result, or undefined when the client takes none. */
  readonly result: typeof RESPONSE_JSON | typeof JSON_TYPE | undefined;
  readonly eventStream: boolean;
}

interface Range {
  readonly type: string;
  readonly quality: number;
}

/** Unless the newer media type is asked for by name, the older one is given, as GraphQL over HTTP has it. */
export function readAccept(header: string | undefined): Accepted {
  if (header === undefined || header.trim() === '') return { result: JSON_TYPE, eventStream: true };
  const ranges = header.split(',').slice(0, 50).map(readRange);
  const newer = qualityOf(RESPONSE_JSON, ranges);
  const older = qualityOf(JSON_TYPE, ranges);
  const named = ranges.some(range => range.type === RESPONSE_JSON);
  const result =
    Math.max(newer, older) === 0
      ? undefined
      : newer > older || (newer === older && named)
        ? RESPONSE_JSON
        : JSON_TYPE;
  return { result, eventStream: qualityOf(EVENT_STREAM, ranges) > 0 };
}

function readRange(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map(part => part.trim().toLowerCase());
  const quality = parameters.find(parameter => parameter.startsWith('q='));
  const charset = parameters.find(parameter => parameter.startsWith('charset='));
  const value = quality === undefined ? 1 : Number(quality.slice(2));
  // Answers are UTF-8, nothing else.
  const readable = charset === undefined || /^charset="?utf-?8"?$/.test(charset);
  return { type, quality: readable && value >= 0 && value <= 1 ? value : 0 };
}

/** The quality of the most specific range that covers the type. */
function qualityOf(type: string, ranges: readonly Range[]): number {
  const group = `${type.split('/')[0]}/*`;
  for (const candidate of [type, group, '*/*']) {
    const found = ranges.filter(range => range.type === candidate);
    if (found.length > 0) return Math.max(...found.map(range => range.quality));
  }
  return 0;
}

/** Is this the media type of a POST that we read? `application/json`, in UTF-8. */
export function isJsonBody(contentType: string | undefined): boolean {
  // As nearly all write it.
  if (contentType === JSON_TYPE) return true;
  const [type, ...parameters] = (contentType ?? '').split(';').map(part => part.trim().toLowerCase());
  const charset = parameters.find(parameter => parameter.startsWith('charset='));
  return type === JSON_TYPE && (charset === undefined || /^charset="?utf-?8"?$/.test(charset));
}
