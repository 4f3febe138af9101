// Assembles the schema: types, directives, and the second gate of access. Also prints it the way it is committed.

import { type GraphQLSchema, isObjectType } from 'graphql';
import { type IdKind, toGlobalId } from '../domain/ids.ts';
import { printedSchema, withAuthDirectives } from './auth.ts';
import { enforceAuth } from './auth-enforcement.ts';
import { builder, NODE_TYPES } from './builder.ts';
import { withPrintableDefaults } from './defaults.ts';
import './scalars.ts';
import './types/audit.ts';
import './types/budget.ts';
import './types/budget-mutations.ts';
import './types/content-mutations.ts';
import './types/dashboard.ts';
import './types/instance.ts';
import './types/member.ts';
import './types/member-mutations.ts';
import './types/metrics.ts';
import './types/operator-controls.ts';
import './types/provider.ts';
import './types/provider-queries.ts';
import './types/rate-limit.ts';
import './types/request.ts';
import './types/request-queries.ts';
import './types/request-timing.ts';
import './types/routing.ts';
import './types/session.ts';
import './types/stored-provider-mutations.ts';
import './types/stream.ts';
import './types/submission.ts';
import './types/user-deletion.ts';
import './types/workflow.ts';
import './types/workflow-definitions.ts';
import './types/workflow-mutations.ts';

/** What the server executes. */
export const schema: GraphQLSchema = enforceAuth(withAuthDirectives(withPlainIds(builder.toSchema())));

/** The text of schema.graphql: sorted, with descriptions, defaults and directives. */
export function printSchemaText(): string {
  return printedSchema(withPrintableDefaults(schema));
}

/** Pothos gives the id of a node as a promise, so that each row of a page would have to be waited for. */
function withPlainIds(made: GraphQLSchema): GraphQLSchema {
  for (const [kind, name] of Object.entries(NODE_TYPES)) {
    const type = made.getType(name);
    if (isObjectType(type))
      type.getFields().id!.resolve = (node: { id: string }) => toGlobalId(kind as IdKind, node.id);
  }
  return made;
}
