/** Files that the programs of effects read and write. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { outputFrom, writeInputs } from '../../../src/babysitter/run/effect-files.ts';
import { temporary } from '../place.ts';

test('what a program wrote is read as JSON, also behind a byte order mark, as text where it is none', () => {
  const folder = temporary();
  const read = (text: string) => {
    writeFileSync(join(folder, 'out.json'), text);
    return outputFrom(folder, 'out.json', { stdout: '{"printed":1}' });
  };
  expect(read('{"x":1}\n')).toEqual({ x: 1 });
  expect(read('\ufeff{"x":1}\r\n')).toEqual({ x: 1 });
  expect(read('no JSON')).toBe('no JSON');
  expect(outputFrom(folder, 'nothing.json', { stdout: '\ufeff{"printed":1}' })).toEqual({ printed: 1 });
});

test('a file that cannot be read or written is trouble with the disk, and no bug', () => {
  const folder = temporary();
  mkdirSync(join(folder, 'out.json'));
  writeFileSync(join(folder, 'file'), '');
  const io = (path: string) =>
    expect.objectContaining({ code: 'JOURNAL_IO', message: expect.stringContaining(path) as string }) as Error;
  expect(() => outputFrom(folder, 'out.json', null)).toThrow(io(join(folder, 'out.json')));
  expect(() => writeInputs(folder, { path: 'file/in.json', value: 1 })).toThrow(io(join(folder, 'file')));
});
