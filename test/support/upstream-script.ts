// The vocabulary of upstream scripts: what a scripted provider does with one call, step by step.
// upstream.ts plays the steps; wire-formats.ts puts the content into the bytes of each API.

export interface ScriptedUsage {
  /** All input tokens, cached ones included, whatever the wire format counts. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedInputTokens?: number;
  readonly cacheWriteTokens?: number;
}

export interface Ending {
  /** `none`: nothing but the final marker is sent. */
  readonly reason?: 'stop' | 'length' | 'content-filter' | 'tool-calls' | 'none';
  /** `none`: the answer carries no usage at all. Absent: counted from prompt and answer. */
  readonly usage?: ScriptedUsage | 'none';
  /** False: what says why the answer ended is sent, but not the final marker (`[DONE]`, `message_stop`). */
  readonly marker?: boolean;
}

/** Steps that can be repeated without end. */
export type Content =
  | { readonly do: 'text'; readonly text: string }
  | { readonly do: 'raw'; readonly bytes: string | Uint8Array }
  | { readonly do: 'wire'; readonly bytes: string | Uint8Array };

export type Step =
  | Content
  | { readonly do: 'reasoning'; readonly text: string }
  | { readonly do: 'tool-call'; readonly name: string; readonly pieces: readonly string[] }
  | { readonly do: 'comment'; readonly text: string }
  | { readonly do: 'error'; readonly type: string; readonly message: string }
  | { readonly do: 'finish'; readonly ending: Ending }
  | { readonly do: 'wait'; readonly until: (closed: Promise<unknown>) => Promise<unknown> }
  | { readonly do: 'repeat'; readonly step: Content; readonly everyMs?: number }
  | { readonly do: 'end' }
  | { readonly do: 'cut'; readonly how: 'close' | 'reset' };

/** One answer of the upstream. Steps without an end of their own get `finish()` and a proper end of the body. */
export interface Script {
  /** Bytes in front of the head of the response, or of what comes instead of it. */
  readonly preface?: string | Uint8Array;
  /**
   * `reset` and `close` break the connection instead of answering; `never` reads the call and stays silent; a dribble
   * sends its bytes over and over and never gets to a head.
   */
  readonly before?: 'reset' | 'close' | 'never' | { readonly dribble: string; readonly everyMs: number };
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A whole body instead of a stream. */
  readonly body?: string | Uint8Array;
  /** Closes the connection after the body, for example because its length was a lie. */
  readonly closes?: boolean;
  readonly steps?: readonly Step[];
  /** Splits what is written into pieces of this many bytes, each its own write. */
  readonly bytesPerWrite?: number;
  /** Rewrites every piece of event stream before it is sent, for example to CRLF. */
  readonly rewrite?: (events: string) => string;
}

/** One event of content. */
export const text = (text: string): Content => ({ do: 'text', text });
/** One event of content that is not shown; formats without it send an empty delta. */
export const reasoning = (text: string): Step => ({ do: 'reasoning', text });
/** A call of a function whose arguments come in these pieces, each an event. */
export const toolCall = (name: string, ...pieces: string[]): Step => ({ do: 'tool-call', name, pieces });
/** A keep-alive. */
export const comment = (text = 'keep-alive'): Step => ({ do: 'comment', text });
/** These bytes, as they are. */
export const raw = (bytes: string | Uint8Array): Content => ({ do: 'raw', bytes });
/** These bytes without the framing of a chunk: what breaks HTTP itself. */
export const wire = (bytes: string | Uint8Array): Content => ({ do: 'wire', bytes });
/** An event whose data is broken JSON. */
export const malformed = (): Step => raw('data: {"broken": \n\n');
/** An error event inside the stream, for example `overloaded_error`. */
export const errorEvent = (type: string, message = 'scripted'): Step => ({ do: 'error', type, message });
/** The end of the answer: reason, usage, marker. More steps may follow, as they do at servers with defects. */
export const finish = (ending: Ending = {}): Step => ({ do: 'finish', ending });
/** Ends the body properly although the answer has no marker yet. */
export const withoutEnd = (): Step => ({ do: 'end' });
/** Breaks the connection: what was written arrives, then the socket closes; with `reset` it is a TCP reset. */
export const cut = (how: 'close' | 'reset' = 'close'): Step => ({ do: 'cut', how });
/** Waits until the promise settles or the client leaves. */
export const gate = (opened: Promise<unknown>): Step => ({
  do: 'wait',
  until: closed => Promise.race([opened, closed]),
});
/** Says nothing more until the client leaves. */
export const stall = (): Step => ({ do: 'wait', until: closed => closed });
/** Time in which the upstream is slow. */
export const waitMs = (delayMs: number): Step => ({ do: 'wait', until: closed => pause(delayMs, closed) });

/** Resolves after the time, or when the client leaves. */
export function pause(delayMs: number, closed: Promise<unknown>): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, delayMs);
  return Promise.race([promise, closed]).finally(() => clearTimeout(timer));
}

/** The step over and over until the client leaves; without a pace as fast as the client reads. */
export const endless = (step: Content, everyMs?: number): Step => ({
  do: 'repeat',
  step,
  ...(everyMs === undefined ? {} : { everyMs }),
});

/** An answer that is not a stream. A plain object becomes JSON. */
export function status(code: number, headers: Record<string, string> = {}, body: unknown = ''): Script {
  if (typeof body === 'string') return { status: code, headers, body };
  return {
    status: code,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  };
}

/** Tokens as this upstream counts them: words, each with the space before it. */
export function scriptedTokens(content: string): string[] {
  return content.match(/\s*\S+|\s+$/g) ?? [];
}
