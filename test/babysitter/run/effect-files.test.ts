/** Files that the programs of effects read and write. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { outputFrom, writeInputs } from '../../../src/babysitter/run/effect-files.ts';
import { temporary } from '../place.ts';

test('a file that cannot be read or written is trouble with the disk, and no bug', () => {
  const folder = temporary();
  mkdirSync(join(folder, 'out.json'));
  writeFileSync(join(folder, 'file'), '');
  const io = (path: string) =>
    expect.objectContaining({ code: 'JOURNAL_IO', message: expect.stringContaining(path) as string }) as Error;
  expect(() => outputFrom(folder, 'out.json', null)).toThrow(io(join(folder, 'out.json')));
  expect(() => writeInputs(folder, { path: 'file/in.json', value: 1 })).toThrow(io(join(folder, 'file')));
});
