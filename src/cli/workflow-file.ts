// A workflow in a file, YAML or JSON: the fields of WorkflowInput as the schema has them. What is wrong with it the
// server says, step by step.

import { readDataFile } from '../config/data-file.ts';
import type { WorkflowInput } from '../sdk/generated/graphql.ts';
import { CommandError } from './terminal.ts';

export function readWorkflowFile(path: string): WorkflowInput {
  const value = readDataFile(path);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new CommandError(`${path} holds no workflow: it begins with \`steps:\`.`, 2);
  return value as WorkflowInput;
}
