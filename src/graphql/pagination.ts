// Relay pages over keysets: arguments in, connection out. A cursor is opaque: a version, the connection it belongs
// to, the id of its row and a checksum, so that a damaged cursor or one of another connection is refused.

import { hash } from 'node:crypto';
import { badInput } from '../domain/errors.ts';
import type { Page, PageQuery } from '../store/store.ts';

export const DEFAULT_PAGE_SIZE = 20;
export const MAX_PAGE_SIZE = 100;
/** Counting stops here: an exact count of millions would cost more than the page it stands beside. */
export const MAX_TOTAL_COUNT = 10_000;

export type ConnectionName = 'requests' | 'users' | 'auditEvents' | 'budgets' | 'workflowDefinitions';

export interface PageArguments {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly last?: number | null | undefined;
  readonly before?: string | null | undefined;
}

export interface Connection<Row> {
  readonly edges: { readonly cursor: string; readonly node: Row }[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
}

/** What the arguments ask of the store; throws BAD_USER_INPUT naming the argument. Null is the same as absent. */
export function toPageQuery(connection: ConnectionName, args: PageArguments): PageQuery {
  const { first, last } = args;
  if (first != null && last != null) throw badInput('first', 'and last exclude each other: send one of them');
  const bounds = {
    after: parseCursorOf(connection, 'after', args.after),
    before: parseCursorOf(connection, 'before', args.before),
  };
  if (last != null) return { ...bounds, last: parsePageSize('last', last) };
  return { ...bounds, first: parsePageSize('first', first) };
}

export function toConnection<Row extends { readonly id: string }>(
  connection: ConnectionName,
  { rows, hasNextPage, hasPreviousPage }: Page<Row>,
): Connection<Row> {
  const edges = rows.map(node => ({ cursor: formatRowCursor(connection, node.id), node }));
  return {
    edges,
    pageInfo: {
      hasNextPage,
      hasPreviousPage,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

export function parsePageSize(argument: 'first' | 'last', given: number | null | undefined): number {
  const size = given ?? DEFAULT_PAGE_SIZE;
  if (size < 0 || size > MAX_PAGE_SIZE)
    throw badInput(argument, `must be a whole number from 0 to ${MAX_PAGE_SIZE}`);
  return size;
}

export function formatRowCursor(connection: ConnectionName, id: string): string {
  return Buffer.from(`1.${id}.${checksum(connection, id)}`).toString('base64url');
}

const CURSOR = /^1\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([0-9a-f]{8})$/;

function parseCursorOf(
  connection: ConnectionName,
  argument: 'after' | 'before',
  cursor: string | null | undefined,
): string | undefined {
  if (cursor == null) return undefined;
  const decoded = cursor.length <= 200 ? Buffer.from(cursor, 'base64url') : Buffer.alloc(0);
  // Decoding is lenient about foreign characters and spare bits; comparing with the encoding is not.
  const match =
    decoded.toString('base64url') === cursor ? CURSOR.exec(decoded.toString('latin1')) : undefined;
  const [, id, sum] = match ?? [];
  if (id === undefined || sum !== checksum(connection, id))
    throw badInput(argument, `is not a cursor of ${connection}`);
  return id;
}

function checksum(connection: ConnectionName, id: string): string {
  return hash('sha256', `${connection}\0${id}`).slice(0, 8);
}
