// A clock that all processes of the machine share (Linux: the monotonic one), so that a token can carry the moment at
// which it was sent.

const OFFSET_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();
const MARK = '@';

export function sharedNowMs(): number {
  return OFFSET_MS + performance.now();
}

/** A token that says when it was sent. */
export function stampedToken(): string {
  return `token ${MARK}${sharedNowMs().toFixed(3)} `;
}

/** Adds how long the tokens in the text were on their way; one that is cut off at its end is passed over. */
export function takeLags(text: string, lagsMs: number[]): void {
  const nowMs = sharedNowMs();
  for (let at = text.indexOf(MARK); at >= 0; at = text.indexOf(MARK, at + 1)) {
    const endsAt = text.indexOf(' ', at);
    if (endsAt > 0) lagsMs.push(nowMs - Number(text.slice(at + 1, endsAt)));
  }
}
