import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { engineVersion } from '../../src/version.ts';
import { program, project } from './support.ts';

const commands = [
  'run',
  'resume',
  'ls',
  'estimate',
  'show',
  'log',
  'cancel',
  'send',
  'approve',
  'verify',
  'check',
  'worktrees',
  'harnesses',
  'doctor',
  'fork',
  'retry',
  'rm',
  'archive',
  'send',
  'approve',
  'restore',
  'mcp',
  'babysit',
];

test.each(['', ...commands])('troupe %s --help says what there is, with an example', async (command) => {
  const { code, stdout, stderr } = await project().troupe(...(command === '' ? [] : [command]), '--help');
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(stdout).toContain('\nExample:\n  $ troupe ');
  await expect(stdout).toMatchFileSnapshot(`golden/help${command === '' ? '' : `-${command}`}.txt`);
});

test('--version prints the version', async () => {
  const { code, stdout } = await project().troupe('--version');
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${engineVersion}\n` });
});

test('wrong usage is exit code 2, and the nearest command is suggested', async () => {
  const { troupe } = project();
  const unknown = await troupe('rnu');
  expect(unknown).toMatchObject({ code: 2, stdout: '' });
  expect(unknown.stderr).toContain('(Did you mean run?)');
  expect(await troupe('show')).toMatchObject({ code: 2, stderr: "error: missing required argument 'run'\n" });
  expect(await troupe('ls', '--al')).toMatchObject({
    code: 2,
    stderr: "error: unknown option '--al'\n(Did you mean --all?)\n",
  });
  expect(await troupe()).toMatchObject({ code: 2 });
});

test('help is quick: nothing of what commands do is loaded for it', () => {
  const say = `process.argv = [process.argv[0], 'troupe', '--help'];
    process.on('exit', () => console.error(process.moduleLoadList.filter((name) => name.startsWith('NativeModule ')).join()));
    await import(${JSON.stringify(program)});`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', say], { encoding: 'utf8' });
  expect(stdout).toContain('troupe run');
  expect(stderr).toContain('NativeModule child_process');
  // The journal checks its lines with it.
  expect(stderr).not.toContain('NativeModule zlib');
});
