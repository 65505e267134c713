import { mkdirSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { bareProject, lastJson, project, type Project } from './support.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const resultOf = async (it: Project, file: string) =>
  (lastJson(await it.troupe('run', file, '--json')) as { run: { output: unknown } }).run.output;

/** Fails unless what the file imports is what the program runs on: a machine or an error of another copy would not be recognised. */
const same = `
import { StateMachine, setup } from 'xstate';
import { TroupeError, defineProcess, member } from 'troupe';
import { fanOut } from 'troupe/machines';
const { setup: theirs } = await import('${root}node_modules/xstate/dist/xstate.cjs.mjs');
const { TroupeError: error } = await import('${root}dist/bundle/index.js');
const { member: theMember } = await import('${root}dist/bundle/index.js');
export default defineProcess('same', () => [setup === theirs, TroupeError === error, member === theMember, fanOut instanceof StateMachine]);
`;

describe('troupe and xstate are the copies the program runs on', () => {
  test.each(['same.process.ts', 'same.process.mts', 'same.process.mjs', 'same.process.js'])(
    '%s, with nothing installed',
    async (file) => {
      expect(await resultOf(bareProject({ [file]: same }), file)).toEqual([true, true, true, true]);
    },
  );

  test('with both installed in the project', async () => {
    const it = bareProject({ 'a.process.ts': same, 'b.process.mjs': same, 'package.json': '{}' });
    mkdirSync(it.path('node_modules'));
    symlinkSync(root, it.path('node_modules/troupe'), 'dir');
    symlinkSync(`${root}node_modules/xstate`, it.path('node_modules/xstate'), 'dir');
    expect(await resultOf(it, 'a.process.ts')).toEqual([true, true, true, true]);
    expect(await resultOf(it, 'b.process.mjs')).toEqual([true, true, true, true]);
  });

  test('with other copies installed in the project', async () => {
    const it = bareProject({ 'a.process.ts': same, 'b.process.mjs': same, 'package.json': '{}' });
    for (const name of ['troupe', 'xstate']) {
      mkdirSync(it.path(`node_modules/${name}`), { recursive: true });
      it.write(
        `node_modules/${name}/package.json`,
        `{"name":"${name}","exports":{".":"./index.js","./package.json":"./package.json"}}`,
      );
      it.write(`node_modules/${name}/index.js`, 'throw new Error("another copy");');
    }
    expect(await resultOf(it, 'a.process.ts')).toEqual([true, true, true, true]);
    expect(await resultOf(it, 'b.process.mjs')).toEqual([true, true, true, true]);
  });
});

test('TypeScript is what people write: enums, types, imports with and without extensions, in a folder without package.json', async () => {
  const it = bareProject({
    'names.ts': "export enum Name { First = 'first' }\nexport type Output = { readonly name: Name };",
    'main.process.ts':
      "import { defineProcess } from 'troupe';\nimport { Name, type Output } from './names';\nimport { Name as Again } from './names.js';\nexport default defineProcess('typed', (): Output => ({ name: Name === Again ? Name.First : Again.First }));",
    'plain.process.mjs':
      "import { defineProcess } from 'troupe';\nimport { Name } from './names.ts';\nexport default defineProcess('mixed', () => Name.First);",
  });
  expect(await resultOf(it, 'main.process.ts')).toEqual({ name: 'first' });
  expect(await resultOf(it, 'plain.process.mjs')).toBe('first');
});

test('JavaScript imports TypeScript, by way of other files too, with everything installed in the project', async () => {
  const it = bareProject({
    'package.json': '{}',
    'a.process.mjs':
      "import { defineProcess } from 'troupe';\nimport { first } from './lib/first.mjs';\nimport { count } from './lib/count.js';\nexport default defineProcess('mixed', () => [first(), count()]);",
    'names.ts': "export enum Name { First = 'first' }",
  });
  mkdirSync(it.path('lib'));
  it.write('lib/package.json', '{ "type": "module" }');
  it.write(
    'lib/first.mjs',
    "import { Name } from '../names.ts';\nimport { count } from './count.js';\nexport const first = () => [Name.First, count()];",
  );
  it.write('lib/count.js', 'let calls = 0;\nexport const count = () => (calls += 1);');
  mkdirSync(it.path('node_modules'));
  symlinkSync(root, it.path('node_modules/troupe'), 'dir');
  symlinkSync(`${root}node_modules/xstate`, it.path('node_modules/xstate'), 'dir');
  expect(await resultOf(it, 'a.process.mjs')).toEqual([['first', 1], 2]);
});

test('CommonJS that a compiler made of a module is that module', async () => {
  const it = project({
    'a.process.js': `"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.rules = exports.harnesses = void 0;
const troupe_1 = require("troupe");
const harness_1 = require("troupe/harness");
exports.harnesses = { mine: (0, harness_1.fn)(() => 'done') };
exports.rules = { defaultHarness: 'mine' };
exports.default = (0, troupe_1.defineProcess)('compiled', (ctx) => ctx.task('work', {}));
`,
  });
  expect(await resultOf(it, 'a.process.js')).toBe('done');
});

test('the export `harnesses` goes over the built-in ones', async () => {
  const it = bareProject({
    'own.process.ts': `
      import { defineProcess } from 'troupe';
      import { fn } from 'troupe/harness';
      export const harnesses = { shout: fn(async ({ input }) => String(input).toUpperCase()) };
      export default defineProcess('own', async (ctx) => [
        await ctx.task('shout', { harness: 'shout', input: 'hello' }),
        ((await ctx.task('say', { command: ['echo', 'hi'] })) as { stdout: string }).stdout,
      ]);`,
  });
  expect(await resultOf(it, 'own.process.ts')).toEqual(['HELLO', 'hi\n']);
});

test('the export `rules` says what the run may spend, who performs what, and what outputs must be', async () => {
  const it = bareProject({
    'ruled.process.ts': `
      import { defineProcess } from 'troupe';
      import { fn } from 'troupe/harness';
      import { fanOut } from 'troupe/machines';
      export const harnesses = {
        dear: fn((_task, { spent }) => { spent({ costUsd: 0.6, tokens: 10 }); return 7; }),
        careful: fn(() => 'seven'),
      };
      const text = { '~standard': { version: 1, vendor: 'own', validate: (value) => typeof value === 'string' ? { value } : { issues: [{ message: 'expected a text' }] } } };
      export const rules = {
        defaultHarness: 'dear',
        budget: { costUsd: 1, over: 'ask' },
        fallback: { 'invalid-output': ['careful'] },
        schemas: { text },
      };
      export default defineProcess('ruled', async (ctx) => {
        const checked = await ctx.task('checked', { output: 'text' });
        const { results } = await ctx.group('dear', fanOut, { members: ['a', 'b'].map((id) => ({ id })), concurrency: 1 }).output;
        return { checked, dear: results.length };
      });`,
  });
  const host = it.start('run', 'ruled.process.ts', '--run-id', 'r1');
  await host.said('waits for approval');
  const { stdout } = await it.troupe('show', 'r1');
  expect(stdout).toContain('waits for  an answer at gate budget');
  expect(stdout).toMatch(/ dear {2}fan-out .*\$0\.60/);
  expect(await it.troupe('approve', 'r1', 'budget')).toMatchObject({ code: 0 });
  expect(await host.ended).toMatchObject({ code: 0 });
  const shown = lastJson(await it.troupe('show', 'r1', '--json')) as { readonly groups: readonly unknown[] };
  expect(shown).toMatchObject({ run: { output: { checked: 'seven', dear: 2 } } });
  expect(shown.groups[1]).toMatchObject({ spend: { attempts: 2, tokens: 20, costUsd: 1.2 } });
  const log = (await it.troupe('log', 'r1')).stdout;
  expect(log).toContain('task attempt 2 on careful (falls back from dear (invalid-output))');
  expect(log).toContain('budget.warned');
});

describe('a file that is no process is exit code 2, PROCESS_INVALID and a sentence', () => {
  const cases: readonly (readonly [string, string, string | undefined, string])[] = [
    ['no file', 'none.ts', undefined, 'there is no file none.ts'],
    [
      'a syntax error in TypeScript',
      'a.ts',
      'export const a = 1;\nexport const b = = 2;\n',
      'a.ts:2:17: Unexpected "="',
    ],
    [
      'a syntax error in JavaScript',
      'a.mjs',
      'export const a = 1;\nexport const b = = 2;\n',
      "a.mjs:2: Unexpected token '='",
    ],
    [
      'an import of what there is not',
      'a.ts',
      "import { defineProces } from 'troupe';\nexport default defineProces('a', () => 1);\n",
      "a.ts: The requested module 'troupe' does not provide an export named 'defineProces'",
    ],
    [
      'no default export',
      'a.ts',
      'export const a = 1;\n',
      'a.ts has no default export. Expected: export default defineProcess(',
    ],
    [
      'a process under another name',
      'a.ts',
      "import { defineProcess } from 'troupe';\nexport const review = defineProcess('review', () => 1);\n",
      'a.ts has no default export; `review` is a process, but a named export.',
    ],
    [
      'a default export of another kind',
      'a.ts',
      'export default () => 1;\n',
      'a.ts exports a function by default, which is not a process.',
    ],
    [
      'an error while it is loaded',
      'a.ts',
      "const n: number = 1;\n\nif (n === 1) throw new Error('no key');\nexport default n;\n",
      'a.ts throws while it is loaded: no key (a.ts:3)',
    ],
    [
      'an await that never ends',
      'a.ts',
      "import { defineProcess } from 'troupe';\nawait new Promise(() => {});\nexport default defineProcess('a', () => 1);\n",
      'a.ts cannot be loaded: a top-level `await` in it, or in a file that it imports, waits for what never comes.',
    ],
    [
      'a package that is missing',
      'a.mjs',
      "import 'no-such-package';\n",
      "a.mjs cannot be loaded: Cannot find package 'no-such-package'",
    ],
    [
      'harnesses that are none',
      'a.ts',
      "import { defineProcess } from 'troupe';\nexport const harnesses = { mine: {} };\nexport default defineProcess('a', () => 1);\n",
      'a.ts: expected `harnesses.mine` to be a harness (command(), fn() …), got an object.',
    ],
    [
      'rules that are unknown',
      'a.ts',
      "import { defineProcess } from 'troupe';\nexport const rules = { bugdet: {} };\nexport default defineProcess('a', () => 1);\n",
      'a.ts: the export `rules` has an unknown field `bugdet`; known: breaker, budget, defaultHarness, fallback, schemas.',
    ],
    [
      'rules that are none',
      'a.ts',
      "import { defineProcess } from 'troupe';\nexport const rules = { budget: 5 };\nexport default defineProcess('a', () => 1);\n",
      'a.ts: expected `rules.budget` to be an object, got a number.',
    ],
    [
      'rules that nobody would keep to',
      'a.ts',
      "import { defineProcess } from 'troupe';\nexport const rules = { budget: { cost: 5 } };\nexport default defineProcess('a', () => 1);\n",
      'a.ts: unknown field `cost` in `rules.budget`; ',
    ],
  ];
  test.each(cases)('%s', async (_, file, text, sentence) => {
    const { code, stdout, stderr } = await bareProject(text === undefined ? {} : { [file]: text }).troupe('run', file);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`PROCESS_INVALID: ${sentence}`);
    expect(stderr).not.toMatch(/^ {4}at /m);
  });
});

test('the line where a file throws is told with its whole path, blanks and brackets in it too', async () => {
  const it = bareProject();
  const folder = 'my (own) files';
  mkdirSync(it.path(folder));
  for (const file of [`${folder}/a.ts`, `${folder}/b.mjs`]) {
    it.write(file, "function fails() {\n  throw new Error('no key');\n}\nfails();\n");
    const { stderr } = await it.troupe('run', file);
    expect(stderr).toBe(`PROCESS_INVALID: ${file} throws while it is loaded: no key (${file}:2)\n`);
  }
});

test('the file that is told is the one with the mistake, also where another one imports it', async () => {
  const it = bareProject({
    'name.mjs': "import './off.mjs';\n",
    'off.mjs': "import { nothing } from 'troupe';\nnothing();\n",
    'syntax.mjs': "import './bad.mjs';\n",
    'bad.mjs': 'export const b = = 2;\n',
    'common.mjs': "import './bad.cjs';\n",
    'bad.cjs': 'const b = = 2;\n',
    'data.ts': "const text: string = '{x';\n\nexport default JSON.parse(text);\n",
  });
  const said = async (file: string) => (await it.troupe('run', file)).stderr;
  expect(await said('name.mjs')).toMatch(/^PROCESS_INVALID: off\.mjs: .* does not provide an export named 'nothing'$/m);
  expect(await said('syntax.mjs')).toBe(
    "PROCESS_INVALID: syntax.mjs imports a file with a syntax error: Unexpected token '='\n",
  );
  expect(await said('common.mjs')).toBe("PROCESS_INVALID: bad.cjs: Unexpected token '='\n");
  expect(await said('data.ts')).toMatch(
    /^PROCESS_INVALID: data\.ts throws while it is loaded: .*JSON.* \(data\.ts:3\)$/m,
  );
});

describe('a TypeScript file is translated by the tsconfig.json above it', () => {
  const paths = JSON.stringify({ compilerOptions: { paths: { '@lib/*': ['./lib/*'] } } });
  const text =
    "import { defineProcess } from 'troupe';\nimport { one } from '@lib/one';\nexport default defineProcess('a', () => one);\n";

  test('also when the command runs in another folder', async () => {
    const it = bareProject();
    for (const folder of ['flows', 'flows/lib', 'elsewhere']) mkdirSync(it.path(folder));
    it.write('flows/tsconfig.json', paths);
    it.write('flows/lib/one.ts', 'export enum Level { Low = 1 }\nexport const one = Level.Low;\n');
    it.write('flows/a.process.ts', text);
    expect(await resultOf(it, 'flows/a.process.ts')).toBe(1);
  });

  test('one that cannot be read is left out', async () => {
    const it = bareProject({
      'a.process.ts': text.replace('@lib', './lib'),
      'tsconfig.json': '{ "extends": "@nobody/has" }',
    });
    mkdirSync(it.path('lib'));
    it.write('lib/one.ts', 'export const one = 1;\n');
    expect(await resultOf(it, 'a.process.ts')).toBe(1);
  });
});
