// Every input that a canary is planted in, used well and used wrongly.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import WebSocket from 'ws';
import { ADMIN, type Data, until } from '../support/app.ts';
import { errorEvent, raw, type Scripted, status, text } from '../support/upstream.ts';
import type { CanaryServer } from './server.ts';

const LOGIN = 'mutation ($input: LoginInput!) { login(input: $input) { token } }';
const CREATE_USER = 'mutation ($input: CreateUserInput!) { createUser(input: $input) { user { id } } }';
const CHANGE_PASSWORD = 'mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { token } }';
const CREATE_KEY = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }';
const CREATE_PROVIDER =
  'mutation ($input: CreateProviderInput!) { createProvider(input: $input) { provider { status } } }';
const UPDATE_PROVIDER =
  'mutation ($input: UpdateProviderInput!) { updateProvider(input: $input) { provider { status } } }';
const SUBMIT = 'mutation ($input: SubmitRequestInput!) { submitRequest(input: $input) { request { id } } }';
const RESET = 'mutation ($input: ResetBreakerInput!) { resetBreaker(input: $input) { provider { id } } }';
const REQUEST =
  'query ($id: ID!) { request(id: $id) { status error { code message } attempts { error { message } } } }';

/** Passwords, sessions and keys of the API, right ones and wrong ones. */
export async function useCredentials({ send, canaries, token }: CanaryServer): Promise<void> {
  const { plant } = canaries;
  const password = plant('password of a user');
  await send(LOGIN, { input: { username: ADMIN.username, password: plant('wrong password') } }, null);
  await send(LOGIN, { input: { username: 'nobody', password: plant('password of nobody') } }, null);
  await send(CREATE_USER, { input: { username: 'ute', role: 'USER', password } });
  await send(CREATE_USER, {
    input: { username: 'ute', role: 'USER', password: plant('password of a taken name') },
  });
  await send(CREATE_USER, {
    input: { username: '!', role: 'USER', password: plant('password of a bad name') },
  });
  const { data } = await send(LOGIN, { input: { username: 'ute', password } }, null);
  canaries.add('session of a user', data.login.token);
  const change = { currentPassword: password, newPassword: plant('new password') };
  const changed = await send(CHANGE_PASSWORD, { input: change }, data.login.token);
  canaries.add('new session', changed.data.changePassword.token);
  const created = await send(CREATE_KEY, { input: { name: 'reports' } });
  const { secret } = created.data.createApiKey;
  canaries.add('API key', secret);
  for (const credential of [secret, `${secret.slice(0, -1)}0`, plant('no credential'), `${token}x`])
    await send('{ viewer { id } }', {}, credential);
}

/** Keys of stored providers: accepted, replaced, refused. */
export async function useProviders({ send, canaries: { plant }, upstream }: CanaryServer): Promise<void> {
  const input = { id: 'stored', kind: 'openai', baseUrl: `${upstream.url}/v1`, allowPrivate: true };
  const create = (change: object) => send(CREATE_PROVIDER, { input: { ...input, ...change } });
  const created = await create({ apiKey: plant('stored key'), models: [{ model: 'alpha' }] });
  assert.equal(created.data.createProvider.provider.status, 'AVAILABLE');
  await create({ apiKey: plant('key of a taken id') });
  await create({ id: 'a b', apiKey: plant('key of a bad id') });
  await create({ id: 'c', apiKey: `${plant('bad key')} with spaces` });
  await create({ id: 'd', baseUrl: `https://user:${plant('password in a base URL')}@example.com` });
  await create({ id: 'e', baseUrl: `https://169.254.169.254/${plant('path of a refused base URL')}` });
  await create({ id: 'f', baseUrl: `https://example.com/?key=${plant('query of a base URL')}` });
  await send(UPDATE_PROVIDER, { input: { providerId: 'stored', apiKey: plant('replaced key') } });
  await send(UPDATE_PROVIDER, {
    input: { providerId: 'filed', apiKey: plant('key of a provider of the file') },
  });
}

/** Prompts and all that comes with them; answers, and all the ways in which other servers complain. */
export async function useRequests(server: CanaryServer): Promise<void> {
  const { plant } = server.canaries;
  const answer = plant('answer');
  server.upstream.answerWith(() => [text(answer)]);
  await run(server, 'SUCCEEDED', {
    prompt: plant('prompt'),
    system: plant('system text'),
    metadata: { note: plant('metadata') },
    stop: [plant('stop sequence')],
    idempotencyKey: plant('idempotency key'),
  });
  await run(server, 'SUCCEEDED', { messages: [{ role: 'USER', content: plant('message') }] });
  await run(server, 'SUCCEEDED', {
    prompt: plant('prompt of a workflow'),
    workflow: {
      steps: [
        {
          id: 'one',
          prompt: `${plant('prompt of a step')} {{input}} {{parameters.topic}}`,
          model: 'stored/alpha',
        },
      ],
      parameters: { topic: plant('parameter of a workflow') },
    },
  });
  for (const [name, scriptOf] of Object.entries(COMPLAINT_SCRIPTS)) {
    const script = scriptOf(plant(`what ${name} says`), plant(`what stands beside ${name}`));
    server.upstream.answerWith(() => script);
    await server.send(RESET, { input: { providerId: 'stored', reason: 'the next complaint' } });
    await run(server, 'FAILED', { prompt: plant(`prompt that met ${name}`) });
  }
  const list = { error: { message: plant('error of a model list') } };
  server.upstream.answerPath('/v1/models', status(418, { 'x-said': plant('header of a model list') }, list));
  await server.send(UPDATE_PROVIDER, { input: { providerId: 'stored', local: true } });
}

/** How other servers complain: the first text is what they say, the second what they put beside it. */
const COMPLAINT_SCRIPTS: Record<string, (said: string, beside: string) => Scripted> = {
  'a bad request': (said, beside) => status(400, { 'x-said': beside }, complaint(said, beside)),
  'a page': said => status(500, { 'content-type': 'text/html' }, `<h1>${said}</h1>`),
  'a refused key': (said, beside) => status(401, { 'www-authenticate': beside }, complaint(said, beside)),
  'too many calls': (said, beside) => status(429, { 'x-request-id': beside }, complaint(said, beside)),
  'a redirect': said => status(302, { location: `http://127.0.0.1:9/${said}` }),
  'an error event': (said, beside) => [text('begun '), errorEvent('server_error', `${said} ${beside}`)],
  'a malformed event': said => [raw(`data: ${said}\n\n`)],
  'another format': said => ({
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([said]),
  }),
  'what is not HTTP': said => ({ preface: `${said}\r\n\r\n`, before: 'close' }),
};
export const COMPLAINTS = Object.keys(COMPLAINT_SCRIPTS);

function complaint(message: string, param: string): object {
  return { error: { type: 'some_error', code: 'some_code', message, param } };
}

async function run({ send }: CanaryServer, expected: string, input: object): Promise<void> {
  const accepted = await send(SUBMIT, { input: { model: 'stored/alpha', ...input } });
  assert.deepEqual(accepted.errors, undefined);
  const { id } = accepted.data.submitRequest.request;
  let request: Data;
  await until(async () => {
    const { data } = await send(REQUEST, { id });
    request = data.request;
    return !['QUEUED', 'RUNNING'].includes(request.status);
  }, 'the request has ended');
  assert.equal(request.status, expected, JSON.stringify(request));
}

/** Whatever is not an operation at all, or a wrong one. */
export async function useBrokenTransports({
  fetch,
  send,
  canaries: { plant },
  token,
}: CanaryServer): Promise<void> {
  const authorization = `Bearer ${token}`;
  const json = { 'content-type': 'application/json', authorization };
  const post = (body: string, headers: Record<string, string> = json) =>
    fetch('/graphql', { method: 'POST', headers, body });
  await post(`{"query": "${plant('broken JSON body')}`);
  await post(JSON.stringify([plant('body of another shape')]));
  await post(JSON.stringify({ query: { [plant('name of a field')]: 1 } }));
  await post(plant('form'), { authorization, 'content-type': 'application/x-www-form-urlencoded' });
  await post('{}', { ...json, cookie: `session=${plant('cookie')}` });
  await post('{}', {
    'content-type': 'application/json',
    authorization: `Basic ${plant('Basic credential')}`,
  });
  await post('{}', { ...json, 'x-api-key': plant('other header') });
  await fetch(
    `/graphql?query={viewer{id}}&access_token=${plant('token in a URL')}`,
    { headers: { authorization } },
    true,
  );
  const variables = encodeURIComponent(JSON.stringify({ id: plant('variable in a URL') }));
  await fetch(`/graphql?query=query($id:ID!){request(id:$id){id}}&variables=${variables}`, {
    headers: { authorization },
  });
  await fetch(`/setup?token=${plant('setup token in a URL')}`);
  await fetch('/setup', {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ token: plant('setup token'), username: 'x', password: plant('setup password') }),
  });
  await fetch(`/${plant('path')}?x=${plant('query string')}`);
  await fetch('/metrics', { headers: { authorization: `Bearer ${plant('credential of a scrape')}` } });

  const wrong = { prompt: plant('prompt of a wrong variable'), priority: plant('wrong variable') };
  await send(SUBMIT, { input: wrong });
  await send(SUBMIT, {
    input: {
      prompt: plant('prompt that nobody takes'),
      priority: 999,
      metadata: { [plant('metadata key')]: 1 },
    },
  });
  await send(
    `mutation { submitRequest(input: { prompt: "${plant('literal prompt')}", priority: "x" }) { request { id } } }`,
  );
  await send(`mutation { submitRequest(input: { prompt: "${plant('literal before a syntax error')}" `);
  await send(`mutation { ${JSON.stringify(plant('text in place of a name'))} }`);
}

/** Sockets that present and say wrong things. */
export async function useSockets({ url, token, canaries }: CanaryServer): Promise<void> {
  const { plant, search } = canaries;
  const talk = async (...messages: (object | string)[]) => {
    const socket = new WebSocket(
      `${url.replace('http', 'ws')}/graphql?token=${plant('token in the URL of a socket')}`,
      'graphql-transport-ws',
    );
    const heard: string[] = [];
    socket.on('message', data => heard.push(String(data)));
    const closed = once(socket, 'close');
    await once(socket, 'open');
    for (const message of messages)
      socket.send(typeof message === 'string' ? message : JSON.stringify(message));
    const [code, reason] = await closed;
    search('errors', `${heard.join()} ${code} ${reason}`);
  };
  const init = {
    type: 'connection_init',
    payload: { authorization: `Bearer ${token}`, extra: plant('extra connection parameter') },
  };
  const subscribe = (payload: object) => ({ type: 'subscribe', id: '1', payload });
  await talk({
    type: 'connection_init',
    payload: { authorization: `Bearer ${plant('connection parameter')}` },
  });
  await talk(init, `{"type": "${plant('broken message')}`);
  await talk(
    init,
    subscribe({
      query: 'subscription ($id: ID!) { tokenStream(requestId: $id) { cursor } }',
      variables: { id: { [plant('wrong variable of a socket')]: 1 } },
    }),
    'end',
  );
  await talk(
    init,
    subscribe({
      query: `subscription { tokenStream(requestId: "${plant('literal of a socket')}") { cursor } }`,
    }),
    'end',
  );
  await talk(init, { type: plant('type of a message') });
}

/** What commands print that know the same secrets. */
export async function useCommands({ env, canaries }: CanaryServer): Promise<void> {
  for (const args of [['config', 'show', '--sources'], ['config', 'show', '--json'], ['doctor']]) {
    const command = ['src/cli/mcplane.js', ...args];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, command, { env });
    assert.match(stdout, /MCPLANE_SECRET_KEY|database/);
    canaries.search(`mcplane ${args.join(' ')}`, stdout + stderr);
  }
}
