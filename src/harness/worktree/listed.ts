/** What git says of a repository's worktrees. */
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { git, GitError } from './git.ts';

/** What git writes as the reason of its own lock while it makes a worktree. */
export const halfMade = 'initializing';

/** One of them. */
export interface Listed {
  readonly path: string;
  /** Without `refs/heads/`; undefined where HEAD is detached. */
  readonly branch: string | undefined;
  /** Why it is locked; undefined when it is not. */
  readonly locked: string | undefined;
  /** Its folder is gone. */
  readonly isGone: boolean;
}

/** All of them, the main one first. `isOurs` tells which folders are: of those, one that git was killed in the making of is mended. */
export async function listed(repository: string, isOurs: (folder: string) => boolean): Promise<readonly Listed[]> {
  for (let before: string | undefined; ;) {
    try {
      return read(await git(repository, 'worktree', 'list', '--porcelain'));
    } catch (error) {
      const admin = error instanceof GitError ? /failed to read (.*)\/commondir/.exec(error.stderr)?.[1] : undefined;
      if (admin === undefined || admin === before || !(await mended(repository, resolve(repository, admin), isOurs)))
        throw error;
      before = admin;
    }
  }
}

/**
 * A git that is killed before it has written where the repository is leaves a folder over which every later git that looks for worktrees
 * fails: it is finished as that one would have done, and can be cleared. False when it is another's.
 */
async function mended(repository: string, admin: string, isOurs: (folder: string) => boolean): Promise<boolean> {
  const textOf = (name: string) => readFile(join(admin, name), 'utf8').catch(() => '');
  const folder = dirname((await textOf('gitdir')).trim());
  if ((await textOf('locked')).trim() !== halfMade || !isOurs(folder)) return false;
  if ((await textOf('HEAD')) === '') {
    const { length } = await git(repository, 'rev-parse', 'HEAD');
    await writeFile(join(admin, 'HEAD'), `${'0'.repeat(length)}\n`);
  }
  await writeFile(join(admin, 'commondir'), '../..\n');
  return true;
}

function read(text: string): readonly Listed[] {
  return text
    .split('\n\n')
    .filter((block) => block.startsWith('worktree '))
    .map((block) => {
      const fields = new Map(
        block.split('\n').map((line) => {
          const space = line.indexOf(' ');
          return space === -1 ? ([line, ''] as const) : ([line.slice(0, space), line.slice(space + 1)] as const);
        }),
      );
      return {
        path: fields.get('worktree') ?? '',
        branch: fields.get('branch')?.replace(/^refs\/heads\//, ''),
        locked: fields.get('locked'),
        isGone: fields.has('prunable'),
      };
    });
}
