// Hints between the instances of one installation: look now, do not wait for your timer. The truth is in the
// database; a signal may be lost, doubled or late, and everything that signals speed up also happens without them.

export type Signal =
  /** Somebody wants the request cancelled. */
  | { readonly type: 'cancel-wished'; readonly requestId: string }
  /** There is queued work that any instance may take. */
  | { readonly type: 'work-queued' }
  /** An operator held a breaker, drained a deployment or took that back. */
  | { readonly type: 'controls-changed' }
  /** A provider was made, changed or deleted through the API. */
  | { readonly type: 'providers-changed' }
  /** The stored request is not what it was. */
  | { readonly type: 'request-changed'; readonly requestId: string }
  /** What was said in the request is deleted: nothing of it may be held any more. */
  | { readonly type: 'content-deleted'; readonly requestId: string }
  /** Sessions, keys, passwords or roles are not what they were. */
  | { readonly type: 'credentials-changed' };

export interface Signals {
  /** Tells the other instances, not this one. Never throws, never waits; equal signals of a moment are sent once. */
  send(signal: Signal): void;
  /** What the other instances send; the function returned ends it. What the listener throws is logged. */
  onSignal(listener: (signal: Signal) => void): () => void;
  close(): Promise<void>;
}

/** For an installation of one instance: there is nobody to tell. */
export function createNoSignals(): Signals {
  return { send() {}, onSignal: () => () => {}, async close() {} };
}

/** One name per thing that a signal is about; equal signals have equal keys. */
export function signalKey(signal: Signal): string {
  return 'requestId' in signal ? `${signal.type} ${signal.requestId}` : signal.type;
}

/** The signal that another instance sent, perhaps of another version; undefined when it is none that we know. */
export function toSignal(value: unknown): Signal | undefined {
  const { type, requestId } = Object(value) as Record<string, unknown>;
  switch (type) {
    case 'work-queued':
    case 'controls-changed':
    case 'providers-changed':
    case 'credentials-changed':
      return { type };
    case 'cancel-wished':
    case 'request-changed':
    case 'content-deleted':
      return typeof requestId === 'string' ? { type, requestId } : undefined;
    default:
      return undefined;
  }
}
