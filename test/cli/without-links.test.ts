/** A data folder on a file system that gives files no second names, as on memory sticks; played by a module that refuses the call. */
import { expect, test } from 'vitest';
import { members, program, project, workProcess } from './support.ts';

const refusing = `
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
const refused = () => Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM', syscall: 'link' });
fs.linkSync = () => { throw refused(); };
fs.link = (from, to, done) => process.nextTick(done, refused());
fs.promises.link = () => Promise.reject(refused());
syncBuiltinESMExports();
`;

test('is told as what it is, by a run and by doctor', async () => {
  const it = project({ 'work.process.mjs': workProcess, 'refusing.mjs': refusing });
  const there = (...args: readonly string[]) =>
    it.spawn(process.execPath, ['--import', './refusing.mjs', program, ...args]).ended;
  const run = await there('run', 'work.process.mjs', '--run-id', 'r1', '--input', members('a'));
  expect(run.code).toBe(6);
  expect(run.stderr).toMatch(/^JOURNAL_IO: EPERM while .* gives files no second names \(hard links\).*TROUPE_DATA\.$/m);
  expect((await there('doctor')).stdout).toMatch(/^✗ data folder .*no second names.*EPERM.*\n.*--data or TROUPE_DATA/m);
  // On the disk nothing is in the way of the same run elsewhere, or here when that is mended.
  expect(await it.troupe('run', 'work.process.mjs', '--run-id', 'r1', '--input', members('a'))).toMatchObject({
    code: 0,
  });
});
