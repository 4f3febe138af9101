// The small pages of the server: where everything is, and the form that makes the first administrator. No script or
// style runs that is not ours: each page carries a nonce of its own.

import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { send } from './answer.ts';

const STYLE = `
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; padding: 0 1rem; color-scheme: light dark; }
  label { display: block; margin: 1rem 0; } input { display: block; width: 100%; font: inherit; padding: .4rem; box-sizing: border-box; }
  button { font: inherit; padding: .4rem 1rem; } pre { overflow-x: auto; padding: 1rem; border: 1px solid; } [hidden] { display: none; }`;

/** A page whose style and script are allowed by nonce. */
function sendPage(
  response: ServerResponse,
  { title, body, script }: { title: string; body: string; script?: string },
): void {
  const nonce = randomBytes(16).toString('base64');
  const html = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>
<style nonce="${nonce}">${STYLE}</style></head>
<body>
${body}
${script ? `<script nonce="${nonce}">${script}</script>` : ''}
</body>
</html>
`;
  const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
  send(response, {
    status: 200,
    headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy },
    body: html,
  });
}

export function sendStartPage(response: ServerResponse, version: string): void {
  sendPage(response, {
    title: 'Model Control Plane',
    body: `<h1>Model Control Plane</h1>
<p>Version ${version}.</p>
<ul>
  <li><a href="/graphql">GraphiQL</a>: try queries, mutations and subscriptions in the browser</li>
  <li><code>/graphql</code>: GraphQL over HTTP, server-sent events and WebSocket (<code>graphql-transport-ws</code>)</li>
  <li><a href="/setup">Setup</a>: the first administrator</li>
  <li><a href="/readyz?verbose">Health</a>, and <code>/metrics</code> for Prometheus</li>
</ul>`,
  });
}

/** The token is read from the fragment of the address, which browsers send to nobody. */
export function sendSetupPage(response: ServerResponse, done: boolean): void {
  if (done) {
    sendPage(response, {
      title: 'Setup',
      body: `<h1>Already set up</h1>
<p>An administrator exists. <a href="/graphql">Open GraphiQL</a> and log in with the <code>login</code> mutation.
Lost the password? Another administrator can set it, or <code>npx mcplane admin create</code> on the server makes a new one.</p>`,
    });
    return;
  }
  sendPage(response, { title: 'Setup', body: SETUP_FORM, script: SETUP_SCRIPT });
}

const SETUP_FORM = `<h1>Create the first administrator</h1>
<p id="missing" hidden>This page needs the one-time link that the server printed when it started
(<code>/setup#token=…</code>). It is valid for 60 minutes and printed anew at each start while there is no administrator.</p>
<form id="form" hidden>
  <label>User name <input name="username" autocomplete="username" required></label>
  <label>Password <input name="password" type="password" autocomplete="new-password" minlength="8" required></label>
  <button>Create</button>
  <p id="problem" role="alert"></p>
</form>
<section id="done" hidden>
  <h2>Done</h2>
  <p>You are an administrator. This token is valid until <span id="expires"></span>; the <code>login</code> mutation gives a new one.</p>
  <pre id="token"></pre>
  <p>Ask the first question:</p>
  <pre id="curl"></pre>
  <p><button id="open" type="button">Open GraphiQL with this token</button></p>
</section>`;

const SETUP_SCRIPT = `
  const byId = id => document.getElementById(id);
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  history.replaceState(null, '', location.pathname);
  byId(token ? 'form' : 'missing').hidden = false;
  byId('form').addEventListener('submit', async event => {
    event.preventDefault();
    const { username, password } = event.target.elements;
    byId('problem').textContent = '';
    try {
      const response = await fetch('/setup', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ token, username: username.value, password: password.value }),
      });
      const answer = await response.json();
      if (!response.ok) throw new Error(answer.error.message);
      show(answer);
    } catch (error) {
      byId('problem').textContent = error.message;
    }
  });
  function show(answer) {
    byId('form').hidden = true;
    byId('done').hidden = false;
    byId('token').textContent = answer.token;
    byId('expires').textContent = new Date(answer.expiresAt).toLocaleString();
    const query = 'mutation { submitRequest(input: { prompt: "Hello" }) { request { id status } } }';
    byId('curl').textContent = 'curl ' + location.origin + '/graphql -H "content-type: application/json" \\\\\\n' +
      '  -H "authorization: Bearer ' + answer.token + '" \\\\\\n' +
      "  -d '" + JSON.stringify({ query }) + "'";
    byId('open').addEventListener('click', () => {
      localStorage.setItem('graphiql:headers', JSON.stringify({ authorization: 'Bearer ' + answer.token }));
      localStorage.removeItem('graphiql:tabState');
      location.href = '/graphql';
    });
  }`;
