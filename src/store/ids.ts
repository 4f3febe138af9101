// Batch reads by id: what is not a uuid is simply not there, and the answer keeps the order of the question.

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Postgres refuses a whole statement for one malformed uuid; ids may come from a forged token or cursor. */
export function isUuid(id: string): boolean {
  return UUID.test(id);
}

export function uuidsIn(ids: readonly string[]): string[] {
  return ids.filter(isUuid);
}

/** The rows as domain objects in the order of `ids`; undefined where there is no row. */
export function byId<Row, Value>(
  ids: readonly string[],
  rows: readonly Row[],
  idOf: (row: Row) => string,
  toValue: (row: Row) => Value,
): (Value | undefined)[] {
  const found = new Map(rows.map(row => [idOf(row), row]));
  return ids.map(id => {
    const row = found.get(id);
    return row === undefined ? undefined : toValue(row);
  });
}
