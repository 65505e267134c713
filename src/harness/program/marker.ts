/**
 * How what an attempt started is found again: by its environment, which every descendant inherits,
 * even one that left the process group, the session and its parent.
 */
import type { Attempt } from '../port.ts';

/** Names of the variables. `TROUPE_ATTEMPT` is the mark; programs may read all of them. */
const attemptVariable = 'TROUPE_ATTEMPT';
const hostVariable = 'TROUPE_HOST';
/** Marks of the attempts that the host itself runs in: `<host>/<key, percent-encoded>`, space between, outermost first. */
const outerVariable = 'TROUPE_OUTER';

/** One attempt that an operating-system process belongs to, and the host that started it, `<pid>-<start>`, with its stint: see `stint.ts`. */
export interface Mark {
  readonly host: string;
  readonly key: string;
}

/** The variables that mark everything `attempt` starts. `host`: of its stint; `hostEnv` is the host's own environment. */
export function markVariables(
  attempt: Pick<Attempt, 'run' | 'group' | 'member' | 'key'>,
  host: string,
  hostEnv: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const outer = marksIn(pairsOf(hostEnv)).map((mark) => `${mark.host}/${encodeURIComponent(mark.key)}`);
  return {
    TROUPE_RUN: attempt.run,
    TROUPE_GROUP: attempt.group,
    TROUPE_MEMBER: attempt.member,
    [attemptVariable]: attempt.key,
    [hostVariable]: host,
    [outerVariable]: outer.join(' '),
  };
}

/**
 * The attempts that a process belongs to: its own, and those its host runs in. `environment` is a list of `NAME=value`;
 * of two equal names the first counts, as for getenv(3).
 */
export function marksIn(environment: readonly string[]): readonly Mark[] {
  const valueOf = (name: string) => environment.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
  const key = valueOf(attemptVariable);
  if (key === undefined || key === '') return [];
  const outer = (valueOf(outerVariable) ?? '').split(' ').flatMap((word): Mark[] => {
    const slash = word.indexOf('/');
    return slash === -1 ? [] : [{ host: word.slice(0, slash), key: decoded(word.slice(slash + 1)) }];
  });
  return [...outer, { host: valueOf(hostVariable) ?? '', key }];
}

/** The key of a mark; what nobody encoded stays as it is. */
function decoded(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}

/** The stint whose programs have this environment. */
export const stintOf = (env: Readonly<Record<string, string | undefined>>): string => env[hostVariable] ?? '';

function pairsOf(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value ?? ''}`);
}
