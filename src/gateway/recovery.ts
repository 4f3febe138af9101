// Going on after an answer broke off in the middle. Pure: text in, text out.
//
// Continuation: the next model gets what was sent as the beginning of its own answer (prefill) and goes on from there;
// what it repeats of the end is dropped. Restart: the next model answers from the beginning, and what equals the text
// already sent is swallowed; where it differs, what was sent is void and the answer begins anew. Never a silent splice.

/** What to do with a piece of the new attempt's text. */
export type Recovered =
  | { readonly kind: 'nothing' }
  /** Follows on what the subscribers have. */
  | { readonly kind: 'text'; readonly text: string }
  /** What the subscribers have is void; `text` is the whole answer so far. */
  | { readonly kind: 'restart'; readonly text: string };

export interface Recovery {
  push(text: string): Recovered;
  /** The attempt ended well: what is still held back. */
  end(): Recovered;
}

const NOTHING: Recovered = { kind: 'nothing' };

/** Swallows what equals the text already sent. */
export function restartOver(sent: string): Recovery {
  let matched = 0;
  let settled = false;
  return {
    push(text) {
      if (settled) return { kind: 'text', text };
      const expected = sent.slice(matched, matched + text.length);
      const isEqual = text.startsWith(expected);
      if (isEqual && text.length <= expected.length) {
        matched += text.length;
        return NOTHING;
      }
      settled = true;
      return isEqual
        ? { kind: 'text', text: text.slice(expected.length) }
        : { kind: 'restart', text: sent.slice(0, matched) + text };
    },
    end() {
      // The new answer is complete and shorter than what was shown: the rest of it was never said.
      if (settled || matched === sent.length) return NOTHING;
      settled = true;
      return { kind: 'restart', text: sent.slice(0, matched) };
    },
  };
}

/** So much of a continuation is held back to see whether it repeats the end of what was sent. */
const HEAD_LENGTH = 64;
/** Shorter repetitions are taken for the model's own words: "the the" is rarer than "ha ha ha". */
const MIN_OVERLAP = 10;

/** Drops what the continuation repeats of the end of the text already sent. */
export function continueFrom(sent: string): Recovery {
  // Providers refuse a prefill that ends in white space, so it was cut off, and comes again.
  const spaces = sent.slice(sent.trimEnd().length);
  let head = '';
  let settled = false;

  function settle(): Recovered {
    settled = true;
    const text = head.slice(overlapOf(sent, spaces, head));
    return text === '' ? NOTHING : { kind: 'text', text };
  }

  return {
    push(text) {
      if (settled) return { kind: 'text', text };
      head += text;
      return head.length < HEAD_LENGTH ? NOTHING : settle();
    },
    end: () => (settled ? NOTHING : settle()),
  };
}

/** What a model is given as the beginning of its answer; undefined when there is nothing to begin with. */
export function prefillOf(sent: string): string | undefined {
  return sent.trimEnd() || undefined;
}

/** How many characters at the beginning of `head` the subscribers have already. */
function overlapOf(sent: string, spaces: string, head: string): number {
  for (let length = Math.min(head.length, sent.length); length >= MIN_OVERLAP; length -= 1) {
    if (sent.endsWith(head.slice(0, length))) return length;
  }
  let repeated = 0;
  while (repeated < spaces.length && head[repeated] === spaces[repeated]) repeated += 1;
  return repeated;
}
