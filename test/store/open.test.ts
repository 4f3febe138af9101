import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { DirectoryInUseError } from '../../src/store/lock.ts';
import { openStore } from '../../src/store/open.ts';
import { startProcess } from './process.ts';
import { aRequest } from './samples.ts';

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'mcplane-open-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

const HOLDER = join(import.meta.dirname, 'holder.ts');

test('the first start says what it does, the second finds what was kept', async t => {
  const dataDir = join(temporaryDirectory(t), 'deep', 'down');
  const said: string[] = [];
  const options = { url: undefined, dataDir, log: (message: string) => said.push(message) };
  const request = aRequest();

  const first = await openStore(options);
  await first.requests.accept(request);
  await first.close();
  await first.close();

  const directory = join(dataDir, 'data');
  assert.deepEqual(first.info.kind, 'embedded');
  assert.equal(first.info.location, directory);
  assert.match(first.info.version, /^PGlite \(PostgreSQL \d+/);
  assert.equal(said[0], `creating the embedded database in ${directory} (first run, about 4 s)`);
  assert.match(said[1]!, /^created the tables/);
  assert.equal(statSync(directory).mode & 0o777, 0o700);

  said.length = 0;
  const second = await openStore(options);
  t.after(() => second.close());
  assert.deepEqual(said, [`opened the embedded database in ${directory} (${second.info.version})`]);
  assert.equal((await second.requests.byIds([request.id]))[0]?.id, request.id);
});

test('a killed process loses no acknowledged row, and keeps others out while it lives', async t => {
  const dataDir = temporaryDirectory(t);
  const options = { url: undefined, dataDir, log: () => {} };

  const acknowledged = { accepted: [] as string[], finished: [] as string[] };
  for (const wanted of [40, 90]) {
    const writer = startProcess(t, [HOLDER, dataDir, 'write']);
    assert.equal(await writer.line(), 'open');
    const refusal = await openStore(options).catch((error: unknown) => error);
    assert.ok(refusal instanceof DirectoryInUseError);
    for (let count = 0; count < wanted; count++) record(acknowledged, await writer.line());
    await writer.kill();
    // What it still said before it died counts as well.
    for await (const line of writer.lines()) record(acknowledged, line);
  }

  const store = await openStore(options);
  t.after(() => store.close());
  const accepted = await store.requests.byIds(acknowledged.accepted);
  assert.equal(accepted.filter(Boolean).length, acknowledged.accepted.length);
  const finished = await store.requests.byIds(acknowledged.finished);
  assert.ok(finished.every(request => request?.status === 'SUCCEEDED'));
  const bodies = await store.requests.bodiesByIds(acknowledged.finished);
  assert.deepEqual(
    bodies.map(body => body?.output),
    acknowledged.finished.map(id => `answer of ${id}`),
  );
});

function record(acknowledged: { accepted: string[]; finished: string[] }, line: string): void {
  const [what, id] = line.split(' ');
  if (id?.length === 36) acknowledged[what as 'accepted' | 'finished'].push(id);
}

test('a database that cannot be opened leaves the directory free', async t => {
  const dataDir = temporaryDirectory(t);
  const broken = { url: undefined, dataDir, log: () => {}, loadDataDir: new Blob(['not an image']) };
  const holdsLock = (error: unknown) => error instanceof DirectoryInUseError;

  await assert.rejects(openStore(broken), error => !holdsLock(error));
  await assert.rejects(openStore(broken), error => !holdsLock(error));
});

test('a database in memory touches no directory', async t => {
  const dataDir = join(temporaryDirectory(t), 'unused');

  const store = await openStore({ url: 'memory:', dataDir, log: () => {} });
  await store.ping();
  await store.close();

  assert.equal(store.info.location, 'memory');
  assert.equal(existsSync(dataDir), false);
  await assert.rejects(store.ping());
});

test('a URL of another kind is refused without repeating it', async () => {
  const open = (url: string) => openStore({ url, dataDir: tmpdir(), log: () => {} });

  await assert.rejects(open('mysql://root:secret@db/x'), error => {
    assert.match((error as Error).message, /begins with mysql:.*postgres:\/\//);
    assert.doesNotMatch((error as Error).message, /secret/);
    return true;
  });
  await assert.rejects(open('localhost/db'), /is not a URL/);
});
