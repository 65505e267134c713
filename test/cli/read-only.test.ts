/** A data folder on a file system that can only be read; played by a module that answers as Node does there. */
import { expect, test } from 'vitest';
import { members, program, project, workProcess } from './support.ts';

const refusing = `
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
const refused = (code, syscall) => Object.assign(new Error(code + ': ' + syscall), { code, syscall });
fs.mkdirSync = () => { throw refused('ENOENT', 'mkdir'); };
fs.mkdir = (path, options, done) => process.nextTick(done, refused('ENOENT', 'mkdir'));
fs.accessSync = () => { throw refused('EROFS', 'access'); };
syncBuiltinESMExports();
`;

test('is told as what it is, although a folder in it is said not to be there', async () => {
  const it = project({ 'work.process.mjs': workProcess, 'refusing.mjs': refusing });
  const words = ['run', 'work.process.mjs', '--run-id', 'r1', '--input', members('a')];
  const run = it.spawn(process.execPath, ['--import', './refusing.mjs', program, ...words]);
  expect(await run.ended).toMatchObject({
    code: 6,
    stderr: expect.stringMatching(/^JOURNAL_IO: EROFS while creating the run /) as string,
  });
});
