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

/** One attempt that an operating-system process belongs to, and the host that started it, `<pid>-<start>`. */
export interface Mark {
  readonly host: string;
  readonly key: string;
}

/** The variables that mark everything `attempt` starts. `hostEnv` is the host's own environment. */
export function markVariables(
  attempt: Pick<Attempt, 'run' | 'group' | 'member' | 'key'>,
  host: string,
  hostEnv: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const outer = marksIn(hostEnv).map((mark) => `${mark.host}/${encodeURIComponent(mark.key)}`);
  return {
    TROUPE_RUN: attempt.run,
    TROUPE_GROUP: attempt.group,
    TROUPE_MEMBER: attempt.member,
    [attemptVariable]: attempt.key,
    [hostVariable]: host,
    [outerVariable]: outer.join(' '),
  };
}

/** The attempts that a process with this environment belongs to: its own, and those its host runs in. */
export function marksIn(env: { readonly [name: string]: string | undefined }): readonly Mark[] {
  const key = env[attemptVariable];
  if (key === undefined || key === '') return [];
  const outer = (env[outerVariable] ?? '').split(' ').flatMap((word): Mark[] => {
    const slash = word.indexOf('/');
    return slash === -1 ? [] : [{ host: word.slice(0, slash), key: decoded(word.slice(slash + 1)) }];
  });
  return [...outer, { host: env[hostVariable] ?? '', key }];
}

/** The key of a mark; what nobody encoded stays as it is. */
function decoded(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}
