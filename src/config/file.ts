// Reads `mcplane.yaml`: parses it, puts in what `${env:NAME}` and `${file:/path}` stand for, checks it against the
// schema and remembers where everything stood, so that each problem has its line and column.

import { isMap, isScalar, LineCounter, type ParsedNode, parseDocument } from 'yaml';
import type { z } from 'zod';
import {
  FILE_ONLY_SCHEMA,
  FILE_SCHEMA,
  type FileAliases,
  type FileModels,
  type FileProvider,
  namesAt,
} from './file-schema.ts';
import { type ConfigProblem, didYouMean } from './problems.ts';
import { SETTING_NAMES, SETTINGS } from './settings.ts';

type Path = readonly PropertyKey[];
type Document = ReturnType<typeof parseDocument>;

export interface ConfigFile {
  /** The raw value at a setting's path, undefined when it is not there or empty. */
  valueAt(path: string): unknown;
  /** `mcplane.yaml:4:3` */
  locate(path: Path): string;
  /** Was it written in the file as it is, not by a `${…}`? */
  isLiteral(path: Path): boolean;
  readonly providers: readonly FileProvider[];
  readonly models: FileModels;
  readonly aliases: FileAliases;
}

export interface FileSource {
  readonly name: string;
  readonly text: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readFile: (path: string) => string;
}

/** The file's content and every problem in it. What is wrong is left out of the content. */
export function parseConfigFile(source: FileSource): { file: ConfigFile; problems: ConfigProblem[] } {
  const lineCounter = new LineCounter();
  const document = parseDocument(source.text, { lineCounter, prettyErrors: false });
  const at = (offset: number): string => {
    const { line, col } = lineCounter.linePos(offset);
    return `${source.name}:${line}:${col}`;
  };
  const locate = (path: Path): string => at(offsetOf(document, path));
  const problems: ConfigProblem[] = document.errors.map(error => ({
    where: at(error.pos[0]),
    problem: `is not valid YAML: ${error.message}`,
    fix: 'Correct the syntax at this place.',
  }));
  const filled = document.errors.length > 0 ? undefined : fill(document.toJS(), { source, locate, problems });
  const content = filled?.value ?? {};
  const checked = FILE_SCHEMA.safeParse(content);
  if (!checked.success)
    problems.push(...checked.error.issues.flatMap(issue => toProblems(issue, document, at)));
  const only = FILE_ONLY_SCHEMA.safeParse(content);
  return {
    file: {
      valueAt: path => path.split('.').reduce<unknown>(stepInto, content),
      locate,
      isLiteral: path => !filled?.substituted.has(path.join('.')),
      providers: only.data?.providers ?? [],
      models: only.data?.models ?? {},
      aliases: only.data?.aliases ?? {},
    },
    problems,
  };
}

function stepInto(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

/** Where a path stands: its node, or the nearest group around it. */
function offsetOf(document: Document, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true) as ParsedNode | undefined;
    if (node?.range) return node.range[0];
  }
  return document.contents?.range?.[0] ?? 0;
}

function toProblems(
  issue: z.core.$ZodIssue,
  document: Document,
  at: (offset: number) => string,
): ConfigProblem[] {
  if (issue.code !== 'unrecognized_keys') {
    const missing = issue.path.length > 0 && document.getIn(issue.path) === undefined;
    return [
      {
        where: `${at(offsetOf(document, issue.path))} (${issue.path.join('.') || 'the file'})`,
        problem: missing ? 'is missing' : issue.message,
        fix: missing ? `Add it: it ${issue.message}.` : 'Correct the value or remove it.',
      },
    ];
  }
  const names = namesAt(issue.path);
  return issue.keys.map(key => ({
    where: `${at(keyOffset(document, issue.path, key))} (${[...issue.path, key].join('.')})`,
    problem: 'is not known here.',
    fix: pathOfVariable(key) ?? didYouMean(key, names) ?? `Remove it. Known here: ${names.join(', ')}.`,
  }));
}

/** Somebody wrote a variable's name into the file. */
function pathOfVariable(key: string): string | undefined {
  const name = SETTING_NAMES.find(candidate => candidate === key.toUpperCase());
  if (name === undefined) return undefined;
  const { path } = SETTINGS[name];
  return path === undefined ? `${name} can only be an environment variable.` : `Did you mean ${path}?`;
}

function keyOffset(document: Document, path: Path, key: string): number {
  const parent = path.length === 0 ? document.contents : document.getIn(path, true);
  const pair = isMap(parent)
    ? parent.items.find(item => isScalar(item.key) && String(item.key.value) === key)
    : undefined;
  return (pair?.key as ParsedNode | undefined)?.range?.[0] ?? offsetOf(document, path);
}

const REFERENCE = /^\$\{(env|file):([^}]+)\}$/;

interface Filling {
  readonly source: FileSource;
  readonly locate: (path: Path) => string;
  readonly problems: ConfigProblem[];
}

/** The content without empty values and with references put in; `substituted` has the paths that were references. */
function fill(content: unknown, filling: Filling): { value: unknown; substituted: ReadonlySet<string> } {
  const substituted = new Set<string>();
  const walk = (value: unknown, path: Path): unknown => {
    if (value === null || value === '') return undefined;
    if (Array.isArray(value)) return value.map((item, index) => walk(item, [...path, index]));
    if (typeof value === 'object') {
      const entries = Object.entries(value).map(([key, item]) => [key, walk(item, [...path, key])] as const);
      return Object.fromEntries(entries.filter(entry => entry[1] !== undefined));
    }
    const match = typeof value === 'string' ? REFERENCE.exec(value) : null;
    if (!match) return value;
    substituted.add(path.join('.'));
    return resolve(match[1] as 'env' | 'file', match[2]!, path, filling);
  };
  return { value: walk(content, []), substituted };
}

function resolve(
  from: 'env' | 'file',
  name: string,
  path: Path,
  { source, locate, problems }: Filling,
): string | undefined {
  const where = `${locate(path)} (${path.join('.')})`;
  if (from === 'env') {
    const value = source.env[name];
    if (value) return value;
    problems.push({ where, problem: `refers to ${name}, which is not set`, fix: `Set ${name}.` });
    return undefined;
  }
  try {
    return source.readFile(name).trim() || undefined;
  } catch (error) {
    const problem = `refers to the file ${name}, which cannot be read (${reasonOf(error)})`;
    problems.push({ where, problem, fix: 'Create the file, or correct the path.' });
    return undefined;
  }
}

/** `ENOENT` rather than a whole message. */
export function reasonOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
}
