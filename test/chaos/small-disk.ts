/** Hosts on a disk that is nearly full; started by `bad-disk.ts` with a small disk mounted. Arguments: program, folder, disk. */
import assert from 'node:assert/strict';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { livingOf } from './living.ts';
import { play } from './play.ts';
import { loadProgram } from './program.ts';
import { undisturbedRun } from './undisturbed.ts';

const [programFolder = '', folder = '', disk = ''] = process.argv.slice(2);
const options = { program: await loadProgram(programFolder), folder, dataFolder: disk };
const normal = await undisturbedRun(options);
const pageBytes = 4_096;
let stopped = 0;
const pagesFree = [12, 16, 18, 20, 24, 30, 40];
for (const pages of pagesFree) {
  await play(options, `full-${pages}`, undefined, async (scene) => {
    const filler = join(disk, 'filler');
    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(filler, Buffer.alloc(bavail * bsize - pages * pageBytes));
    const first = await scene.start().ended;
    if (first.code !== 0) {
      stopped += 1;
      assert.equal(first.code, 5, first.stderr);
      const { code, message } = scene.error();
      assert.equal(code, 'JOURNAL_IO', message);
      assert.match(message, /ENOSPC/);
      assert.deepEqual(livingOf(`${scene.run}/`), [], 'processes outlive a host whose journal failed');
      await scene.check();
    }
    rmSync(filler);
    const second = await scene.start().ended;
    assert.equal(second.code, 0, `${second.stderr} ${JSON.stringify(scene.said().at(-1))}`);
    await scene.checkSame(normal);
  });
}
assert.ok(stopped > 0, 'no disk was full');
console.log(`disk full in ${stopped} of ${pagesFree.length} runs, mended and gone on with`);
