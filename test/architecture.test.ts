// Who may import whom. The two tables are the documentation of the layers; arrows point inwards.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

/** Folder → folders and single files it may import, besides itself, `lib` and the standard library. */
const MAY_IMPORT: Record<string, string[]> = {
  lib: [],
  domain: [],
  telemetry: ['domain'],
  providers: ['domain'],
  events: ['domain'],
  store: ['domain'],
  limits: ['domain', 'events/redis-connection.ts'],
  config: ['domain', 'control/catalog.ts', 'control/secret-strength.ts'],
  control: [
    'domain',
    'telemetry',
    'store/store.ts',
    'limits/login-throttle.ts',
    'providers/provider.ts',
    'providers/provider-error.ts',
  ],
  engine: ['domain', 'telemetry', 'store/store.ts', 'events/event-log.ts'],
  gateway: [
    'domain',
    'telemetry',
    'store/store.ts',
    // What is told apart of its failures: whether a statement may have been carried out.
    'store/unavailable.ts',
    'events/event-log.ts',
    'events/signals.ts',
    'limits/limits.ts',
    'control/catalog.ts',
    'providers/provider.ts',
    'providers/provider-error.ts',
  ],
  workflows: [
    'domain',
    'telemetry',
    'store/store.ts',
    'store/workflows.ts',
    'gateway/gateway.ts',
    'gateway/steps.ts',
  ],
  graphql: [
    'domain',
    'telemetry',
    'store/store.ts',
    'gateway/gateway.ts',
    'control/members.ts',
    'workflows/workflows.ts',
    'store/workflows.ts',
    'control/stored-providers.ts',
  ],
  http: ['domain', 'telemetry', 'graphql', 'control/members.ts'],
  sdk: [],
  cli: [
    'sdk',
    'domain',
    'config.ts',
    'config',
    'start.ts',
    'app.ts',
    'control',
    'store',
    'graphql/schema.ts',
    'lib',
  ],
};
/** Files directly in src: the composition root and the doors to it. */
const ROOT_FILES = [
  'app.ts',
  'config.ts',
  'main.ts',
  'start.ts',
  'wiring-http.ts',
  'wiring-limits.ts',
  'wiring-workflows.ts',
  'wiring-providers.ts',
  'wiring.ts',
  'worker.ts',
  'worker-scrapes.ts',
  'workers.ts',
];

/** Package → the only folders or files that may import it. */
const ONLY_IN: Record<string, string[]> = {
  openai: ['providers/'],
  '@anthropic-ai/sdk': ['providers/'],
  ioredis: ['events/'],
  undici: ['providers/'],
  'eventsource-parser': ['providers/'],
  '@pydantic/genai-prices': ['control/'],
  kysely: ['store/'],
  pg: ['store/'],
  '@electric-sql/pglite': ['store/'],
  jsonwebtoken: ['control/'],
  argon2: ['control/'],
  mollitia: ['gateway/breaker-circuit.ts'],
  graphql: ['graphql/', 'http/'],
  '@pothos/core': ['graphql/'],
  '@envelop/generic-auth': ['graphql/'],
  dataloader: ['graphql/'],
  'graphql-yoga': ['http/'],
  'graphql-ws': ['http/', 'sdk/'],
  ws: ['http/'],
  pino: ['telemetry/'],
  'prom-client': ['telemetry/'],
  commander: ['cli/'],
  ajv: ['lib/json-schema.ts'],
  yaml: ['config/', 'config.ts'],
};

interface Import {
  readonly from: string;
  readonly specifier: string;
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s(?:[^'";]*?\sfrom\s)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g;

const imports: Import[] = globSync('src/**/*.{ts,js}').flatMap(path =>
  [...readFileSync(path, 'utf8').matchAll(IMPORT)].map(match => ({
    from: path.replace(/^src\//, ''),
    specifier: (match[1] ?? match[2])!,
  })),
);

function packageOf(specifier: string): string {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0]!;
}

test('folders import only what lies further inwards', () => {
  const offenders = imports.filter(({ from, specifier }) => {
    const folder = from.split('/')[0]!;
    if (!specifier.startsWith('.') || ROOT_FILES.includes(folder)) return false;
    const target = normalize(join(dirname(from), specifier));
    if (target.startsWith('..')) return false;
    const allowed = [folder, 'lib', ...(MAY_IMPORT[folder] ?? [])];
    return !allowed.some(place => target === place || target.startsWith(`${place}/`));
  });
  assert.deepEqual(offenders, []);
});

test('every folder has a row in the table', () => {
  const folders = new Set(
    imports.map(({ from }) => from.split('/')[0]!).filter(name => !name.endsWith('.ts')),
  );
  assert.deepEqual(
    [...folders].filter(folder => !MAY_IMPORT[folder]),
    [],
  );
});

test('a package is imported only where its seam is', () => {
  const offenders = imports.filter(({ from, specifier }) => {
    const places = specifier.startsWith('.') ? undefined : ONLY_IN[packageOf(specifier)];
    return places && !places.some(place => from === place || (place.endsWith('/') && from.startsWith(place)));
  });
  assert.deepEqual(offenders, []);
});

test('what is made for each request has no getters of its own', () => {
  // Each such object gets a hidden class of its own, which keeps what the getter sees until the next major collection.
  const longLived = ['src/gateway/outcome-window.ts'];
  const literals = globSync('src/{gateway,providers}/**/*.ts').filter(path =>
    /^ {4,}get \w+\(\)/m.test(readFileSync(path, 'utf8')),
  );
  assert.deepEqual(literals, longLived);
});

test('no function is made in an assignment to a property', () => {
  // V8 makes it in the old generation: what it sees lives on until the next major collection, as long as a request or not.
  const oncePerWorker = ['src/workers.ts'];
  const assigned = globSync('src/**/*.ts').filter(path =>
    /^\s*[\w#.[\]!]+\.#?\w+ (?:\?\?|\|\||&&)?= (?:async )?(?:\([^()]*\)|\w+) =>/m.test(
      readFileSync(path, 'utf8'),
    ),
  );
  assert.deepEqual(assigned, oncePerWorker);
});

test('process.env is read only by the doors', () => {
  const readers = globSync('src/**/*.{ts,js}').filter(path =>
    /process\.env\b/.test(readFileSync(path, 'utf8')),
  );
  assert.deepEqual(
    readers.filter(path => path !== 'src/main.ts' && !path.startsWith('src/cli/')),
    [],
  );
});
