// Runs one suite on embedded PGlite and on a real Postgres: the store promises the same on both.

import { describe, type TestContext } from 'node:test';
import {
  openTestPGlite,
  openTestPostgresDatabase,
  postgresMissing,
  type TestDatabase,
} from '../support/database.ts';

export type OpenDatabase = (t: TestContext) => Promise<TestDatabase>;

const skip = await postgresMissing();

export function onBothStores(suite: (open: OpenDatabase) => void): void {
  describe('embedded PGlite', () => suite(openTestPGlite));
  describe('Postgres', { skip }, () => suite(openTestPostgresDatabase));
}
