// Histograms read from /metrics: what was counted between two scrapes, and percentiles of it.

export type Buckets = readonly { readonly upTo: number; readonly count: number }[];

/** The buckets of a histogram by the value of its only label; counts are cumulative. */
export async function scrapeHistogram(
  { url, token }: { readonly url: string; readonly token: string },
  name: string,
): Promise<ReadonlyMap<string, Buckets>> {
  const response = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  if (!response.ok) throw new Error(`/metrics answered ${response.status}`);
  const found = new Map<string, { upTo: number; count: number }[]>();
  for (const line of (await response.text()).split('\n')) {
    if (!line.startsWith(`${name}_bucket{`)) continue;
    const bound = /le="([^"]+)"/.exec(line)![1]!;
    const label = /(?:^|[{,])(?!le=)\w+="([^"]+)"/.exec(line.slice(`${name}_bucket`.length))![1]!;
    const upTo = bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound);
    found.set(label, [...(found.get(label) ?? []), { upTo, count: Number(line.split(' ').at(-1)) }]);
  }
  return found;
}

export function countedSince(before: Buckets | undefined, after: Buckets): Buckets {
  return after.map(({ upTo, count }, index) => ({ upTo, count: count - (before?.[index]?.count ?? 0) }));
}

/** Within its bucket a value is taken to lie evenly. */
export function quantileOf(buckets: Buckets, share: number): number {
  const wanted = share * (buckets.at(-1)?.count ?? 0);
  let [fromValue, fromCount] = [0, 0];
  for (const { upTo, count } of buckets) {
    if (count >= wanted && count > fromCount)
      return Number.isFinite(upTo)
        ? fromValue + ((wanted - fromCount) / (count - fromCount)) * (upTo - fromValue)
        : fromValue;
    [fromValue, fromCount] = [upTo, count];
  }
  return Number.NaN;
}
