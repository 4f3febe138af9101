import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, describe, type TestContext } from 'node:test';
import { DirectoryInUseError, lockDir } from '../../src/store/lock.ts';
import { startProcess } from './process.ts';

// A killed holder leaves its socket file, which is harmless, in a directory that goes with this test.
process.env.TMPDIR = mkdtempSync(join(tmpdir(), 'mcplane-lock-'));
after(() => rmSync(process.env.TMPDIR!, { recursive: true, force: true }));

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'mcplane-lock-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A process that takes the lock and keeps it until it is killed. */
function startHolder(t: TestContext, directory: string, platform: string) {
  const lock = join(import.meta.dirname, '../../src/store/lock.ts');
  return startProcess(t, [
    '--input-type=module',
    '--eval',
    `import { lockDir } from ${JSON.stringify(lock)};
     try { await lockDir(${JSON.stringify(directory)}, ${JSON.stringify(platform)}); console.log('held'); }
     catch (error) { console.log('refused ' + error.name); }
     setInterval(() => {}, 60000);`,
  ]);
}

// The way of macOS works on any Unix, so it is tested here too; named pipes need Windows.
for (const platform of process.platform === 'win32' ? ['win32'] : [process.platform, 'darwin']) {
  describe(`as on ${platform}`, () => {
    const lock = (directory: string) => lockDir(directory, platform as NodeJS.Platform);

    test('a directory is taken once, under whatever name, and free again after release', async t => {
      const directory = temporaryDirectory(t);
      const alias = `${directory}-alias`;
      symlinkSync(directory, alias);
      t.after(() => rmSync(alias));

      const first = await lock(directory);
      await assert.rejects(lock(directory), DirectoryInUseError);
      await assert.rejects(lock(alias), DirectoryInUseError);
      await first.release();

      const second = await lock(alias);
      await second.release();
    });

    test('the refusal names the directory, the holder and what to do', async t => {
      const directory = temporaryDirectory(t);
      const holder = startHolder(t, directory, platform);
      assert.equal(await holder.line(), 'held');

      const error = await lock(directory).catch((error: unknown) => error);

      assert.ok(error instanceof DirectoryInUseError);
      assert.equal(error.pid, holder.pid);
      assert.ok(error.message.includes(directory));
      assert.match(error.message, /MCPLANE_DATA_DIR|DATABASE_URL/);
    });

    test('a killed holder leaves nothing in the way', async t => {
      const directory = temporaryDirectory(t);
      const holder = startHolder(t, directory, platform);
      assert.equal(await holder.line(), 'held');
      await holder.kill();

      const taken = await lock(directory);

      await taken.release();
    });

    test('of several that race after a kill exactly one gets it', async t => {
      const directory = temporaryDirectory(t);
      const holder = startHolder(t, directory, platform);
      assert.equal(await holder.line(), 'held');
      await holder.kill();

      for (let round = 1; round <= 3; round++) {
        const racers = [1, 2, 3].map(() => startHolder(t, directory, platform));
        const lines = await Promise.all(racers.map(racer => racer.line()));
        assert.deepEqual(lines.sort(), [
          'held',
          'refused DirectoryInUseError',
          'refused DirectoryInUseError',
        ]);
        await Promise.all(racers.map(racer => racer.kill()));
      }
    });
  });
}
