/** What went wrong, for whoever sits in front of it: one sentence and its remedy, or, for a bug of ours, all there is. */
import { isTroupeError, remedies, TroupeError, type Code } from '../error.ts';
import { engineVersion } from '../version.ts';
import { dataAbove } from './data-above.ts';
import { quoted } from './quoted.ts';
import { exitCodeOf } from './exit-codes.ts';
import { complain, print, styleFor } from './terminal.ts';

/** Codes whose message names the remedy by itself. */
const saysItAll = new Set<Code>(['BAD_INPUT', 'PROCESS_INVALID', 'UNKNOWN_GROUP', 'UNKNOWN_MEMBER']);

const isDataNamed = () => process.argv.some((word) => /^--data(=|$)/.test(word));

/** What asks where it is, in a folder that has been removed, is told by the system that there is none. */
const inRemovedFolder = (thrown: unknown) =>
  thrown instanceof Error && (thrown as NodeJS.ErrnoException).syscall === 'uv_cwd'
    ? new TroupeError('BAD_INPUT', 'the current folder has been removed; go to one that is there: `cd`.', {}, thrown)
    : thrown;

/** Tells of an error; with `json` on standard output as well, as `{error}`. Returns the exit code. */
export function reportError(error: unknown, json: boolean): number {
  const thrown = inRemovedFolder(error);
  const exitCode = exitCodeOf(thrown);
  const style = styleFor(process.stderr);
  if (isTroupeError(thrown)) {
    const { code, message, details } = thrown;
    if (json) print(JSON.stringify({ error: { code, message, details, exitCode } }));
    complain(style.red(message));
    // Of what is no run of ours, another one than that of the code.
    const own = typeof details['remedy'] === 'string' ? details['remedy'] : undefined;
    if (!saysItAll.has(code)) complain(style.dim(`→ ${own ?? remedies[code]}`));
    const above = code === 'RUN_UNKNOWN' && own === undefined && !isDataNamed() ? dataAbove() : undefined;
    if (above !== undefined) complain(style.dim(`→ There are runs above this folder: add --data ${quoted(above)}`));
    return exitCode;
  }
  const bug = thrown instanceof Error ? thrown : new Error(String(thrown));
  if (json) print(JSON.stringify({ error: { code: 'BUG', message: bug.message, details: {}, exitCode } }));
  complain(style.red(bug.stack ?? bug.message));
  complain(
    `This is a bug of troupe ${engineVersion} (node ${process.version}, ${process.platform}). Please report it with the lines above; the run is not lost.`,
  );
  return exitCode;
}
