// The commands of `mcplane`: what they are called, what they take, and which file does the work. The work is loaded
// only when its command runs, so that `--help` is fast.

import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { API_KEY_SCOPES } from '../domain/access.ts';
import { ROUTING_STRATEGIES } from '../domain/routing.ts';
import type { AskOptions } from './ask.ts';
import { version } from './show.ts';
import { note } from './terminal.ts';

const TASKS = ['CHAT', 'CODE', 'TRANSFORM', 'WORKFLOW'] as const;
const JSON_OPTION = ['--json', 'print JSON instead of text'] as const;
const URL_OPTION = ['--url <url>', 'the server (default: MCPLANE_URL or http://127.0.0.1:4000)'] as const;

/** Runs one command; failures set the exit code: 1 it failed, 2 it was called wrongly, 130 it was interrupted. */
export async function run(argv: readonly string[]): Promise<void> {
  try {
    await program().parseAsync(argv);
  } catch (error) {
    process.exitCode = await fail(error);
  }
}

async function fail(error: unknown): Promise<number> {
  // What commander refuses it has already explained.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const { explain } = await import('./connect.ts');
  const known = explain(error);
  if (known) {
    if (known.message) note(known.message);
    return known.exitCode;
  }
  const { explainFailure } = await import('../start.ts');
  note(explainFailure(error));
  return 1;
}

function program(): Command {
  const root = new Command('mcplane')
    .description('The Model Control Plane: one GraphQL API in front of every model provider.')
    .version(version(), '-V, --version')
    .exitOverride()
    .showHelpAfterError('Add --help for what it takes.');
  addServerCommands(root);
  addClientCommands(root);
  addWorkflowCommands(root);
  addStoreCommands(root);
  addPrintingCommands(root);
  return root;
}

interface StartFlags {
  readonly host?: string;
  readonly port?: string;
  readonly config?: string;
  readonly json?: boolean;
}

function addServerCommands(root: Command): void {
  for (const [name, demo, description] of [
    ['start', false, 'Start the server.'],
    ['demo', true, 'Start the server with the simulated provider beside whatever is configured.'],
  ] as const)
    root
      .command(name)
      .description(description)
      .option('--host <address>', 'address to listen on (HOST)')
      .option('--port <number>', 'port to listen on; 0 takes any free one (PORT)')
      .option('--config <path>', 'a mcplane.yaml (MCPLANE_CONFIG)')
      .option(...JSON_OPTION)
      .action(async ({ host, port, config, json }: StartFlags) => {
        const flags = { HOST: host, PORT: port, MCPLANE_CONFIG: config };
        const given = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
        const { runServer } = await import('../start.ts');
        await runServer({ ...process.env, ...given }, { demo, json: json === true });
      });
}

function addClientCommands(root: Command): void {
  root
    .command('ask')
    .description('Ask a model and print its answer as it comes.')
    .argument('[prompt...]', 'the question; `-` or nothing reads it from stdin')
    .option('-m, --model <name>', 'a deployment, a model, an alias or provider/*')
    .addOption(
      new Option('-s, --strategy <name>', 'what routing weighs most')
        .choices(ROUTING_STRATEGIES)
        .argParser(upper(ROUTING_STRATEGIES)),
    )
    .addOption(new Option('-t, --task <name>', 'what it is for').choices(TASKS).argParser(upper(TASKS)))
    .option('--system <text>', 'instructions that stand above the question')
    .option('--max-tokens <number>', 'longest answer in tokens', positive)
    .option('--schema <file>', 'a JSON Schema, as JSON or YAML: print JSON of it, once it is whole')
    .option('--local', 'prefer models on own hardware')
    .option(...URL_OPTION)
    .option(...JSON_OPTION)
    .action(async (words: string[], options: AskOptions) => (await import('./ask.ts')).ask(words, options));
  root
    .command('key')
    .description('API keys of a running server.')
    .command('create')
    .description('Create an API key for yourself; it is printed once.')
    .argument('<name>', 'what it is for')
    .option('--days <number>', 'days until it expires (default: never)', positive)
    .addOption(
      new Option('--scope <name>', 'what it is for, once for each scope (default: everything)')
        .choices(API_KEY_SCOPES)
        .argParser(upperList(API_KEY_SCOPES)),
    )
    .option(...URL_OPTION)
    .option(...JSON_OPTION)
    .action(async (name, options) => (await import('./key.ts')).createKey(name, options));
  root
    .command('user')
    .description('Users of a running server.')
    .command('export')
    .description(
      'Print all that is kept of a user, one JSON object a line: account, API keys (no secrets), logins, requests with ' +
        'what was said, workflows, and what the audit log has. Of yourself, or as ADMIN of anybody.',
    )
    .argument('<user>', 'the name or the id of the user')
    .option(...URL_OPTION)
    .option('--json', 'print JSON, as it does anyway')
    .action(async (user, options) => (await import('./user.ts')).exportUser(user, options));
}

function addWorkflowCommands(root: Command): void {
  const workflow = root
    .command('workflow')
    .description('Workflows of a running server: many steps, one request.');
  const add = (name: string, description: string) =>
    workflow
      .command(name)
      .description(description)
      .option(...URL_OPTION)
      .option(...JSON_OPTION);
  add('run', 'Run the steps in a YAML or JSON file, or an example: research, review, extract.')
    .argument('<file>', 'the path of the file, or the name of an example')
    .option('-i, --input <text>', 'what {{input}} stands for')
    .option('-p, --param <name=value...>', 'what {{parameters.NAME}} stands for')
    .action(async (file, options) => (await import('./workflow.ts')).runWorkflowFile(file, options));
  add('show', 'Print the steps of a workflow and how far they have come.')
    .argument('<request>', 'the id of its request')
    .action(async (id, options) => (await import('./workflow.ts')).showWorkflow(id, options));
  for (const [name, approved] of [
    ['approve', true],
    ['reject', false],
  ] as const)
    add(name, approved ? 'Say yes to a step that waits for it.' : 'Say no, which ends the workflow.')
      .argument('<request>', 'the id of its request')
      .argument('<step>', 'the id of the step')
      .option('-c, --comment <text>', 'kept with the step')
      .action(async (id, step, options) =>
        (await import('./workflow.ts')).decide(approved, [id, step], options),
      );
  for (const [verb, description] of [
    ['pause', 'Begin no further step until it is resumed.'],
    ['resume', 'Let it go on.'],
    ['cancel', 'End it.'],
  ] as const)
    add(verb, description)
      .argument('<request>', 'the id of its request')
      .action(async (id, options) => (await import('./workflow.ts')).change(verb, id, options));
  add('rerun', 'Run one that has ended again; what succeeded is not paid again.')
    .argument('<request>', 'the id of its request')
    .option('--from <step>', 'make this step and all that depend on it anew')
    .action(async (id, options) => (await import('./workflow.ts')).rerun(id, options));
}

function addStoreCommands(root: Command): void {
  root
    .command('admin')
    .description('Administrators.')
    .command('create')
    .description(
      'Create the first administrator in the database, while no server uses it. The password is asked for, ' +
        'or read from stdin or MCPLANE_ADMIN_PASSWORD; never from an argument.',
    )
    .option('-u, --username <name>', 'its name (default: MCPLANE_ADMIN_USERNAME)')
    .option(...JSON_OPTION)
    .action(async options => (await import('./admin.ts')).createAdmin(options));
  root
    .command('audit')
    .description('The audit log.')
    .command('verify')
    .description(
      'Check that no entry of the audit log was changed, removed or put in between. Note the hash it prints ' +
        'somewhere else, and hand it back as --anchor, to find out whether the whole log was written anew.',
    )
    .option('--anchor <sequence:hash>', 'a place in the log as an earlier check printed it')
    .option(...JSON_OPTION)
    .action(async options => (await import('./audit.ts')).verifyAudit(options));
  root
    .command('secrets')
    .description('Secrets at rest.')
    .command('rotate')
    .description(
      'Encrypt the keys of stored providers anew under MCPLANE_SECRET_KEY, after MCPLANE_SECRET_KEY_PREVIOUS was set ' +
        'to what it was before. Servers may run meanwhile; run it again after an interruption.',
    )
    .option(...JSON_OPTION)
    .action(async options => (await import('./secrets.ts')).rotateSecrets(options));
  root
    .command('migrate')
    .description('Bring the database to the newest schema. A start does the same.')
    .option(...JSON_OPTION)
    .action(async options => (await import('./admin.ts')).migrateStore(options));
  root
    .command('doctor')
    .description('Check what a start needs: Node, configuration, port, database, providers.')
    .option(...JSON_OPTION)
    .action(async options => (await import('./doctor.ts')).doctor(options));
}

function addPrintingCommands(root: Command): void {
  root
    .command('config')
    .description('The configuration.')
    .command('show')
    .description('Print every setting with its value; secrets are hidden.')
    .option('--sources', 'say where each value comes from')
    .option(...JSON_OPTION)
    .action(async options => (await import('./show.ts')).showConfig(options));
  root
    .command('schema')
    .description('The GraphQL schema.')
    .command('print')
    .description('Print the schema as this version has it.')
    .option(...JSON_OPTION)
    .action(async options => (await import('./show.ts')).printSchema(options));
  root
    .command('version')
    .description('Print the version.')
    .option(...JSON_OPTION)
    .action(async options => (await import('./show.ts')).printVersion(options));
}

/** One of the names, in any letter case. */
function upper(names: readonly string[]): (value: string) => string {
  return value => {
    const name = value.toUpperCase();
    if (!names.includes(name)) throw new InvalidArgumentError(`Allowed are ${names.join(', ')}.`);
    return name;
  };
}

/** The same for an option that may be given several times. */
function upperList(names: readonly string[]): (value: string, earlier?: readonly string[]) => string[] {
  return (value, earlier = []) => [...earlier, upper(names)(value)];
}

function positive(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1)
    throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return number;
}
