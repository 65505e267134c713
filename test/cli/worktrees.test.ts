/** `isolation: 'worktree'` from the command line, and where the worktrees are. */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { expect, test } from 'vitest';
import { project, type Project } from './support.ts';

const teamProcess = `
import { defineProcess } from 'troupe';
import { fanOut } from 'troupe/machines';
const script = (line) => ({ isolation: 'worktree', command: ['sh', '-c', line] });
export default defineProcess('team', async (ctx) => {
  const members = [
    { id: 'writer', ...script('echo mine > work.txt && git add . && git commit --quiet -m mine') },
    { id: 'reader', ...script('cat readme.txt') },
    { id: 'src/a.ts', ...script('echo half > half.txt; exit 1') },
  ];
  return (await ctx.group('team', fanOut, { members }).output).settled;
});
`;

async function ran(): Promise<Project> {
  const it = project({
    'team.process.mjs': teamProcess,
    'readme.txt': 'one\n',
    '.gitignore': '.troupe/\nnode_modules/\n',
  });
  const git = async (...args: readonly string[]) =>
    expect(await it.spawn('git', args).ended).toMatchObject({ code: 0 });
  await git('init', '--quiet', '--initial-branch=main');
  await git('config', 'user.name', 'Test');
  await git('config', 'user.email', 'test@example.org');
  await git('add', '.');
  await git('commit', '--quiet', '-m', 'first');
  expect(await it.troupe('run', 'team.process.mjs', '--run-id', 'r1')).toMatchObject({ code: 0 });
  return it;
}

test('worktrees says where they are, what is in them, and how to remove one', async () => {
  const it = await ran();
  const { code, stdout, stderr } = await it.troupe('worktrees');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const lines = stdout.split('\n').map((line) => line.trimEnd());
  expect(lines).toContainEqual(
    expect.stringMatching(/^r1 team\/writer +kept +0 uncommitted changes, 1 commit \(kept: 1 commit\)$/),
  );
  expect(lines).toContain('  .troupe/worktrees/r1/team/writer  troupe/r1/team/writer');
  expect(lines).toContainEqual(
    expect.stringMatching(
      /^r1 team\/src\/a\.ts +kept +1 uncommitted change, 0 commits \(kept: 1 uncommitted change\)$/,
    ),
  );
  expect(stdout).not.toContain('reader');
  expect(readFileSync(it.path('.troupe/worktrees/r1/team/writer/work.txt'), 'utf8')).toBe('mine\n');

  const json = JSON.parse((await it.troupe('worktrees', 'r1', '--json')).stdout) as {
    readonly worktrees: readonly Readonly<Record<string, unknown>>[];
  };
  expect(json.worktrees).toHaveLength(2);
  expect(json.worktrees.find(({ member }) => member === 'writer')).toEqual({
    run: 'r1',
    group: 'team',
    member: 'writer',
    path: realpathSync(it.path('.troupe/worktrees/r1/team/writer')),
    branch: 'troupe/r1/team/writer',
    repository: realpathSync(it.folder),
    state: 'kept',
    why: '1 commit',
    uncommitted: 0,
    commits: 1,
  });

  // What it says to type does what it says.
  const [removal = ''] = /git -C [^\n]+/.exec(stdout) ?? [];
  expect(
    await it.spawn('sh', ['-c', removal.replace('worktree remove', 'worktree remove --force')]).ended,
  ).toMatchObject({ code: 0 });
  expect((await it.troupe('worktrees')).stdout).toContain('its folder is gone');
  await it.troupe('rm', 'r1');
  const left = (await it.troupe('worktrees')).stdout;
  expect(left).toMatch(/^r1 team\/\S+ +unknown +no journal tells of it$/m);
  expect(existsSync(it.path('.troupe/worktrees/r1/team'))).toBe(true);
  expect(await it.troupe('worktrees', 'r1')).toMatchObject({ code: 7 });
});

test('without any it says how to have one', async () => {
  expect(await project().troupe('worktrees')).toMatchObject({
    code: 0,
    stdout: 'no worktrees; a member gets one with `isolation: "worktree"` in its invocation\n',
  });
});
