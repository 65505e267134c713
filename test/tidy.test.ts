/** Rules that hold everywhere. Each is shown able to fail on a bad example before it judges the repository. */
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { remedies } from '../src/error.ts';
import { explainedCodes, thrownCodes } from './tidy/errors.ts';
import { documentedExports, exportedWords } from './tidy/exports.ts';
import { fileNames, fileSize, leftovers, switchedOffTests, topLevelEntries, unfitToCommit } from './tidy/files.ts';
import { cycles, importDirection, machineImports } from './tidy/imports.ts';
import { purity } from './tidy/purity.ts';
import { listFiles, parseSource, readText } from './tidy/source.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const files = listFiles(root);
const typescript = files
  .filter((path) => path.endsWith('.ts') && !/(^|\/)(fixtures|corpus)\//.test(path))
  .map((path) => parseSource(path, readText(root, path)));
const shipped = typescript.filter(({ path }) => /^(src|machines)\//.test(path));
const readme = files.includes('README.md') ? readText(root, 'README.md') : '';

/** A made-up file, or several. */
const example = (path: string, text: string) => [parseSource(path, text)];

describe('imports point one way', () => {
  test('the rule fails on an import against the order, of a value or a type, and on a part without a place', () => {
    expect(importDirection(example('src/journal/memory.ts', `import { a } from '../group/step.ts';`))).toHaveLength(1);
    expect(
      importDirection(example('src/harness/port.ts', `import type { A } from '../journal/port.ts';`)),
    ).toHaveLength(1);
    expect(importDirection(example('src/json.ts', `export type A = import('./journal/port.ts').A;`))).toHaveLength(1);
    expect(importDirection(example('src/view/page.ts', `export * from '../cli/main.ts';`))).toHaveLength(1);
    expect(importDirection(example('src/group/step.ts', `const a = await import('../index.ts');`))).toHaveLength(1);
    expect(importDirection(example('src/group/step.ts', `import 'troupe/journal';`))).toHaveLength(1);
    expect(importDirection(example('src/attic/old.ts', ''))).toHaveLength(1);
    expect(importDirection(example('src/cli/run.ts', `import { a } from '../group/host.ts';`))).toEqual([]);
  });

  test('src keeps it', () => {
    expect(importDirection(typescript)).toEqual([]);
  });

  test('the rule fails on a machine that reaches behind the public doors', () => {
    expect(machineImports(example('machines/a.ts', `import { b } from '../src/index.ts';`))).toHaveLength(1);
    expect(machineImports(example('machines/a.ts', `import 'node:fs';`))).toHaveLength(1);
    expect(machineImports(example('machines/examples/a.ts', `import 'node:fs';`))).toHaveLength(1);
    expect(machineImports(example('machines/examples/a.process.ts', `import 'node:fs';`))).toEqual([]);
    expect(machineImports(example('machines/examples/a.ts', `import 'troupe'; import '../fan-out.ts';`))).toEqual([]);
  });

  test('machines import only xstate, immer and the public doors; process files node too', () => {
    expect(machineImports(typescript)).toEqual([]);
  });

  test('the rule fails on a cycle, of types too', () => {
    const a = parseSource('src/group/a.ts', `import type { B } from './b.ts';`);
    const b = parseSource('src/group/b.ts', `import { c } from '../c.ts';`);
    const c = parseSource('src/c.ts', `export type { A } from './group/a.ts';`);
    expect(cycles([a, b, c])).toEqual(['cycle: src/group/a.ts → src/group/b.ts → src/c.ts → src/group/a.ts']);
    expect(cycles([a, b])).toEqual([]);
  });

  test('there are no cycles', () => {
    expect(cycles(typescript)).toEqual([]);
  });
});

describe('time, chance and the machine stay with the clock, the adapters and the program', () => {
  const check = (text: string) => purity(example('src/group/a.ts', text), {});

  test('the rule fails on each impurity', () => {
    for (const text of [
      'Date.now();',
      'export const at = new Date(0);',
      'Math.random();',
      `Math['random']();`,
      'crypto.randomUUID();',
      'process.pid;',
      'performance.now();',
      'setTimeout(() => {}, 1);',
      'globalThis.Date;',
      'export const at = { process };',
      `import { readFile } from 'node:fs/promises';`,
      `import type { Stats } from 'node:fs';`,
      'function f(process: object) { return process; } process.exit();',
    ]) {
      expect(check(text), text).toHaveLength(1);
    }
  });

  test('it lets types, members, keys and our own names be', () => {
    for (const text of [
      'export interface A { readonly process: Date }',
      'export const a = (x: { process: number }) => x.process;',
      'export const a = { process: 1 };',
      'export function run(process: object) { return [process].map(({ crypto = 1 }) => crypto); }',
      'export let timer: ReturnType<typeof setTimeout>;',
      'Math.max(1, 2);',
    ]) {
      expect(check(text), text).toEqual([]);
    }
  });

  test('it fails on an entry of the list that nothing needs', () => {
    expect(purity(example('src/a.ts', 'export {};'), { 'src/a.ts': 'no reason' })).toHaveLength(1);
    expect(purity(example('src/cli/a.ts', 'process.exit();'), { 'src/cli/': 'the program' })).toEqual([]);
  });

  test('src and machines keep it', () => {
    expect(purity(shipped)).toEqual([]);
  });
});

describe('exports', () => {
  test('the rule fails on an exported name without a doc comment', () => {
    const text = `
      /** Head of the file. */
      import type { B } from './b.ts';
      export type { B };
      export * from './c.ts';
      /** Said. */
      export const said = 1;
      export const unsaid = 2;
      // Not a doc comment.
      export interface Unsaid {}
      /** Said. */
      function over(a: string): void;
      function over(a: number): void;
      function over(): void {}
      function under() {}
      export { over, under };
      export default said;
    `;
    expect(documentedExports(example('src/a.ts', text))).toEqual([
      'src/a.ts:8: `unsaid` has no doc comment',
      'src/a.ts:10: `Unsaid` has no doc comment',
      'src/a.ts:15: `under` has no doc comment',
      'src/a.ts:17: `default` has no doc comment',
    ]);
    expect(exportedWords(example('src/a.ts', 'export class RunManager {}'))).toHaveLength(1);
  });

  test('every exported name of src and machines has a doc comment', () => {
    expect(documentedExports(shipped)).toEqual([]);
  });

  test('no exported name is an empty word', () => {
    expect(exportedWords(shipped)).toEqual([]);
  });
});

describe('error codes', () => {
  const two = { RUN_BUSY: 'Wait.', LIMIT: 'Raise it.' };

  test('the rule fails on a code without a row, or with other words', () => {
    expect(explainedCodes(two, '| code | remedy |\n| `RUN_BUSY` | Wait. |\n| `LIMIT` | Lower it. |')).toHaveLength(1);
    expect(explainedCodes(two, '| `RUN_BUSY` | when | Wait. |')).toHaveLength(1);
    expect(explainedCodes(two, '| RUN_BUSY | Wait. |\n| LIMIT | Raise it. |')).toEqual([]);
  });

  test('every code stands in the README with its remedy', () => {
    expect(explainedCodes(remedies, readme)).toEqual([]);
  });

  test('the rule fails on a code that is only asked for', () => {
    const asked = `if (isTroupeError(e, 'RUN_BUSY') || e.code === 'LIMIT') { switch (c) { case 'LIMIT': } }; type A = 'LIMIT';`;
    expect(thrownCodes(two, example('src/a.ts', asked))).toHaveLength(2);
    const thrown = `throw new TroupeError(late ? 'RUN_BUSY' : 'LIMIT', 'x');`;
    expect(thrownCodes(two, example('src/a.ts', thrown))).toEqual([]);
  });

  test('every code is thrown somewhere', () => {
    expect(thrownCodes(remedies, shipped)).toEqual([]);
  });
});

describe('files', () => {
  const lines = (count: number) => example('src/a.ts', 'f();\n'.repeat(count));

  test('the rule fails on a long file, and on a reason that is no longer needed', () => {
    expect(fileSize(lines(401), { 'src/a.ts': 'kept' })).toHaveLength(1);
    expect(fileSize(lines(301), {})).toHaveLength(1);
    expect(fileSize(lines(301), { 'src/a.ts': 'kept' })).toEqual([]);
    expect(fileSize(lines(300), {})).toEqual([]);
    expect(fileSize(lines(300), { 'src/a.ts': 'kept' })).toHaveLength(1);
    expect(fileSize([], { 'src/a.ts': 'kept' })).toHaveLength(1);
  });

  test('no file is longer than 400 lines; those over 300 have a reason', () => {
    expect(fileSize(typescript)).toEqual([]);
  });

  test('the rule fails on a name that is not kebab-case, or says nothing', () => {
    expect(
      fileNames(['src/dueHeap.ts', 'src/Group/step.ts', 'test/due_heap.test.ts', 'src/group/time-utils.ts']),
    ).toHaveLength(4);
    expect(fileNames(['src/group/due-heap.ts', 'machines/examples/release-check.process.ts'])).toEqual([]);
  });

  test('names are kebab-case', () => {
    expect(fileNames(files)).toEqual([]);
  });

  test('the top level holds only what belongs there', () => {
    expect(topLevelEntries(['notes.txt', 'scripts/a.sh', 'src/a.ts'])).toHaveLength(2);
    expect(topLevelEntries(files)).toEqual([]);
  });

  test('no comment puts work off', () => {
    const later = `// TO${'DO'}: later\nconst pattern = /TO${'DO'}/;`;
    expect(leftovers(example('src/a.ts', later))).toHaveLength(1);
    expect(leftovers(typescript)).toEqual([]);
  });

  test('no test is switched off, or switches others off', () => {
    const off = `test.only('a', f); describe.concurrent.skip('b', f); it.skip.each([1])('c', f); test.todo('d');`;
    expect(switchedOffTests(example('test/a.test.ts', off))).toHaveLength(4);
    expect(switchedOffTests(example('test/a.test.ts', `list.skip(1); test.each([1])('a', f);`))).toEqual([]);
    expect(switchedOffTests(typescript)).toEqual([]);
  });

  test('nothing of one machine, of a registry, or secret is committed', () => {
    for (const bad of [
      `open('/${'home'}/ann/x')`,
      `/${'Users'}/ann`,
      `https://${'registry'}.example.org/a`,
      `  "${'resolved'}": "x"`,
      `-----BEGIN ${'PRIVATE KEY'}-----`,
      `ghp${'_'}${'a'.repeat(36)}`,
      `//x/:_auth${'Token'}=abc`,
    ]) {
      expect(unfitToCommit('a', bad), bad).toHaveLength(1);
    }
    expect(unfitToCommit('a', 'a/home/b ./work/x https://example.org')).toEqual([]);
    expect(files.flatMap((path) => unfitToCommit(path, readText(root, path)))).toEqual([]);
  });
});
