/** Where git was killed so early in the making of a worktree that no git finds its way past it any more. */
import { rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { gitWorktrees } from 'troupe/harness';
import { repository, type Repository } from '../../support/repository.ts';

/** Each in a repository of its own, as they wait: git is asked again and again for seconds before it is given up. */
const inRepository = (then: (repo: Repository) => Promise<void>) => async () => {
  const repo = repository();
  try {
    await then(repo);
  } finally {
    repo.remove();
  }
};

const open = (repo: Repository, member: string) =>
  gitWorktrees({ folder: join(repo.folder, 'worktrees'), cwd: repo.path }).open({
    run: 'r1',
    group: 'team',
    member,
    incarnation: 1,
  });
const spoil = (repo: Repository, path: string, how: (admin: string) => void) => {
  const admin = repo.gitIn(path, 'rev-parse', '--absolute-git-dir');
  writeFileSync(join(admin, 'locked'), 'initializing\n');
  how(admin);
};

const moments: Readonly<Record<string, (admin: string) => void>> = {
  'before it says where the repository is': (admin) => rmSync(join(admin, 'commondir')),
  'while it says so': (admin) => truncateSync(join(admin, 'commondir')),
  'while it says so, and its HEAD was not written': (admin) => {
    truncateSync(join(admin, 'commondir'));
    truncateSync(join(admin, 'HEAD'));
  },
  'before it has a HEAD': (admin) => {
    rmSync(join(admin, 'commondir'));
    rmSync(join(admin, 'HEAD'));
  },
};

describe.concurrent('a worktree whose git was killed', () => {
  for (const [when, how] of Object.entries(moments)) {
    test(
      `${when}: the member begins again, and so do others`,
      inRepository(async (repo) => {
        const { worktree } = await open(repo, 'alice');
        spoil(repo, worktree.path, how);
        await open(repo, 'bob');
        expect((await open(repo, 'alice')).worktree).toEqual(worktree);
        expect(repo.gitIn(worktree.path, 'status', '--porcelain')).toBe('');
        expect(repo.git('worktree', 'list', '--porcelain').match(/^worktree /gm)).toHaveLength(3);
      }),
    );
  }

  test(
    'one of somebody else’s is left as it is, and told',
    inRepository(async (repo) => {
      const elsewhere = join(repo.folder, 'elsewhere');
      repo.git('worktree', 'add', elsewhere, '-b', 'mine');
      spoil(repo, elsewhere, (admin) => truncateSync(join(admin, 'commondir')));
      await expect(open(repo, 'alice')).rejects.toThrow('failed to read');
    }),
  );
});
