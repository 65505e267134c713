/** A git repository of a test's own, in a temporary folder. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A folder that holds a repository, and beside it what a test needs. */
export interface Repository {
  /** The folder of all; removed by {@link Repository.remove}. */
  readonly folder: string;
  /** Top of the working copy. */
  readonly path: string;
  git(...args: readonly string[]): string;
  /** Git in another folder. */
  gitIn(folder: string, ...args: readonly string[]): string;
  write(file: string, text: string): void;
  branches(): readonly string[];
  remove(): void;
}

/** One commit, on branch `main`. */
export function repository(): Repository {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'troupe-repository-')));
  const path = join(folder, 'project');
  const gitIn = (where: string, ...args: readonly string[]) =>
    execFileSync('git', ['-C', where, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  const git = (...args: readonly string[]) => gitIn(path, ...args);
  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), text);
  };
  mkdirSync(path);
  git('init', '--quiet', '--initial-branch=main');
  git('config', 'user.name', 'Test');
  git('config', 'user.email', 'test@example.org');
  git('config', 'commit.gpgsign', 'false');
  write('readme.txt', 'one\n');
  write('inner/file.txt', 'inner\n');
  write('.gitignore', 'ignored/\n');
  git('add', '.');
  git('commit', '--quiet', '-m', 'first');
  return {
    folder,
    path,
    git,
    gitIn,
    write,
    branches: () =>
      git('branch', '--format=%(refname:short)')
        .split('\n')
        .filter((name) => name !== 'main'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
