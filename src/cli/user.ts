// `mcplane user export`: all that a server keeps of one user, for that user or an administrator, one JSON object a line.

import { fromGlobalId } from '../domain/ids.ts';
import { type Client, isMcplaneError } from '../sdk/client.ts';
import { connect } from './connect.ts';
import { CommandError, note, writeText } from './terminal.ts';

const PAGE = 50;
/** Rows with all that was said in them. */
const REQUESTS_PAGE = 20;
const ITEMS_PAGE = 100;
const TRIES = 10;

interface Page<Row> {
  readonly nodes: readonly Row[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor?: string | null };
}

export async function exportUser(user: string, options: { url?: string }): Promise<void> {
  const client = await connect(process.env, options.url);
  try {
    const id = await idOf(client, user);
    const { node } = await again(() => client.userAccount({ id }));
    if (!node || !('username' in node)) throw noUser(user);
    const { apiKeys, sessions, ...account } = node;
    await write('account', account);
    for (const key of apiKeys) await write('apiKey', key);
    for (const session of sessions) await write('session', session);
    await exportRequests(client, id);
    const definitions = pages(
      after => client.userWorkflowDefinitions({ first: PAGE, after }),
      answer => answer.workflowDefinitions,
    );
    for await (const definition of definitions)
      if (definition.ownerId === id) await write('workflowDefinition', definition);
    const events = pages(
      after => client.userAuditEvents({ id, first: PAGE, after }),
      ({ node: found }) => (found && 'auditEvents' in found ? found.auditEvents : undefined),
    );
    for await (const event of events) await write('auditEvent', event);
    note('done');
  } finally {
    await client.dispose();
  }
}

async function idOf(client: Client, user: string): Promise<string> {
  if (fromGlobalId(user)?.kind === 'user') return user;
  const { viewer } = await client.viewer();
  if (viewer.username === user.toLowerCase()) return viewer.id;
  if (viewer.role !== 'ADMIN') throw noUser(user);
  const users = pages(
    after => client.users({ first: PAGE, after }),
    ({ users: { edges, pageInfo } }) => ({ nodes: edges.map(edge => edge.node), pageInfo }),
  );
  for await (const { id, username } of users) if (username === user.toLowerCase()) return id;
  throw noUser(user);
}

async function exportRequests(client: Client, user: string): Promise<void> {
  let count = 0;
  let size = REQUESTS_PAGE;
  for (let after: string | null = null; ; ) {
    const { requests } = await again(async () => {
      try {
        return await client.userRequests({ user, first: size, after });
      } catch (error) {
        // Long texts: a page of one row is always read.
        if (!isMcplaneError(error) || error.code !== 'QUERY_TOO_COMPLEX' || size === 1) throw error;
        size = 1;
        return client.userRequests({ user, first: size, after });
      }
    });
    for (const request of requests.nodes) {
      await write('request', request);
      if (request.taskType === 'WORKFLOW') await exportSteps(client, request.id);
    }
    count += requests.nodes.length;
    note(`${count} requests`);
    if (!requests.pageInfo.hasNextPage) return;
    after = requests.pageInfo.endCursor ?? null;
    size = Math.min(REQUESTS_PAGE, size * 2);
  }
}

async function exportSteps(client: Client, id: string): Promise<void> {
  const { request } = await again(() => client.workflowSteps({ id }));
  for (const step of request?.workflow?.steps ?? []) {
    await write('workflowStep', { workflow: id, ...step });
    for (let from = 0; from < (step.itemCount ?? 0); from += ITEMS_PAGE) {
      const page = { id, step: step.id, from, first: ITEMS_PAGE };
      const { request: found } = await again(() => client.workflowStepItems(page));
      for (const item of found?.workflow?.step?.items ?? [])
        await write('workflowStepItem', { workflow: id, step: step.id, ...item });
    }
  }
}

async function* pages<Answer, Row>(
  read: (after: string | null) => Promise<Answer>,
  pageOf: (answer: Answer) => Page<Row> | undefined,
): AsyncGenerator<Row> {
  for (let after: string | null = null; ; ) {
    const page = pageOf(await again(() => read(after)));
    if (!page) return;
    yield* page.nodes;
    if (!page.pageInfo.hasNextPage) return;
    after = page.pageInfo.endCursor ?? null;
  }
}

/** An export is long, and asks more slowly when the server says so. */
async function again<Answer>(read: () => Promise<Answer>): Promise<Answer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await read();
    } catch (error) {
      if (!isMcplaneError(error) || !error.retryable || tries === TRIES) throw error;
      const waitMs = error.retryAfterMs ?? 250 * tries;
      await new Promise(resolve => setTimeout(resolve, waitMs));
    }
  }
}

function write(type: string, value: object): Promise<void> {
  return writeText(`${JSON.stringify({ type, ...value })}\n`);
}

function noUser(user: string): CommandError {
  return new CommandError(`There is no user ${user} to be seen. Only ADMIN exports others.`);
}
