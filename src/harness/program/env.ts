/** What a program finds in its environment. */
import { setOwn } from '../../json.ts';
import type { Attempt } from '../port.ts';
import { markVariables } from './marker.ts';
import type { Stint } from './stint.ts';

/** How much of the host's environment a program inherits: all of it, nothing, or these variables. */
export type InheritEnv = boolean | readonly string[];

type Variables = Readonly<Record<string, string | undefined>>;

/** Later ones win: what `attempt`'s program inherits, each of `added` in turn, and the mark of the attempt and its stint. */
export function programEnv(
  attempt: Attempt,
  stint: Stint,
  inherit: InheritEnv,
  ...added: readonly (Variables | undefined)[]
): Variables {
  const inherited = inherit === true ? process.env : inherit === false ? {} : picked(process.env, inherit);
  const mark = markVariables(attempt, stint.mark, process.env);
  const all: Record<string, string | undefined> = {};
  for (const variables of [inherited, ...added, mark])
    for (const [name, value] of Object.entries(variables ?? {})) setOwn(all, name, value);
  return all;
}

function picked(env: Variables, names: readonly string[]): Variables {
  return Object.fromEntries(names.filter((name) => env[name] !== undefined).map((name) => [name, env[name]]));
}
