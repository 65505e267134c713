/** What a program finds in its environment. */
import { setOwn } from '../../json.ts';
import type { Attempt } from '../port.ts';
import { markVariables } from './marker.ts';
import type { Stint } from './stint.ts';

/** How much of the host's environment a program inherits: all of it, nothing, or these variables. */
export type InheritEnv = boolean | readonly string[];

/** By these a git that calls us, as for a hook, tells every git below it where to work: one that has a working copy of its own is not to hear it. */
export const gitPlaces = [
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_INDEX_FILE',
  'GIT_COMMON_DIR',
  'GIT_OBJECT_DIRECTORY',
  'GIT_PREFIX',
  'GIT_NAMESPACE',
] as const;

type Variables = Readonly<Record<string, string | undefined>>;

/** None of these: to be overruled by those that are added after it. */
export function without(names: readonly string[]): Variables {
  return Object.fromEntries(names.map((name) => [name, undefined]));
}

/** Later ones win: what `attempt`'s program inherits, each of `added` in turn, and the mark of the attempt and its stint. */
export function programEnv(
  attempt: Attempt,
  stint: Stint,
  inherit: InheritEnv,
  ...added: readonly (Variables | undefined)[]
): Variables {
  const inherited = inherit === true ? process.env : inherit === false ? {} : picked(process.env, inherit);
  const elsewhere = inherit === true && attempt.invocation.isolation === 'worktree' ? without(gitPlaces) : {};
  const mark = markVariables(attempt, stint.mark, process.env);
  const all: Record<string, string | undefined> = {};
  for (const variables of [inherited, elsewhere, ...added, mark])
    for (const [name, value] of Object.entries(variables ?? {})) setOwn(all, name, value);
  return all;
}

function picked(env: Variables, names: readonly string[]): Variables {
  return Object.fromEntries(names.filter((name) => env[name] !== undefined).map((name) => [name, env[name]]));
}
