// How long a document is besides the texts in it, told before it is parsed. Texts may be long, since prompts are; names,
// commas and comments of that length are made to keep the parser busy.

/** Whether the document has more characters than that besides its texts. */
export function hasMoreCharacters(document: string, max: number): boolean {
  if (document.length <= max) return false;
  let count = 0;
  for (let index = 0; index < document.length && count <= max; ) {
    const character = document[index];
    if (character === '"') index = endOfText(document, index);
    else {
      const end = character === '#' ? endOfLine(document, index) : index + 1;
      count += end - index;
      index = end;
    }
  }
  return count > max;
}

/** Behind the text that begins at the index; the end of the document when it has no end. */
function endOfText(document: string, index: number): number {
  const quote = document.startsWith('"""', index) ? '"""' : '"';
  let end = document.indexOf(quote, index + quote.length);
  while (end >= 0 && isEscaped(document, end, quote)) end = document.indexOf(quote, end + 1);
  return end < 0 ? document.length : end + quote.length;
}

/** In a block only its own end can be escaped, so that there the backslash before it is no other's. */
function isEscaped(document: string, end: number, quote: string): boolean {
  let backslashes = 0;
  while (document[end - 1 - backslashes] === '\\') backslashes += 1;
  return quote === '"' ? backslashes % 2 === 1 : backslashes > 0;
}

function endOfLine(document: string, index: number): number {
  const end = document.slice(index).search(/[\n\r]/);
  return end < 0 ? document.length : index + end;
}
