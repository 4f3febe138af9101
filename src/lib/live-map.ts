// A map of what is under way now: entries come and go quickly, and what has gone is let go of at once.
//
// A plain Map takes a new table whenever its old one is full of entries that have gone. A table that has survived two
// minor collections of V8 counts as alive in all others, dead or not: what it holds lives on until the next major one,
// its successor too, which grows old by that, and so on. With all that hangs on a request that is much copying and
// marking for nothing. Here the tables hold numbers alone.

export class LiveMap<Value> {
  readonly #places = new Map<string, number>();
  readonly #values: (Value | undefined)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#places.size;
  }

  get(key: string): Value | undefined {
    const place = this.#places.get(key);
    return place === undefined ? undefined : this.#values[place];
  }

  set(key: string, value: Value): void {
    const place = this.#places.get(key) ?? this.#free.pop() ?? this.#values.length;
    this.#places.set(key, place);
    this.#values[place] = value;
  }

  delete(key: string): void {
    const place = this.#places.get(key);
    if (place === undefined) return;
    this.#places.delete(key);
    this.#values[place] = undefined;
    this.#free.push(place);
  }

  /** In no order. */
  *values(): Generator<Value, undefined> {
    for (const value of this.#values) if (value !== undefined) yield value;
  }
}
