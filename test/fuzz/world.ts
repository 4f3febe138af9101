// What a fuzzed server has besides its administrator: one of everything, so that operations find something.

import type { TestContext } from 'node:test';
import { BOUNDLESS_CALLERS, startTestApp, type TestApp } from '../support/app.ts';
import { SUBMIT } from '../support/requests.ts';

export interface FuzzedApp extends TestApp {
  /** Of what there is, but for the administrator, who is needed; in the same order every time. */
  readonly ids: readonly string[];
}

const CREATE_USER = `mutation {
  createUser(input: { username: "fuzzed", role: USER, password: "a password of nobody" }) { user { id } } }`;
const CREATE_KEY = `mutation ($userId: ID!) {
  createApiKey(input: { name: "fuzzed", userId: $userId }) { apiKey { id } } }`;
const SET_BUDGET = `mutation ($userId: ID!) {
  setBudget(input: { userId: $userId, limit: "100", period: DAY }) { budget { id } } }`;
const STEPS =
  '{ steps: [{ id: "a", prompt: "{{input}}" }, { id: "b", kind: APPROVAL, prompt: "?", dependsOn: ["a"] }] }';
const CREATE_WORKFLOW = `mutation { createWorkflow(input: { name: "fuzzed", workflow: ${STEPS} }) { definition { id } } }`;
const SUBMIT_WORKFLOW = `mutation {
  submitRequest(input: { prompt: "x", taskType: WORKFLOW, workflow: ${STEPS} }) { request { id } } }`;

export async function startFuzzedApp(t: TestContext): Promise<FuzzedApp> {
  const app = await startTestApp(t, BOUNDLESS_CALLERS);
  const { user } = (await app.ask(CREATE_USER)).createUser;
  const userId = user.id;
  const { apiKey } = (await app.ask(CREATE_KEY, { userId })).createApiKey;
  const { budget } = (await app.ask(SET_BUDGET, { userId })).setBudget;
  const { definition } = (await app.ask(CREATE_WORKFLOW)).createWorkflow;
  const { request } = (await app.ask(SUBMIT, { input: { prompt: 'Why?' } })).submitRequest;
  const { request: workflow } = (await app.ask(SUBMIT_WORKFLOW)).submitRequest;
  return { ...app, ids: [user, apiKey, budget, definition, request, workflow].map(({ id }) => id) };
}
