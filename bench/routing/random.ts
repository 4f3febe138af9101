// Random numbers that are the same for the same seed.

/** mulberry32: small, quick, good enough for a simulation. Numbers in [0, 1). */
export function createRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The luck of one call: the same for a request and a target, whatever the strategy and the order of calls. */
export function luckOf(seed: number, request: number, target: number): () => number {
  return createRandom(
    Math.imul(seed, 0x9e3779b1) ^ Math.imul(request + 1, 0x85ebca6b) ^ Math.imul(target + 1, 0xc2b2ae35),
  );
}

export function exponential(random: () => number, mean: number): number {
  return -mean * Math.log(1 - random());
}

/** Around `median`; one in twenty is above `median · e^(1.64·sigma)`. */
export function logNormal(random: () => number, median: number, sigma: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return median * Math.exp(sigma * normal);
}
