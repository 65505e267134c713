/** What the README shows works. See test/readme/blocks.ts for which blocks are run. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { defaultBounds } from '../src/group/bounds.ts';
import { blocksOf, commandsOf, filesOf } from './readme/blocks.ts';
import { runBlocks } from './readme/run-blocks.ts';

const path = fileURLToPath(new URL('../README.md', import.meta.url));
const block = (language: string, ...lines: string[]) => ['```' + language, ...lines, '```', ''].join('\n');

test('files are `ts` blocks that begin with their name, commands are `sh` lines that begin with `$ `', () => {
  const markdown = [
    '# Title',
    block('ts', '// a.process.ts: a process', 'export {};'),
    block('ts', '// Not a file.', 'export {};'),
    block('sh', 'npm ci', '$ troupe ls', 'no runs', '$ troupe verify x   # exits 4'),
    block('', '$ not a command'),
  ].join('\n');
  expect(filesOf(blocksOf(markdown))).toEqual([
    { name: 'a.process.ts', line: 3, text: '// a.process.ts: a process\nexport {};\n' },
  ]);
  expect(commandsOf(blocksOf(markdown))).toEqual([
    { line: 14, command: 'troupe ls', exitCode: 0 },
    { line: 16, command: 'troupe verify x', exitCode: 4 },
  ]);
  expect(() => blocksOf('```ts\nexport {};')).toThrow('never closed');
});

test('a README without marked blocks has nothing to fail', () => {
  expect(runBlocks('# Title\n' + block('ts', 'const a: string = 1;') + block('sh', 'exit 1'))).toEqual([]);
});

test('a file with a type error fails, named by its line in the README', () => {
  const [problem, ...others] = runBlocks(block('ts', '// a.ts', 'export const a: string = 1;'));
  expect(problem).toMatch(/^line 3: a\.ts\(2,14\): error TS2322/);
  expect(others).toEqual([]);
});

test('a file that throws fails; one that runs does not', () => {
  expect(runBlocks(block('ts', '// a.ts', `throw new Error('broken');`))).toEqual([expect.stringMatching(/broken/)]);
  const files =
    block('ts', '// a.ts', 'export const a = 1;') +
    block('ts', '// b.ts', `import { a } from './a.ts';`, 'console.log(a);');
  expect(runBlocks(files)).toEqual([]);
});

test('a command that ends otherwise than announced fails', () => {
  expect(runBlocks(block('sh', '$ exit 3'))).toEqual([expect.stringMatching(/ended with 3, not 0/)]);
  expect(runBlocks(block('sh', '$ true  # exits 3'))).toEqual([expect.stringMatching(/ended with 0, not 3/)]);
  expect(runBlocks(block('sh', '$ exit 3  # exits 3', '$ test -d node_modules/troupe'))).toEqual([]);
});

test('the table of bounds names every bound of a group', () => {
  const table = /^## Bounds$.*?^## /ms.exec(readFileSync(path, 'utf8'))?.[0] ?? '';
  for (const name of Object.keys(defaultBounds)) expect(table).toMatch(new RegExp(String.raw`\b${name}\b`));
});

test('every marked block of the README works', { timeout: 300_000 }, () => {
  expect(existsSync(path) ? runBlocks(readFileSync(path, 'utf8')) : []).toEqual([]);
});
