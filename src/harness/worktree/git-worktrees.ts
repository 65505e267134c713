/**
 * Worktrees by git. Branch and folder have names that are made of run, group and member alone, and the commit that a branch began with stands in
 * git's own configuration of it, written before there is a folder: whatever step a crash falls between, the next
 * attempt finds what there is and goes on from it.
 */
import { mkdir, realpath, rm, rmdir } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { TroupeError } from '../../error.ts';
import { markVariables } from '../program/marker.ts';
import { beginStint } from '../program/stint.ts';
import { sweep } from '../program/sweep.ts';
import { git, GitError, gitOrNone, gitWith } from './git.ts';
import { halfMade, listed, type Listed } from './listed.ts';
import { partsOf, worktreeBranch } from './names.ts';
import type { KeepWorktree, Worktree, WorktreeEnd, WorktreeOf, Worktrees } from './port.ts';
import { stateOf } from './state.ts';

/** Where worktrees are kept, and from where members' folders begin. */
export interface GitWorktreesOptions {
  /** Created with the first one. */
  readonly folder: string;
  /** Folder of members that name none. Default: the host's. */
  readonly cwd?: string;
}

/** Worktrees of any repositories. */
export function gitWorktrees({ folder, cwd = '.' }: GitWorktreesOptions): Worktrees {
  const top = resolve(folder);
  /** One at a time in each repository: git's own locks fail instead of waiting. */
  const queues = new Map<string, Promise<unknown>>();
  const inTurn = <Result>(repository: string, work: () => Promise<Result>): Promise<Result> => {
    const turn = (queues.get(repository) ?? Promise.resolve()).then(work, work);
    queues.set(
      repository,
      turn.catch(() => {}),
    );
    return turn;
  };

  const open: Worktrees['open'] = async (of) => {
    const at = resolve(cwd, of.cwd ?? '.');
    const repository = await topOf(at, of.member);
    const inside = (await git(at, 'rev-parse', '--show-prefix')).replace(/\/$/, '');
    const worktree = await inTurn(repository, () => made(of, repository, top));
    return { worktree, cwd: inside === '' ? worktree.path : join(worktree.path, inside) };
  };

  return {
    open,
    close: (worktree, keep) => inTurn(worktree.repository, () => closed(worktree, keep, top)),
  };
}

/** Top of the working copy that `at` is in. */
async function topOf(at: string, member: string): Promise<string> {
  try {
    return await git(at, 'rev-parse', '--show-toplevel');
  } catch (error) {
    if (!(error instanceof GitError) || error.exitCode === null) throw error;
    throw new TroupeError('BAD_INPUT', `member \`${member}\`: isolation: 'worktree' ${whyNoTop(at, error.stderr)}`);
  }
}

/** Why git has no working copy there, by its words; they are the same in every language, see `git.ts`. */
function whyNoTop(at: string, said: string): string {
  if (/cannot change to/.test(said)) return `needs a git repository, and there is no folder ${at}.`;
  if (/must be run in a work tree/.test(said))
    return `needs a working copy, and ${at} is in a bare repository or in git's own folder; name a folder of a working copy with \`cwd\`.`;
  if (/not a git repository/.test(said))
    return `needs a git repository, and ${at} is in none. Run \`git init\` there, or leave the isolation out.`;
  return `needs a git repository, and git does not take that of ${at}: ${said.trim().replaceAll(/\s+/g, ' ').slice(0, 500)}`;
}

/** Finds what there is under the name, and makes what is missing. */
async function made(of: WorktreeOf, repository: string, top: string): Promise<Worktree> {
  const path = join(top, ...partsOf(of));
  const branch = worktreeBranch(of);
  const realTop = await realpath(top).catch(() => top);
  // Where somebody else has the branch checked out to look at it nobody works, and nothing is removed: git will not have it in two places.
  const all = (await listed(repository, (one) => isInside(realTop, one))).filter(
    (one) => one.isGone || isInside(realTop, one.path),
  );
  // By its place too: git may have been killed before the branch was in it, and a member may have put another one there.
  const real = await realpath(path).catch(() => path);
  const found = all.find((one) => one.branch === branch) ?? all.find((one) => one.path === real);
  const { run, group, member, incarnation } = of;
  const key = `worktree ${run}/${group}/${member}#${incarnation}`;
  // What a host that died was making: its git may be at it still.
  if (found?.locked === halfMade) await sweep(key);
  if (found?.isGone === true || found?.locked === halfMade) await cleared(repository, found.path);
  else if (found !== undefined) return { path: found.path, branch, base: await baseOf(repository, branch), repository };
  const isThere = async () =>
    (await gitOrNone(repository, 'rev-parse', '--verify', '--quiet', `refs/heads/${branch}`)) !== undefined;
  if (!(await isThere())) {
    const commit = await commitOf(of, repository);
    // Of a branch of this name that was removed the base may still be noted: a crash can come before that is removed too.
    await gitOrNone(repository, 'config', '--local', '--remove-section', `branch.${branch}`);
    await git(repository, 'branch', '--no-track', branch, commit).catch(async (error: unknown) => {
      // A git that outlived its host by a moment has made it meanwhile, at the same commit.
      if (!(await isThere())) throw error;
    });
  }
  const base = await baseOf(repository, branch);
  await mkdir(dirname(path), { recursive: true });
  const stint = beginStint();
  const mark = markVariables({ run, group, member, key }, stint.mark, process.env);
  try {
    await gitWith(mark, repository, 'worktree', 'add', path, branch);
  } catch (error) {
    // A hook's failure is told as git's own; by then the working copy is whole, and the next attempt would find it.
    const at = await realpath(path).catch(() => path);
    const after = await listed(repository, (one) => one === at);
    const isWhole = (one: Listed) => one.path === at && one.branch === branch && !one.isGone && one.locked !== halfMade;
    if (!after.some(isWhole)) throw error;
  } finally {
    stint.end();
  }
  return { path, branch, base, repository };
}

/** A folder that is gone, or that git was killed in the making of: nobody has worked there. */
async function cleared(repository: string, path: string): Promise<void> {
  await gitOrNone(repository, 'worktree', 'unlock', path);
  if ((await gitOrNone(repository, 'worktree', 'remove', '--force', path)) === undefined)
    await rm(path, { recursive: true, force: true, maxRetries: 10 });
  await git(repository, 'worktree', 'prune');
}

/** The commit to begin with. */
async function commitOf({ member, base = 'HEAD', cwd }: WorktreeOf, repository: string): Promise<string> {
  const commit = await gitOrNone(
    repository,
    'rev-parse',
    '--verify',
    '--quiet',
    '--end-of-options',
    `${base}^{commit}`,
  );
  if (commit !== undefined) return commit;
  const what = base === 'HEAD' ? 'has no commit yet' : `knows no commit \`${base}\``;
  throw new TroupeError(
    'BAD_INPUT',
    `member \`${member}\`: isolation: 'worktree' needs a commit to begin with, and the repository ${repository}${cwd === undefined ? '' : ` (of ${cwd})`} ${what}.`,
  );
}

/** The commit that a branch began with: noted before there is a worktree, so that where it is not, nothing has been added. */
async function baseOf(repository: string, branch: string): Promise<string> {
  const key = `branch.${branch}.troupebase`;
  const noted = await gitOrNone(repository, 'config', '--local', '--get', key);
  if (noted !== undefined) return noted;
  const tip = await git(repository, 'rev-parse', '--verify', `refs/heads/${branch}`);
  await git(repository, 'config', '--local', key, tip);
  return tip;
}

async function closed(worktree: Worktree, keep: KeepWorktree, top: string): Promise<WorktreeEnd> {
  const { repository, branch, path } = worktree;
  if (keep === 'always') return { kept: true, why: 'as asked for' };
  const state = await stateOf(worktree);
  if (state.isThere) {
    if (state.uncommitted > 0) return { kept: true, why: `${counted(state.uncommitted, 'uncommitted change')}` };
    if (state.elsewhere !== undefined) return { kept: true, why: state.elsewhere };
    if (keep === 'changed' && state.commits > 0) return { kept: true, why: counted(state.commits, 'commit') };
    // Not by force: git looks again, and refuses what has changed meanwhile, or what somebody has locked.
    try {
      await git(repository, 'worktree', 'remove', path);
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
      return { kept: true, why: error.message };
    }
  } else await git(repository, 'worktree', 'prune');
  if (state.commits === 0) {
    // Only as it was when it was looked at.
    if (state.tip !== undefined) await git(repository, 'update-ref', '-d', `refs/heads/${branch}`, state.tip);
    await gitOrNone(repository, 'config', '--local', '--remove-section', `branch.${branch}`);
  }
  await emptied(dirname(path), top);
  const left = state.commits > 0 ? `; ${counted(state.commits, 'commit')} on branch ${branch}` : '';
  return { kept: false, why: `${state.isThere ? 'nothing uncommitted' : 'its folder was gone'}${left}` };
}

/** Removes folders that have become empty, up to the one of all worktrees. */
async function emptied(folder: string, top: string): Promise<void> {
  if (!isInside(top, folder)) return;
  try {
    await rmdir(folder);
  } catch {
    return;
  }
  await emptied(dirname(folder), top);
}

function isInside(top: string, folder: string): boolean {
  const inside = relative(top, folder);
  return inside !== '' && inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside);
}

function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
