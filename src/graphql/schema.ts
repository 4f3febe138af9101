// Assembles the schema: types, directives, and the second gate of access. Also prints it the way it is committed.

import type { GraphQLSchema } from 'graphql';
import { printedSchema, withAuthDirectives } from './auth.ts';
import { enforceAuth } from './auth-enforcement.ts';
import { builder } from './builder.ts';
import { withPrintableDefaults } from './defaults.ts';
import './scalars.ts';
import './types/audit.ts';
import './types/dashboard.ts';
import './types/instance.ts';
import './types/member.ts';
import './types/member-mutations.ts';
import './types/metrics.ts';
import './types/operator-controls.ts';
import './types/provider.ts';
import './types/request.ts';
import './types/request-queries.ts';
import './types/routing.ts';
import './types/session.ts';
import './types/stream.ts';
import './types/submission.ts';

/** What the server executes. */
export const schema: GraphQLSchema = enforceAuth(withAuthDirectives(builder.toSchema()));

/** The text of schema.graphql: sorted, with descriptions, defaults and directives. */
export function printSchemaText(): string {
  return printedSchema(withPrintableDefaults(schema));
}
