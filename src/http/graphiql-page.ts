// Makes the GraphiQL page: everything inlined, so that it works offline, and with one addition of ours: the bundled page
// sends nothing of its Headers tab over the WebSocket, so subscriptions would be unauthenticated. Run as a worker, once:
// its source and text are 50 MB, which end with it.

import { createHash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';

export interface RenderedPage {
  readonly etag: string;
  readonly contentSecurityPolicy: string;
  readonly zipped: Uint8Array;
}

const OPTIONS = {
  title: 'GraphiQL · Model Control Plane',
  endpoint: '/graphql',
  subscriptionsProtocol: 'WS' as const,
  shouldPersistHeaders: true,
  defaultQuery: `# Log in first and put the token into the Headers tab below: {"authorization": "Bearer …"}
mutation LogIn {
  login(input: { username: "", password: "" }) {
    token
    expiresAt
  }
}
`,
};

/** Runs in the page, for each connection: the headers of the active tab, or those kept from the last visit. */
const CONNECTION_PARAMS = `function () {
  try {
    var state = JSON.parse(localStorage.getItem('graphiql:tabState') || 'null');
    var tab = state && state.tabs && state.tabs[state.activeTabIndex];
    return JSON.parse((tab && tab.headers) || localStorage.getItem('graphiql:headers') || '{}');
  } catch (error) {
    return {};
  }
}`;

/** Throws when the bundled page is not as expected: then an upgrade changed it, and the addition has to follow. */
function render(): RenderedPage {
  const html = withConnectionParams(renderGraphiQL(OPTIONS));
  return {
    etag: `"${createHash('sha256').update(html).digest('base64url').slice(0, 22)}"`,
    contentSecurityPolicy: policyOf(html),
    zipped: gzipSync(html, { level: 9 }),
  };
}

function withConnectionParams(html: string): string {
  const options = JSON.stringify(OPTIONS);
  const marker = `${options},\n        );`;
  const at = html.lastIndexOf(marker);
  if (at < 0) {
    throw new Error('@graphql-yoga/render-graphiql changed its page: adapt http/graphiql-page.ts to it.');
  }
  const extended = `Object.assign(${options}, { connectionParams: ${CONNECTION_PARAMS} }),\n        );`;
  return html.slice(0, at) + extended + html.slice(at + marker.length);
}

/** The page's own script by its hash and nothing else; the editor builds its workers from blobs and its styles inline. */
function policyOf(html: string): string {
  const start = html.indexOf('<script>') + '<script>'.length;
  const script = html.slice(start, html.lastIndexOf('</script>'));
  const hash = createHash('sha256').update(script).digest('base64');
  return [
    "default-src 'none'",
    `script-src 'sha256-${hash}' blob:`,
    'worker-src blob:',
    "style-src 'unsafe-inline'",
    "img-src 'self' data:",
    'font-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

parentPort?.postMessage(render());
