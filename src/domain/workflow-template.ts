// Templates: text with references in double braces. Rendering is one pass: what a model answered is data, and braces in
// it mean nothing. There is no code in a template, only paths into earlier results.
//
//   {{input}}  {{parameters.NAME}}  {{item}}  {{item.field}}  {{index}}
//   {{steps.ID.output}}             the text of a result
//   {{steps.ID.json.topics[0].name}}  the result read as JSON

const REFERENCE = /\{\{\s*([^{}]{0,500}?)\s*\}\}/g;
const SEGMENT = /\.([A-Za-z_][A-Za-z0-9_-]{0,63})|\[(\d{1,6})\]/y;
const ROOT = /^(input|parameters|item|index|steps)/;

export type Segment = string | number;

export interface Reference {
  readonly text: string;
  readonly root: 'input' | 'parameters' | 'item' | 'index' | 'steps';
  readonly path: readonly Segment[];
  /** The step it refers to. */
  readonly stepId: string | undefined;
}

/** What the references of a template stand for. */
export interface Values {
  readonly input: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Undefined outside of a fan-out. */
  readonly item?: { readonly value: unknown; readonly index: number } | undefined;
  /** The text of a step's result; undefined when it has none, because it was skipped or failed. */
  readonly outputOf: (stepId: string) => string | undefined;
}

/** A template cannot be filled in: what it refers to is not there. The message says what. */
export class TemplateError extends Error {}

/** The references of a template in their order; throws TemplateError for one that is none. */
export function referencesIn(template: string): Reference[] {
  return [...template.matchAll(REFERENCE)].map(match => parseReference(match[1]!));
}

export function parseReference(text: string): Reference {
  const root = ROOT.exec(text)?.[1] as Reference['root'] | undefined;
  if (root === undefined) throw notAReference(text);
  const path: Segment[] = [];
  SEGMENT.lastIndex = root.length;
  while (SEGMENT.lastIndex < text.length) {
    const match = SEGMENT.exec(text);
    if (!match) throw notAReference(text);
    path.push(match[1] ?? Number(match[2]));
  }
  const [first, second] = path;
  const isPlain = path.length === 0;
  const fits =
    root === 'input' || root === 'index'
      ? isPlain
      : root === 'parameters'
        ? typeof first === 'string'
        : root === 'item' ||
          (typeof first === 'string' && (second === 'json' || (second === 'output' && path.length === 2)));
  if (!fits) throw notAReference(text);
  return { text, root, path, stepId: root === 'steps' ? (first as string) : undefined };
}

/** The template with every reference replaced. Throws TemplateError. */
export function render(template: string, values: Values): string {
  return template.replace(REFERENCE, (_whole, text: string) => textOf(resolve(parseReference(text), values)));
}

/** What the reference stands for: text, or a value of JSON. Throws TemplateError. */
export function resolve({ text, root, path }: Reference, values: Values): unknown {
  switch (root) {
    case 'input':
      return values.input;
    case 'index':
    case 'item':
      if (!values.item) throw new TemplateError(`{{${text}}} has a meaning only in a step with forEach`);
      return root === 'index' ? values.item.index : select(values.item.value, path, text);
    case 'parameters':
      return select(values.parameters, path, text);
    case 'steps': {
      const output = values.outputOf(path[0] as string);
      // Only where a step does without one of its dependencies.
      if (output === undefined) return '';
      return path[1] === 'output' ? output : select(parseJson(output, text), path.slice(2), text);
    }
  }
}

/** The elements of the list that a reference stands for; text is read as JSON. Throws TemplateError. */
export function resolveList(reference: Reference, values: Values): readonly unknown[] {
  const found = resolve(reference, values);
  const list = typeof found === 'string' ? parseJson(found, reference.text) : found;
  if (!Array.isArray(list)) throw new TemplateError(`${reference.text} is no list but ${nameOf(list)}`);
  return list;
}

/** As it stands in a rendered text: text as it is, everything else as JSON. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Models like to put JSON into a fence. */
const FENCED = /^\s*```(?:json)?\s*\n([\s\S]*?)\n?```\s*$/;

export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(FENCED.exec(text)?.[1] ?? text);
  } catch {
    throw new TemplateError(`${what}: the result is not JSON`);
  }
}

function select(value: unknown, path: readonly Segment[], text: string): unknown {
  let found = value;
  for (const segment of path) {
    const isThere =
      typeof segment === 'number'
        ? Array.isArray(found) && segment < found.length
        : typeof found === 'object' && found !== null && Object.hasOwn(found, segment);
    if (!isThere) throw new TemplateError(`{{${text}}}: there is no ${segment} in ${nameOf(found)}`);
    found = (found as Record<Segment, unknown>)[segment];
  }
  return found;
}

function nameOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  return Array.isArray(value) ? `a list of ${value.length}` : `a value of type ${typeof value}`;
}

function notAReference(text: string): TemplateError {
  return new TemplateError(
    `{{${text}}} is no reference: write input, parameters.NAME, item, index, steps.ID.output or steps.ID.json.PATH`,
  );
}
