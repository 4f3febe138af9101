// Workflows that are kept under a name, to be run with other inputs.

import { type Actor, authorize, can } from '../domain/access.ts';
import { badInput, DomainError } from '../domain/errors.ts';
import { newId } from '../domain/ids.ts';
import { redactWorkflow } from '../domain/redacted.ts';
import type { WorkflowDefinition } from '../domain/workflow.ts';
import { parseWorkflow } from '../domain/workflow-input.ts';
import type { DefinitionRun, Workflows, WorkflowsDeps } from './workflows.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}$/;
const MAX_DESCRIPTION_LENGTH = 2_000;

type Definitions = Pick<Workflows, 'createDefinition' | 'deleteDefinition' | 'definition' | 'runDefinition'>;

export function createDefinitions({ store, gateway, clock, bounds, redact }: WorkflowsDeps): Definitions {
  async function wanted(actor: Actor, run: DefinitionRun): Promise<WorkflowDefinition> {
    const { definitionId, name, version } = run;
    if ((definitionId == null) === (name == null))
      throw badInput('name', 'and definitionId exclude each other: send one of them');
    const [found] =
      definitionId == null
        ? [await store.workflowDefinitions.byName(actor.userId, name!, version ?? undefined)]
        : await store.workflowDefinitions.byIds([definitionId]);
    if (!found || !maySee(actor, found))
      throw new DomainError('NOT_FOUND', 'There is no such workflow definition.');
    return found;
  }

  return {
    async createDefinition(actor, { name, description, shared, workflow }) {
      authorize(actor, 'request:submit');
      if (shared) authorize(actor, 'workflow:share');
      if (!NAME.test(name)) throw badInput('name', 'must be 1 to 100 letters, digits, spaces, dots, - and _');
      if (description != null && description.length > MAX_DESCRIPTION_LENGTH)
        throw badInput('description', `must have at most ${MAX_DESCRIPTION_LENGTH} characters`);
      const spec = parseWorkflow(workflow, '', bounds);
      if (spec.steps.length === 0) throw badInput('workflow.steps', 'is empty: a definition has steps');
      return store.workflowDefinitions.create({
        id: newId(clock.now()),
        userId: actor.userId,
        name,
        description: description == null ? undefined : (redact?.(description) ?? description),
        shared: shared ?? false,
        workflow: redact ? redactWorkflow(spec, redact) : spec,
        createdAt: new Date(clock.now()),
      });
    },

    async deleteDefinition(actor, name) {
      authorize(actor, 'request:submit');
      if (!(await store.workflowDefinitions.delete(actor.userId, name)))
        throw new DomainError('NOT_FOUND', 'There is no such workflow definition.');
    },

    async definition(actor, id) {
      authorize(actor, 'request:read');
      const [found] = await store.workflowDefinitions.byIds([id]);
      return found && maySee(actor, found) ? found : undefined;
    },

    async runDefinition(actor, run) {
      authorize(actor, 'request:submit');
      const { id, version, workflow } = await wanted(actor, run);
      const parameters = { ...workflow.parameters, ...parametersOf(run.parameters, workflow.parameters) };
      const workflowOf = (input: string) => ({ ...workflow, input, parameters, definition: { id, version } });
      return gateway().submitWorkflowOf(actor, run.submission, workflowOf, run.address);
    },
  };
}

function parametersOf(given: unknown, known: object): object {
  if (given == null) return {};
  if (typeof given !== 'object' || Array.isArray(given))
    throw badInput('parameters', 'must be a JSON object');
  const foreign = Object.keys(given).find(name => !Object.hasOwn(known, name));
  if (foreign !== undefined)
    throw badInput(
      'parameters',
      `has "${foreign}"; the definition knows ${Object.keys(known).join(', ') || 'none'}`,
    );
  return given;
}

/** One's own and shared ones, or anybody's for ADMIN. */
function maySee(actor: Actor, { userId, shared }: WorkflowDefinition): boolean {
  return userId === actor.userId || shared || can(actor, 'request:read-any');
}
