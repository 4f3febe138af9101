// Admissions that need not be worked out again: walking the document costs more than most operations. The verdict on a
// document follows from the rules, which never change, and the caller's role and scopes, and whether the password must be changed first; only @skip and @include would
// make it depend on variables, so documents with directives are walked every time. Refusals are not remembered.

import type { Plugin } from '@envelop/core';
import { type DocumentNode, Kind, separateOperations } from 'graphql';
import type { ActorContext } from './auth.ts';
import { measureDocument } from './query-measure.ts';

/** What is used here of the hooks before execution and before subscription alike. */
interface Payload {
  readonly args: {
    readonly document: DocumentNode;
    readonly operationName?: string | null | undefined;
    readonly contextValue?: unknown;
  };
  setResultAndStopExecution(result: unknown): void;
}
type Handler = (payload: Payload) => unknown;

/** Was this operation let in before for a caller of this role and these scopes? Then it is let in whatever its variables are. */
export type IsAdmitted = (
  document: DocumentNode,
  operationName: string | null | undefined,
  actor: ActorContext['actor'],
) => boolean;

/** The same plugin; what it adds to look at documents is asked once for each document, operation, role and scopes. */
export function rememberAdmissions(plugin: Plugin): Plugin & { readonly isAdmitted: IsAdmitted } {
  const admitted = new WeakMap<DocumentNode, Set<string>>();

  function remembering(handler: Handler): Handler {
    return payload => {
      const { document, operationName, contextValue } = payload.args;
      const { actor } = contextValue as ActorContext;
      const caller = callerOf(operationName, actor);
      const callers = admitted.get(document);
      if (callers?.has(caller)) return undefined;
      let isRefused = false;
      const result = handler({
        ...payload,
        args: { ...payload.args, document: selectedOf(document, operationName) },
        setResultAndStopExecution(refusal) {
          isRefused = true;
          payload.setResultAndStopExecution(refusal);
        },
      });
      if (isRefused) return result;
      if (callers) callers.add(caller);
      else if (measureDocument(document).directives === 0) admitted.set(document, new Set([caller]));
      return result;
    };
  }

  return {
    ...plugin,
    isAdmitted: (document, operationName, actor) =>
      admitted.get(document)?.has(callerOf(operationName, actor)) ?? false,
    onPluginInit(api) {
      plugin.onPluginInit?.({
        ...api,
        addPlugin(added: Plugin) {
          const { onExecute, onSubscribe } = added;
          api.addPlugin({
            ...added,
            ...(onExecute && { onExecute: remembering(onExecute as Handler) }),
            ...(onSubscribe && { onSubscribe: remembering(onSubscribe as Handler) }),
          } as Plugin);
        },
      });
    },
  };
}

/** What runs of a document: what stands beside it is judged when it is asked for. */
function selectedOf(document: DocumentNode, operationName: string | null | undefined): DocumentNode {
  const operations = document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  if (operations.length <= 1) return document;
  return separateOperations(document)[operationName ?? ''] ?? document;
}

function callerOf(operationName: string | null | undefined, actor: ActorContext['actor']): string {
  const scopes = actor?.credential.scopes;
  const old = actor?.mustChangePassword ? '!' : '';
  // Neither a role nor a list of scopes has a blank, so that no caller is taken for another.
  return `${scopes ? `${actor.role},${scopes}` : actor?.role}${old} ${operationName ?? ''}`;
}
