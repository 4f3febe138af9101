// How many values a JSON text has, told before it is parsed: parsing many small values takes a hundred times as long
// as one long string of the same size.

/** No shorter text has so many values that it matters. */
const SHORT = 16_384;

/** Whether the text, should it be JSON, has more values than that. Never parses it; short texts are let through. */
export function exceedsJsonBounds(text: string, maxValues: number): boolean {
  return text.length > SHORT && countsMoreThan(text, maxValues);
}

/** Commas and opening brackets outside of strings: one for each value, but for the first. */
function countsMoreThan(text: string, max: number): boolean {
  let count = 0;
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charCodeAt(index);
    if (character === QUOTE) {
      index = endOfString(text, index);
      if (index < 0) return false;
    } else if (character === COMMA || character === BRACKET || character === BRACE) {
      count += 1;
      if (count > max) return true;
    }
  }
  return false;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const BRACE = 0x7b;

/** Where the string ends that begins there; -1 when it does not. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return end;
  }
  return -1;
}
