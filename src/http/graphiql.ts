// Serves the GraphiQL page, which graphiql-page.ts makes when somebody asks for it: most servers are never asked, and its
// parts are half of what one keeps that does nothing. Kept compressed.

import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { gunzip } from 'node:zlib';
import type { Clock } from '../lib/clock.ts';
import type { RenderedPage } from './graphiql-page.ts';

const decompress = promisify(gunzip);

/** Clients that take no compressed page are rare; all that come within this time share one copy of it. */
const PLAIN_MS = 30_000;

export interface GraphiQLPage {
  serve(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

export function createGraphiQL(clock: Clock): GraphiQLPage {
  let rendering: Promise<RenderedPage> | undefined;
  let plain: Promise<Buffer> | undefined;

  function page(): Promise<RenderedPage> {
    rendering ??= render().catch(error => {
      rendering = undefined;
      throw error;
    });
    return rendering;
  }

  function plainPage(zipped: Uint8Array): Promise<Buffer> {
    if (!plain) {
      plain = decompress(zipped);
      clock.after(PLAIN_MS, () => {
        plain = undefined;
      });
    }
    return plain;
  }

  return {
    async serve(request, response) {
      const { etag, contentSecurityPolicy, zipped } = await page();
      response.setHeader('etag', etag);
      response.setHeader('cache-control', 'private, no-cache');
      response.setHeader('vary', 'accept, accept-encoding');
      response.setHeader('content-security-policy', contentSecurityPolicy);
      if (request.headers['if-none-match'] === etag) {
        response.writeHead(304).end();
        return;
      }
      const takesZipped = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
      const body = takesZipped ? zipped : await plainPage(zipped);
      if (takesZipped) response.setHeader('content-encoding', 'gzip');
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-length': body.length });
      response.end(body);
    },
  };
}

async function render(): Promise<RenderedPage> {
  // Without the options of this process, which may be meant for one only.
  const worker = new Worker(new URL('graphiql-page.ts', import.meta.url), { execArgv: [] });
  const [page] = await once(worker, 'message');
  return page;
}
