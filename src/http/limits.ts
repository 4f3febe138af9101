// Every bound of the transports with its default. The figures were chosen so that one client, honest or not, cannot
// take the server from the others; each is a setting.

import { DEFAULT_QUERY_LIMITS, type QueryLimits } from '../graphql/query-limits.ts';

export interface HttpLimits {
  readonly query: QueryLimits;
  /** Counted while reading, so chunked bodies obey it too. */
  readonly maxBodyBytes: number;
  /** A body that comes without a valid credential: it can only be a login. */
  readonly maxAnonymousBodyBytes: number;
  /** Values in the JSON of a body or message: what it costs to parse follows from them. */
  readonly maxJsonValues: number;
  /** Operations in one HTTP request; each counts in the request rate. */
  readonly maxBatch: number;
  /** Nested lists and objects in `variables` and `extensions`. */
  readonly maxJsonDepth: number;
  /** An answer without data. */
  readonly maxErrorBytes: number;
  /** Operations of one principal (of one address, when anonymous), on HTTP and sockets together. */
  readonly operationsPerSecond: number;
  readonly operationsBurst: number;
  readonly maxHeaderBytes: number;
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  /** What a reader may leave unread in our memory, and for how long it may stay over it, or read nothing at all. */
  readonly slowReaderBytes: number;
  readonly slowReaderMs: number;
  /** Large answers of one principal that it has not read yet, on all its connections. */
  readonly maxUnreadBytes: number;
  /** Pings on sockets and comments on event streams; a peer that answers none is dropped after the next one. */
  readonly keepAliveMs: number;
  readonly maxSocketMessageBytes: number;
  /** Of one socket; a message counts once for each 4 kB. All sockets of a principal together have four times as many. */
  readonly socketMessagesPerSecond: number;
  readonly connectionInitTimeoutMs: number;
  readonly maxSockets: number;
  /** Sockets and event streams of one principal. */
  readonly maxSocketsPerPrincipal: number;
  /** Sockets of one address that have not sent `connection_init` yet. */
  readonly maxNewSocketsPerAddress: number;
  readonly maxSubscriptionsPerSocket: number;
  /** On all its sockets and event streams. */
  readonly maxSubscriptionsPerPrincipal: number;
  /** Queries and mutations in flight on one socket. */
  readonly maxOperationsPerSocket: number;
}

export const DEFAULT_HTTP_LIMITS: HttpLimits = {
  query: DEFAULT_QUERY_LIMITS,
  maxBodyBytes: 1_000_000,
  maxAnonymousBodyBytes: 16_384,
  maxJsonValues: 20_000,
  maxBatch: 5,
  maxJsonDepth: 64,
  maxErrorBytes: 16_000,
  operationsPerSecond: 100,
  operationsBurst: 300,
  maxHeaderBytes: 16_384,
  headersTimeoutMs: 5_000,
  requestTimeoutMs: 10_000,
  maxConnections: 2_000,
  maxConnectionsPerAddress: 500,
  slowReaderBytes: 1_000_000,
  slowReaderMs: 30_000,
  maxUnreadBytes: 32_000_000,
  keepAliveMs: 12_000,
  maxSocketMessageBytes: 262_144,
  socketMessagesPerSecond: 500,
  connectionInitTimeoutMs: 3_000,
  maxSockets: 2_000,
  maxSocketsPerPrincipal: 500,
  maxNewSocketsPerAddress: 100,
  maxSubscriptionsPerSocket: 50,
  maxSubscriptionsPerPrincipal: 1_000,
  maxOperationsPerSocket: 200,
};
