/** The disk fails under a running host: its folder is removed, or the disk is full. What stands in the way is mended, and the run goes on. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { livingOf } from './living.ts';
import { play, type PlayOptions } from './play.ts';
import { undisturbedRun, type Undisturbed } from './undisturbed.ts';

/** A folder is moved away in the middle, and put back when the host has stopped. */
async function removed(
  options: PlayOptions,
  name: string,
  after: number,
  path: (dir: string, run: string) => string,
  normal: Undisturbed,
): Promise<void> {
  await play(options, `removed-${name}-${after}`, undefined, async (scene) => {
    const first = scene.start();
    await scene.acknowledged(after, first);
    const place = path(scene.dir, scene.run);
    const aside = join(scene.folder, 'aside');
    renameSync(place, aside);
    const { code, stderr } = await first.ended;
    assert.equal(code, 5, stderr);
    const { code: error, message } = scene.error();
    assert.equal(error, 'JOURNAL_IO', message);
    assert.match(message, /ENOENT|removed/);
    assert.deepEqual(livingOf(`${scene.run}/`), [], 'processes outlive a host whose journal failed');
    // The harness may have made the folder of its output again.
    rmSync(place, { recursive: true, force: true });
    renameSync(aside, place);
    await scene.check();
    const second = await scene.start().ended;
    assert.equal(second.code, 0, `${second.stderr} ${JSON.stringify(scene.said().at(-1))}`);
    await scene.checkSame(normal);
  });
}

/** Runs `small-disk.ts` with a small disk of its own, where the system lets us mount one. */
function full({ program, folder }: PlayOptions): string {
  const mount = join(folder, 'small');
  mkdirSync(mount);
  const inside = ['sh', '-c', 'mount -t tmpfs -o size=512k tmpfs "$0" || exit 77; exec "$@"', mount, process.execPath];
  for (const rights of [['-m'], ['-Urm']]) {
    const args = [...rights, ...inside, program.file('test/chaos/small-disk.ts'), program.folder, folder, mount];
    const { status, stdout, stderr, error } = spawnSync('unshare', args, { encoding: 'utf8', timeout: 120_000 });
    if (status === 0) return stdout.trim();
    if (error === undefined && status !== 77 && !stderr.startsWith('unshare:'))
      throw new Error(`the full disk: ${stdout}${stderr}`);
  }
  return 'full disk: no disk may be mounted here (injected ENOSPC: see refuse)';
}

/** All of it; returns what was found in one line. */
export async function badDisk(options: PlayOptions): Promise<string> {
  const normal = await undisturbedRun(options);
  for (const after of [3, 20, 45]) {
    await removed(options, 'run', after, (dir, run) => join(dir, 'runs', run), normal);
    await removed(options, 'data', after, (dir) => dir, normal);
  }
  return `folder removed in 6 runs, put back and gone on with; ${full(options)}`;
}
