/** Worktrees where something is in the way: git itself, another git, somebody who looks at a branch, a crash between two notes. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { gitWorktrees, type Worktree, type WorktreeOf } from 'troupe/harness';
import { repository, type Repository } from '../../support/repository.ts';

let repo: Repository;
beforeEach(() => {
  repo = repository();
});
afterEach(() => repo.remove());

const alice: WorktreeOf = { run: 'r1', group: 'team', member: 'alice', incarnation: 1 };
/** Each time another host's: nothing is remembered. */
const worktrees = () => gitWorktrees({ folder: join(repo.folder, 'worktrees'), cwd: repo.path });
const open = async (): Promise<Worktree> => (await worktrees().open(alice)).worktree;

test('without git it says that: of the repository nobody can tell', async () => {
  const { PATH } = process.env;
  process.env['PATH'] = join(repo.folder, 'no programs');
  try {
    await expect(open()).rejects.toThrow('git is not installed');
  } finally {
    process.env['PATH'] = PATH;
  }
});

test('where git has no working copy to begin with, it is told why: not everything is mended by a new repository', async () => {
  const bare = join(repo.folder, 'bare.git');
  repo.git('clone', '--quiet', '--bare', repo.path, bare);
  const at = (cwd: string) => worktrees().open({ ...alice, cwd });
  await expect(at(bare)).rejects.toThrow(`needs a working copy, and ${bare} is in a bare repository or in git's own`);
  await expect(at(join(repo.path, '.git'))).rejects.toThrow("or in git's own folder; name a folder");
  await expect(at('nowhere')).rejects.toThrow(/and there is no folder .*nowhere\.$/);
  // As with one of another owner, which is not made here.
  writeFileSync(join(repo.path, '.git/config'), '[core\n');
  await expect(at('.')).rejects.toThrow(/git does not take that of .*: fatal: bad config line 1 in file/);
});

test('a crash between its branch and what is noted of it leaves nothing that the next would begin with', async () => {
  const made = await open();
  const noted = () => repo.git('config', '--local', '--list').includes('troupebase');
  const crash = () => {
    repo.git('worktree', 'remove', made.path);
    repo.git('update-ref', '-d', `refs/heads/${made.branch}`);
    expect(noted()).toBe(true);
  };
  crash();
  repo.write('readme.txt', 'two\n');
  repo.git('commit', '--quiet', '-am', 'second');
  expect((await open()).base).toBe(repo.git('rev-parse', 'main'));
  crash();
  expect(await worktrees().close(made, 'changed')).toEqual({ kept: false, why: 'its folder was gone' });
  expect(noted()).toBe(false);
});

test('a branch that somebody has checked out elsewhere is not worked on there, and that folder stays', async () => {
  const made = await open();
  const isElsewhere = /is already (checked out|used by worktree) at/;
  repo.git('worktree', 'remove', made.path);
  repo.git('checkout', '--quiet', made.branch);
  await expect(open()).rejects.toThrow(isElsewhere);
  repo.git('checkout', '--quiet', 'main');
  const look = join(repo.folder, 'look');
  repo.git('worktree', 'add', '--quiet', look, made.branch);
  await expect(open()).rejects.toThrow(isElsewhere);
  expect(existsSync(look)).toBe(true);
  repo.git('worktree', 'remove', look);
  expect(await open()).toEqual(made);
});

test('another git that is at work in the repository is waited for', async () => {
  const lock = join(repo.path, '.git/config.lock');
  const whileLocked = async <Result>(work: Promise<Result>): Promise<Result> => {
    const timer = setTimeout(() => rmSync(lock), 300);
    try {
      return await work;
    } finally {
      clearTimeout(timer);
    }
  };
  writeFileSync(lock, '');
  const made = await whileLocked(open());
  writeFileSync(lock, '');
  expect(await whileLocked(worktrees().close(made, 'changed'))).toMatchObject({ kept: false });
  expect(repo.branches()).toEqual([]);
  expect(repo.git('config', '--local', '--list')).not.toContain('troupebase');
});

test('a hook that fails after the checkout, or leaves something running, is no reason to begin without the working copy', async () => {
  const hook = join(repo.path, '.git/hooks/post-checkout');
  const left = join(repo.folder, 'left');
  writeFileSync(hook, `#!/bin/sh\nsleep 600 & echo $! > '${left}'\necho 'no git-lfs here' >&2\nexit 2\n`, {
    mode: 0o755,
  });
  try {
    const made = await open();
    expect(repo.gitIn(made.path, 'status', '--porcelain', '--branch')).toBe(`## ${made.branch}`);
    expect(await open()).toEqual(made);
  } finally {
    process.kill(Number(readFileSync(left, 'utf8')));
  }
});
