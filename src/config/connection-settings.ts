// Limits of connections, sockets and what runs on them.

import { limit } from './limit.ts';

const MEGABYTE = 1_000_000;
const HOUR_MS = 3_600_000;

export const CONNECTION_SETTINGS = {
  MCPLANE_MAX_HEADER_BYTES: limit('maxHeaderBytes', [1_024, MEGABYTE], 16_384, 'Bytes of headers and URL.'),
  MCPLANE_HEADERS_TIMEOUT_MS: limit(
    'headersTimeoutMs',
    [100, HOUR_MS],
    5_000,
    'For a client to send its headers.',
  ),
  MCPLANE_REQUEST_TIMEOUT_MS: limit(
    'requestTimeoutMs',
    [100, HOUR_MS],
    10_000,
    'For a client to send its whole HTTP request.',
  ),
  MCPLANE_MAX_CONNECTIONS: limit('maxConnections', [1, MEGABYTE], 2_000, 'Open connections.'),
  MCPLANE_MAX_CONNECTIONS_PER_ADDRESS: limit(
    'maxConnectionsPerAddress',
    [1, MEGABYTE],
    500,
    'Open connections from one address (of IPv6: a /64), but for those in `MCPLANE_UNLIMITED_ADDRESSES` and `MCPLANE_TRUSTED_PROXIES`; further ones are closed at once.',
  ),
  MCPLANE_WS_MAX_MESSAGE_BYTES: limit(
    'wsMaxMessageBytes',
    [1_024, 100 * MEGABYTE],
    262_144,
    'Bytes of a WebSocket message.',
  ),
  MCPLANE_WS_MESSAGES_PER_SECOND: limit(
    'wsMessagesPerSecond',
    [1, MEGABYTE],
    500,
    'Messages per second and socket, and a quarter of what all sockets of a caller may send; one counts once for each 4 kB.',
  ),
  MCPLANE_WS_INIT_TIMEOUT_MS: limit(
    'wsInitTimeoutMs',
    [100, HOUR_MS],
    3_000,
    'For a socket to send `connection_init`.',
  ),
  MCPLANE_WS_MAX_SOCKETS: limit('wsMaxSockets', [1, MEGABYTE], 2_000, 'Open sockets.'),
  MCPLANE_WS_MAX_SOCKETS_PER_CALLER: limit(
    'wsMaxSocketsPerCaller',
    [1, MEGABYTE],
    500,
    'Sockets per caller.',
  ),
  MCPLANE_WS_MAX_UNINITIALISED: limit(
    'wsMaxUninitialised',
    [1, MEGABYTE],
    100,
    'Sockets per address that are not signed in yet.',
  ),
  MCPLANE_WS_MAX_SUBSCRIPTIONS: limit('wsMaxSubscriptions', [1, 10_000], 50, 'Subscriptions per socket.'),
  MCPLANE_WS_MAX_SUBSCRIPTIONS_PER_CALLER: limit(
    'wsMaxSubscriptionsPerCaller',
    [1, MEGABYTE],
    1_000,
    'Subscriptions per caller, on all sockets and event streams.',
  ),
  MCPLANE_WS_MAX_OPERATIONS: limit(
    'wsMaxOperations',
    [1, 100_000],
    200,
    'Queries and mutations in flight on a socket.',
  ),
  MCPLANE_KEEP_ALIVE_MS: limit(
    'keepAliveMs',
    [10, HOUR_MS],
    12_000,
    'Between two pings on a socket, and two comments on an event stream; a peer that answers none is dropped.',
  ),
  MCPLANE_SLOW_READER_BYTES: limit(
    'slowReaderBytes',
    [1_000, 100 * MEGABYTE],
    MEGABYTE,
    'Bytes that a reader may leave unread; a socket that is over them is not read from either.',
  ),
  MCPLANE_SLOW_READER_MS: limit(
    'slowReaderMs',
    [10, HOUR_MS],
    30_000,
    'How long a reader may take nothing before its connection is cut.',
  ),
} as const;
