/** What git says of a repository's worktrees. */
import { git } from './git.ts';

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

/** All of them, the main one first. */
export async function listed(repository: string): Promise<readonly Listed[]> {
  const text = await git(repository, 'worktree', 'list', '--porcelain');
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
