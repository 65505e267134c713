import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { bareProject, lastJson, project, type Project } from './support.ts';

const bundle = fileURLToPath(new URL('../../dist/bundle/index.js', import.meta.url));

const resultOf = async (it: Project, file: string) => {
  const ended = await it.troupe('run', file, '--json');
  expect(ended).toMatchObject({ code: 0 });
  return (lastJson(ended) as { run: { output: unknown } }).run.output;
};

/** What the file requires is what the program runs on: the program takes its process, its error is the program's, and so is its machine. */
const files = {
  'package.json': '{}',
  'a.process.cjs': `
const { StateMachine, setup } = require('xstate');
const { TroupeError, coordinator, defineProcess } = require('troupe');
const { fanOut } = require('troupe/machines');
const five = coordinator(setup({}).createMachine({ id: 'five', initial: 'over', states: { over: { type: 'final' } }, output: 5 }));
module.exports = defineProcess('common', async (ctx) => {
  const { TroupeError: error } = await import('${bundle}');
  return [TroupeError === error, fanOut instanceof StateMachine, await ctx.group('five', five, undefined).output];
});
`,
  'b.process.cts': `
import { TroupeError, coordinator, defineProcess } from 'troupe';
import { fanOut } from 'troupe/machines';
import { StateMachine, setup } from 'xstate';
import { Count } from './count';
const five = coordinator(setup({}).createMachine({ id: 'five', initial: 'over', states: { over: { type: 'final' } }, output: Count.Five }));
export default defineProcess('common', async (ctx) => {
  const { TroupeError: error } = await import('${bundle}');
  return [TroupeError === error, fanOut instanceof StateMachine, await ctx.group('five', five, undefined).output];
});
`,
  'count.ts': 'export enum Count { Five = 5 }',
  'c.process.mjs': "import common from './a.process.cjs';\nexport default common;",
};

/** CommonJS in TypeScript requires modules since Node 24. */
const requiresInTypeScript = Number(process.versions.node.split('.')[0]) >= 24;

test.each(['a.process.cjs', 'c.process.mjs', ...(requiresInTypeScript ? ['b.process.cts'] : [])])(
  '%s: what is required is the copy that the program runs on, whatever is installed',
  async (file) => {
    expect(await resultOf(bareProject(files), file)).toEqual([true, true, 5]);
    expect(await resultOf(project(files), file)).toEqual([true, true, 5]);

    const others = bareProject(files);
    for (const name of ['troupe', 'xstate']) {
      mkdirSync(others.path(`node_modules/${name}`), { recursive: true });
      others.write(
        `node_modules/${name}/package.json`,
        `{"name":"${name}","exports":{".":"./index.js","./package.json":"./package.json"}}`,
      );
      others.write(`node_modules/${name}/index.js`, 'throw new Error("another copy");');
    }
    expect(await resultOf(others, file)).toEqual([true, true, 5]);
  },
);

test('what an installed package requires is its own', async () => {
  const it = bareProject({
    'package.json': '{}',
    'a.process.cjs': `
const { defineProcess } = require('troupe');
module.exports = defineProcess('with-package', () => require('user'));
`,
  });
  for (const name of ['user', 'xstate']) mkdirSync(it.path(`node_modules/${name}`), { recursive: true });
  it.write('node_modules/user/index.js', "module.exports = require('xstate').whose;");
  it.write('node_modules/xstate/package.json', '{ "name": "xstate" }');
  it.write('node_modules/xstate/index.js', "exports.whose = 'theirs';");
  expect(await resultOf(it, 'a.process.cjs')).toBe('theirs');
});

test.skipIf(requiresInTypeScript)(
  'CommonJS in TypeScript that requires a module is refused with the remedy',
  async () => {
    const it = project({ ...files, 'd.process.ts': "import common from './b.process.cts';\nexport default common;" });
    for (const file of ['b.process.cts', 'd.process.ts'])
      expect(await it.troupe('run', file)).toMatchObject({
        code: 2,
        stderr: `PROCESS_INVALID: ${file} cannot be loaded: CommonJS in TypeScript cannot require a module, such as troupe, on Node before 24; write it as .ts or .mts.\n`,
      });
  },
);
