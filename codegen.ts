// Prints schema.graphql from the code, generates the typed SDK from it, and fills the README's reference tables. `node codegen.ts` writes the files;
// `node codegen.ts --check` writes nothing and fails when one of them is not what it would write.

import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { generate } from '@graphql-codegen/cli';
import { errorTable, faultTable, settingsTable, withSection } from './src/config/reference.ts';
import { describeFaults } from './src/gateway/fault-reference.ts';
import { printSchemaText } from './src/graphql/schema.ts';

const ROOT = import.meta.dirname;
const GENERATED = 'src/sdk/generated';

/** Everything generated, by its path from the root. */
async function outputs(schemaText: string): Promise<Map<string, string>> {
  const files: { filename: string; content: string }[] = await generate(
    {
      cwd: ROOT,
      // As text, not from the file: what is checked is what the code says now.
      schema: schemaText,
      documents: 'src/sdk/operations/*.graphql',
      silent: true,
      config: {
        documentMode: 'string',
        useTypeImports: true,
        enumsAsTypes: true,
        strictScalars: true,
        defaultScalarType: 'unknown',
        scalars: { ID: 'string', DateTime: 'string', Decimal: 'string', BigInt: 'string', JSON: 'unknown' },
      },
      emitLegacyCommonJSImports: false,
      importExtension: '.ts',
      generates: {
        [`${GENERATED}/`]: { preset: 'client', presetConfig: { fragmentMasking: false } },
        [`${GENERATED}/sdk.ts`]: { plugins: ['./src/sdk/codegen-plugin.ts'] },
      },
    },
    false,
  );
  // The preset also makes a lookup of documents by their text; ours are called by name.
  const used = files.filter(({ filename }) => /\/(graphql|sdk)\.ts$/.test(filename));
  const found = used.map(({ filename, content }) => [relative(ROOT, join(ROOT, filename)), content] as const);
  return new Map([['schema.graphql', schemaText], ['README.md', readme()], ...found]);
}

/** The README with its reference tables as the code has them. */
function readme(): string {
  const text = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const sections = {
    settings: settingsTable(),
    errors: errorTable(),
    faults: faultTable(describeFaults()),
  };
  return Object.entries(sections).reduce(
    (filled, [name, content]) => withSection(filled, name, content),
    text,
  );
}

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(join(ROOT, path), 'utf8');
  } catch {
    return undefined;
  }
}

const wanted = await outputs(printSchemaText());
const superfluous = globSync(`${GENERATED}/**/*.ts`, { cwd: ROOT }).filter(path => !wanted.has(path));
const stale = [...wanted]
  .filter(([path, content]) => readOrUndefined(path) !== content)
  .map(([path]) => path);

if (!process.argv.includes('--check')) {
  for (const [path, content] of wanted) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true });
    writeFileSync(join(ROOT, path), content);
  }
  for (const path of superfluous) rmSync(join(ROOT, path));
  console.log(`${wanted.size} files written, ${stale.length} of them changed.`);
} else if (stale.length + superfluous.length > 0) {
  console.error(
    `Not up to date: ${[...stale, ...superfluous].join(', ')}. Run \`npm run codegen\` and commit.`,
  );
  process.exitCode = 1;
}
