// At most one login in an operation. Without this, one HTTP request could try as many passwords as it has aliases.

import type { GraphQLResolveInfo, SelectionSetNode } from 'graphql';
import { badInput } from '../domain/errors.ts';

/** Throws BAD_USER_INPUT when the operation selects more than one login; every one of them then throws, none runs. */
export function assertOneLogin(info: GraphQLResolveInfo): void {
  if (loginsIn(info.operation.selectionSet, info).size > 1)
    throw badInput('login', 'may stand only once in an operation');
}

/** Names under which `login` is selected, fragments followed. Equal names are one field, which runs once. */
function loginsIn(
  { selections }: SelectionSetNode,
  info: GraphQLResolveInfo,
  visited = new Set<string>(),
): Set<string> {
  const names = new Set<string>();
  for (const selection of selections) {
    if (selection.kind === 'Field') {
      if (selection.name.value === 'login') names.add((selection.alias ?? selection.name).value);
      continue;
    }
    const fragment = selection.kind === 'InlineFragment' ? selection : fragmentOf(selection.name.value);
    for (const name of fragment ? loginsIn(fragment.selectionSet, info, visited) : []) names.add(name);
  }
  return names;

  function fragmentOf(name: string) {
    if (visited.has(name)) return undefined;
    visited.add(name);
    return info.fragments[name];
  }
}
