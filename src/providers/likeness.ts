// Events that differ from the one before in their text alone, which is nearly all of an answer. Such an event is what
// stood around the earlier text, around another text; parsing it would cost more than all else that is done for it.

export interface Likeness {
  /** The text, when the event is like the one that was learnt; undefined: it has to be parsed. */
  textOf(data: string): string | undefined;
  /** Learns from an event that was parsed and says nothing but this text, as a JSON string named `field`. */
  learn(data: string, text: string): void;
}

/** What would end a JSON string, or stands in it for something else. */
const NOT_PLAIN = /["\\\p{Cc}]/u;
/** A provider that puts something new into each event is not learnt from for ever. */
const MAX_VAIN = 8;

export function createLikeness(field: string): Likeness {
  const opening = `"${field}":"`;
  let before: string | undefined;
  let behind = '';
  let vain = 0;
  return {
    textOf(data) {
      if (before === undefined || !data.startsWith(before) || !data.endsWith(behind)) return undefined;
      const text = data.slice(before.length, data.length - behind.length);
      if (before.length + text.length + behind.length !== data.length || NOT_PLAIN.test(text))
        return undefined;
      vain = 0;
      return text;
    },
    learn(data, text) {
      before = undefined;
      vain += 1;
      const at = data.indexOf(opening);
      // A second one would leave open which of them is the text.
      const isClear = vain <= MAX_VAIN && at >= 0 && !data.includes(opening, at + 1);
      const start = at + opening.length;
      if (!isClear || NOT_PLAIN.test(text) || !data.startsWith(`${text}"`, start)) return;
      before = data.slice(0, start);
      behind = data.slice(start + text.length);
    },
  };
}
