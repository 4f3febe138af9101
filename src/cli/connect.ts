// A signed-in client for the commands that talk to a running server.

import { type Client, createClient, isMcplaneError } from '../sdk/client.ts';
import { CommandError, isInteractive, note, promptLine, promptSecret } from './terminal.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_URL = 'http://127.0.0.1:4000';
const PROBE_TIMEOUT_MS = 3_000;

export async function connect(env: Environment, givenUrl: string | undefined): Promise<Client> {
  const url = givenUrl || env.MCPLANE_URL || DEFAULT_URL;
  if (!URL.canParse(url))
    throw new CommandError(`${url} is not an address. Write it like ${DEFAULT_URL}.`, 2);
  const key = env.MCPLANE_API_KEY || env.MCPLANE_TOKEN;
  if (key) return createClient({ url, token: key });
  await probe(url);
  const { username, password } = await credentials(env, url);
  const anonymous = createClient({ url });
  const { login } = await anonymous.login({ input: { username, password } });
  return createClient({ url, token: login.token });
}

/** Whoever has no server yet must not be asked for a password first. */
async function probe(url: string): Promise<void> {
  try {
    await fetch(new URL('/livez', url), { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
  } catch {
    throw new CommandError(noServer(url));
  }
}

async function credentials(env: Environment, url: string): Promise<{ username: string; password: string }> {
  const username = env.MCPLANE_USERNAME || undefined;
  const password = env.MCPLANE_PASSWORD || undefined;
  if (username && password) return { username, password };
  if (!isInteractive()) throw new CommandError(noCredential(url));
  note(`Log in at ${url} (set MCPLANE_API_KEY, or MCPLANE_USERNAME and MCPLANE_PASSWORD, to skip this).`);
  return {
    username: username ?? (await promptLine('Username: ')),
    password: password ?? (await promptSecret('Password: ')),
  };
}

function noServer(url: string): string {
  return `No server answers at ${url}.
  Start one with \`npm start\`, or set MCPLANE_URL to where yours is.`;
}

function noCredential(url: string): string {
  return `No credential for ${url}.
  No user there yet? Open the setup link that the server printed when it started,
  or stop it, run \`npx mcplane admin create\` and start it again.
  Then set one of these for this command:
    MCPLANE_USERNAME and MCPLANE_PASSWORD
    MCPLANE_API_KEY   (made by \`npx mcplane key create NAME\`)`;
}

/** The failure of a call in words that say what to do. */
export function explain(error: unknown): CommandError | undefined {
  if (error instanceof CommandError) return error;
  if (!isMcplaneError(error)) return undefined;
  const id = error.requestId ? ` (${error.requestId})` : '';
  const wait = error.retryAfterMs ? ` Try again in ${Math.ceil(error.retryAfterMs / 1_000)} s.` : '';
  const start = error.code === 'NETWORK' ? ' Is the server running? Start one with `npm start`.' : '';
  return new CommandError(`${error.code}: ${error.message}${id}${wait}${start}`);
}
