// A response with the headers that every answer bears, whoever writes it: also an answer to a failure, and node's own.
// They go out with the head, in one list: setting them one by one costs as much as the rest of writing an answer.

import { type IncomingMessage, type OutgoingHttpHeaders, ServerResponse } from 'node:http';

type Headers = Readonly<Record<string, string>>;

export const SECURITY_HEADERS: Headers = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
};

export class SecuredResponse<
  Request extends IncomingMessage = IncomingMessage,
> extends ServerResponse<Request> {
  /** What is set, and what the head itself says, goes before these. All names are in lower case. */
  commonHeaders: Headers = SECURITY_HEADERS;

  override writeHead(statusCode: number, headers?: unknown): this {
    const all: OutgoingHttpHeaders = {
      ...this.commonHeaders,
      ...this.getHeaders(),
      ...(headers as OutgoingHttpHeaders | undefined),
    };
    const list: string[] = [];
    for (const name in all) list.push(name, String(all[name]));
    return super.writeHead(statusCode, list);
  }
}
