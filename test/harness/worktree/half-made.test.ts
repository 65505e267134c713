/** Where git was killed so early in the making of a worktree that no git finds its way past it any more. */
import { rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { gitWorktrees } from 'troupe/harness';
import { repository, type Repository } from '../../support/repository.ts';

let repo: Repository;
beforeEach(() => {
  repo = repository();
});
afterEach(() => repo.remove());

const open = (member: string) =>
  gitWorktrees({ folder: join(repo.folder, 'worktrees'), cwd: repo.path }).open({
    run: 'r1',
    group: 'team',
    member,
    incarnation: 1,
  });
const spoil = (path: string, how: (admin: string) => void) => {
  const admin = repo.gitIn(path, 'rev-parse', '--absolute-git-dir');
  writeFileSync(join(admin, 'locked'), 'initializing\n');
  how(admin);
};

test.each<readonly [string, (admin: string) => void]>([
  ['before it says where the repository is', (admin) => rmSync(join(admin, 'commondir'))],
  ['while it says so', (admin) => truncateSync(join(admin, 'commondir'))],
  [
    'while it says so, and its HEAD was not written',
    (admin) => {
      truncateSync(join(admin, 'commondir'));
      truncateSync(join(admin, 'HEAD'));
    },
  ],
  [
    'before it has a HEAD',
    (admin) => {
      rmSync(join(admin, 'commondir'));
      rmSync(join(admin, 'HEAD'));
    },
  ],
])('%s: the member begins again, and so do others', async (_when, how) => {
  const { worktree } = await open('alice');
  spoil(worktree.path, how);
  await open('bob');
  expect((await open('alice')).worktree).toEqual(worktree);
  expect(repo.gitIn(worktree.path, 'status', '--porcelain')).toBe('');
  expect(repo.git('worktree', 'list', '--porcelain').match(/^worktree /gm)).toHaveLength(3);
});

test('one of somebody else’s is left as it is, and told', async () => {
  const elsewhere = join(repo.folder, 'elsewhere');
  repo.git('worktree', 'add', elsewhere, '-b', 'mine');
  spoil(elsewhere, (admin) => truncateSync(join(admin, 'commondir')));
  await expect(open('alice')).rejects.toThrow('failed to read');
});
