import { expect, test } from 'vitest';
import { engineVersion } from '../../src/version.ts';
import { project } from './support.ts';

const commands = [
  'run',
  'resume',
  'ls',
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
