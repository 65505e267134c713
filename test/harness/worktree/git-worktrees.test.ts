/** Worktrees by real git: found again by name however they were left, and never removed with what is nowhere else. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { gitWorktrees, worktreeBranch, type KeepWorktree, type Worktree, type WorktreeOf } from 'troupe/harness';
import { markVariables } from '../../../src/harness/program/marker.ts';
import { repository, type Repository } from '../../support/repository.ts';

let repo: Repository;
beforeEach(() => {
  repo = repository();
});
afterEach(() => repo.remove());

const of = (member = 'alice', more: Partial<WorktreeOf> = {}): WorktreeOf => ({
  run: 'r1',
  group: 'team',
  member,
  incarnation: 1,
  ...more,
});
/** Each time another host's: nothing is remembered. */
const worktrees = () => gitWorktrees({ folder: join(repo.folder, 'worktrees'), cwd: repo.path });
const open = async (what = of()): Promise<Worktree> => (await worktrees().open(what)).worktree;
const key = 'worktree r1/team/alice#1';
const ofADeadHost = {
  ...process.env,
  ...markVariables({ run: 'r1', group: 'team', member: 'alice', key }, '999999999-1', {}),
};
const commitIn = (path: string, text: string) => {
  writeFileSync(join(path, 'work.txt'), text);
  repo.gitIn(path, 'add', '.');
  repo.gitIn(path, 'commit', '--quiet', '-m', text);
};

describe('a worktree', () => {
  test('is a working copy on a branch of its own, with the same folder inside', async () => {
    const { worktree, cwd } = await worktrees().open(of('alice', { cwd: 'inner' }));
    expect(worktree).toEqual({
      path: join(repo.folder, 'worktrees', 'r1', 'team', 'alice'),
      branch: 'troupe/r1/team/alice',
      base: repo.git('rev-parse', 'main'),
      repository: repo.path,
    });
    expect(cwd).toBe(join(worktree.path, 'inner'));
    expect(readFileSync(join(cwd, 'file.txt'), 'utf8')).toBe('inner\n');
    expect(repo.gitIn(worktree.path, 'branch', '--show-current')).toBe('troupe/r1/team/alice');
    expect(repo.git('status', '--porcelain')).toBe('');
  });

  test('begins with the commit that is named, and a later attempt finds it as it was left', async () => {
    const first = repo.git('rev-parse', 'HEAD');
    repo.write('readme.txt', 'two\n');
    repo.git('commit', '--quiet', '-am', 'second');
    const made = await open(of('alice', { base: first }));
    expect(made.base).toBe(first);
    commitIn(made.path, 'mine');
    writeFileSync(join(made.path, 'half.txt'), 'half');
    const found = await open(of('alice', { base: 'main' }));
    expect(found).toEqual(made);
    expect(readFileSync(join(found.path, 'half.txt'), 'utf8')).toBe('half');
  });

  test('has a name that git and file systems take, and no two share one', async () => {
    const names = [
      'a',
      'A',
      'a b',
      'a-b',
      'a/b',
      'a..b',
      '~^:?*[\\',
      '.hidden',
      'x.lock',
      '@{',
      'é',
      'n::m',
      'y'.repeat(300),
      '-',
    ];
    const branches = names.map((member) => worktreeBranch(of(member)));
    expect(new Set(branches.map((name) => name.toLowerCase())).size).toBe(names.length);
    expect(worktreeBranch(of('a', { incarnation: 2 }))).toBe('troupe/r1/team/a.again-2');
    for (const [index, member] of names.entries()) {
      const { branch, path } = await open(of(member));
      expect(branch).toBe(branches[index]);
      expect(existsSync(join(path, 'readme.txt'))).toBe(true);
    }
  });

  test('many are made at once', async () => {
    const host = worktrees();
    const names = Array.from({ length: 12 }, (_, index) => `m${index}`);
    const made = await Promise.all(names.map((name) => host.open(of(name))));
    expect(new Set(made.map(({ cwd }) => cwd)).size).toBe(12);
    await Promise.all(made.map(({ worktree }) => host.close(worktree, 'changed')));
    expect(repo.branches()).toEqual([]);
    expect(existsSync(join(repo.folder, 'worktrees', 'r1'))).toBe(false);
  });
});

describe('without what it needs', () => {
  test.each<[string, (repo: Repository) => WorktreeOf, RegExp]>([
    [
      'no repository',
      ({ folder }) => of('alice', { cwd: folder }),
      /^BAD_INPUT: member `alice`: isolation: 'worktree' needs a git repository, and .* is in none/,
    ],
    ['no folder', ({ folder }) => of('alice', { cwd: join(folder, 'gone') }), /BAD_INPUT: .*needs a git repository/],
    ['no such base', () => of('alice', { base: 'nowhere' }), /BAD_INPUT: .* knows no commit `nowhere`/],
    [
      'a base that looks like an option',
      () => of('alice', { base: '--help' }),
      /BAD_INPUT: .* knows no commit `--help`/,
    ],
    [
      'no commit yet',
      ({ folder, gitIn }) => {
        mkdirSync(join(folder, 'empty'));
        gitIn(join(folder, 'empty'), 'init', '--quiet');
        return of('alice', { cwd: join(folder, 'empty') });
      },
      /BAD_INPUT: .* has no commit yet/,
    ],
  ])('%s: one sentence', async (_what, what, message) => {
    await expect(worktrees().open(what(repo))).rejects.toThrow(message);
    expect(repo.branches()).toEqual([]);
  });
});

describe('what a crash leaves', () => {
  test.each<[string, (made: Worktree) => void]>([
    ['only the branch', ({ path }) => repo.git('worktree', 'remove', path)],
    [
      'only the branch, and nothing noted of it',
      ({ path, branch }) => {
        repo.git('worktree', 'remove', path);
        repo.git('config', '--remove-section', `branch.${branch}`);
      },
    ],
    ['a folder that is gone', ({ path }) => rmSync(path, { recursive: true })],
    [
      'a worktree that git was killed in the making of',
      ({ path }) => {
        const admin = repo.gitIn(path, 'rev-parse', '--absolute-git-dir');
        writeFileSync(join(admin, 'locked'), 'initializing');
        rmSync(join(path, 'readme.txt'));
      },
    ],
    [
      'one whose folder was not even begun',
      ({ path }) => {
        const admin = repo.gitIn(path, 'rev-parse', '--absolute-git-dir');
        writeFileSync(join(admin, 'locked'), 'initializing');
        rmSync(path, { recursive: true });
      },
    ],
  ])('%s is gone on from', async (_what, spoil) => {
    const made = await open();
    spoil(made);
    const again = await open();
    expect(again).toEqual(made);
    expect(repo.gitIn(again.path, 'status', '--porcelain')).toBe('');
    expect(existsSync(join(again.path, 'readme.txt'))).toBe(true);
    expect(await worktrees().close(again, 'changed')).toMatchObject({ kept: false });
    expect(repo.branches()).toEqual([]);
    expect(repo.git('worktree', 'list', '--porcelain').match(/^worktree /gm)).toHaveLength(1);
  });

  test('a git that a dead host left at work is ended before its half-made worktree is cleared', async () => {
    const made = await open();
    const admin = repo.gitIn(made.path, 'rev-parse', '--absolute-git-dir');
    writeFileSync(join(admin, 'locked'), 'initializing');
    const left = spawn('sleep', ['60'], { stdio: 'ignore', env: ofADeadHost });
    await Promise.all([open(), new Promise((resolve) => left.on('close', resolve))]);
    expect(left.signalCode).not.toBeNull();
  });

  test('a git that is killed at any moment of `worktree add` leaves nothing that stands in the way', async () => {
    for (let file = 0; file < 400; file += 1) repo.write(`many/${file}.txt`, 'x'.repeat(20_000));
    repo.git('add', '.');
    repo.git('commit', '--quiet', '-m', 'many');
    const path = join(repo.folder, 'worktrees', 'r1', 'team', 'alice');
    mkdirSync(join(path, '..'), { recursive: true });
    for (const ms of [1, 4, 8, 15, 30]) {
      const branch = worktreeBranch(of());
      // As a host does that is killed with it: what its git has started goes on.
      const args = ['-C', repo.path, 'worktree', 'add', '-b', branch, path, 'HEAD'];
      const child = spawn('git', args, { stdio: 'ignore', env: ofADeadHost });
      const gone = new Promise((resolve) => child.on('close', resolve));
      setTimeout(() => child.kill('SIGKILL'), ms);
      await gone;
      // What was being written has a lock of its own, which no living git holds.
      const again = await open();
      expect(repo.gitIn(again.path, 'status', '--porcelain')).toBe('');
      expect(existsSync(join(again.path, 'many/399.txt'))).toBe(true);
      expect(await worktrees().close(again, 'changed')).toMatchObject({ kept: false });
      expect(repo.branches()).toEqual([]);
    }
  });
});

describe('when its member has ended', () => {
  const changes: readonly (readonly [
    string,
    (path: string) => void,
    Readonly<Record<KeepWorktree, boolean>>,
    RegExp,
  ])[] = [
    ['nothing', () => {}, { always: true, changed: false, never: false }, /nothing uncommitted/],
    [
      'a commit',
      (path) => commitIn(path, 'mine'),
      { always: true, changed: true, never: false },
      /1 commit( on branch troupe\/r1\/team\/alice)?/,
    ],
    [
      'a new file',
      (path) => writeFileSync(join(path, 'new.txt'), 'x'),
      { always: true, changed: true, never: true },
      /1 uncommitted change/,
    ],
    [
      'a changed and a staged file',
      (path) => {
        writeFileSync(join(path, 'readme.txt'), 'changed');
        writeFileSync(join(path, 'staged.txt'), 'x');
        repo.gitIn(path, 'add', 'staged.txt');
      },
      { always: true, changed: true, never: true },
      /2 uncommitted changes/,
    ],
    [
      'a commit on no branch',
      (path) => {
        repo.gitIn(path, 'checkout', '--quiet', '--detach');
        commitIn(path, 'adrift');
      },
      { always: true, changed: true, never: true },
      /a commit that is on no branch is checked out there/,
    ],
    [
      'another branch',
      (path) => {
        repo.gitIn(path, 'checkout', '--quiet', '-b', 'other');
      },
      { always: true, changed: true, never: true },
      /branch other is checked out there/,
    ],
    [
      'a lock of somebody',
      (path) => void repo.git('worktree', 'lock', '--reason', 'looking', path),
      { always: true, changed: true, never: true },
      /locked/,
    ],
    [
      'files that git ignores',
      (path) => {
        mkdirSync(join(path, 'ignored'));
        writeFileSync(join(path, 'ignored/built.txt'), 'x');
      },
      { always: true, changed: false, never: false },
      /nothing uncommitted/,
    ],
  ];
  const policies: readonly KeepWorktree[] = ['always', 'changed', 'never'];

  test.each(
    changes.flatMap(([what, change, kept, why]) => policies.map((keep) => ({ what, keep, change, kept, why }))),
  )('and $what is in it, $keep', async ({ change, keep, kept, why }) => {
    const made = await open();
    change(made.path);
    const end = await worktrees().close(made, keep);
    expect(end.kept).toBe(kept[keep]);
    if (keep !== 'always') expect(end.why).toMatch(why);
    expect(existsSync(made.path)).toBe(kept[keep]);
    const hasCommits = repo.branches().includes(made.branch);
    if (!kept[keep]) expect(hasCommits).toBe(/commit on branch/.test(end.why));
    if (!kept[keep] && hasCommits) expect(repo.git('show', `${made.branch}:work.txt`)).toBe('mine');
  });

  test('a folder that somebody has removed is no trouble, and its commits stay', async () => {
    const made = await open();
    commitIn(made.path, 'mine');
    rmSync(made.path, { recursive: true });
    expect(await worktrees().close(made, 'changed')).toEqual({
      kept: false,
      why: 'its folder was gone; 1 commit on branch troupe/r1/team/alice',
    });
    expect(repo.git('show', `${made.branch}:work.txt`)).toBe('mine');
  });

  test('commits that were merged meanwhile count all the same', async () => {
    const made = await open();
    commitIn(made.path, 'mine');
    repo.git('merge', '--quiet', made.branch);
    expect(await worktrees().close(made, 'changed')).toEqual({ kept: true, why: '1 commit' });
  });
});
