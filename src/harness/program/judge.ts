/** What a program's end means, by the rule its invocation declares. */
import { failWith, ok } from '../outcome.ts';
import type { Invocation, Outcome } from '../port.ts';
import { plainLine } from './last-line.ts';

/** How a program ended, and the end of what it wrote. */
export interface ProgramResult {
  readonly argv: readonly string[];
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  /** More was written than `stdout` or `stderr` holds. */
  readonly truncated: boolean;
}

/** Lines of output that a failure's message repeats, and their UTF-16 units together. */
const linesMax = 8;
const linesTextMax = 1_500;

/**
 * The outcome by the rule: killed by a signal → `crashed` (code: the signal's name); an exit code that is not wanted → `failed` (`EXIT_<n>`);
 * standard output that does not match → `failed` (`STDOUT_MISMATCH`); else `ok` with {exitCode, stdout, stderr, truncated}.
 */
export function judge(success: Invocation['success'], result: ProgramResult): Outcome {
  const { exitCode, signal, stdout, stderr, truncated } = result;
  const name = named(result.argv);
  const lines = lastLines(stderr) || lastLines(stdout);
  const because = lines === '' ? '.' : `:\n${lines}`;
  if (signal !== null || exitCode === null) {
    return failWith('crashed', signal ?? 'CRASHED', `${name} was killed by ${signal ?? 'an unknown signal'}${because}`);
  }
  const wanted = success?.exitCodes ?? [0];
  if (!wanted.includes(exitCode)) {
    const expected = success?.exitCodes === undefined ? '' : ` (wanted ${wanted.join(' or ')})`;
    return failWith('failed', `EXIT_${exitCode}`, `${name} exited with code ${exitCode}${expected}${because}`);
  }
  const pattern = success?.stdoutMatches;
  if (pattern !== undefined && !outputPattern(pattern).test(stdout)) {
    const end = lastLines(stdout);
    const seen = end === '' ? 'it is empty.' : `it ends in:\n${end}`;
    const part = truncated ? 'the kept end of its standard output' : 'its standard output';
    return failWith(
      'failed',
      'STDOUT_MISMATCH',
      `${name} exited with code ${exitCode}, but ${part} does not match /${pattern}/; ${seen}`,
    );
  }
  return ok({ exitCode, stdout, stderr, truncated });
}

/** The pattern of `success.stdoutMatches`: `^` and `$` match at every line. Throws a SyntaxError when it is no regular expression. */
export function outputPattern(source: string): RegExp {
  return new RegExp(source, 'm');
}

/** The command for a message: short, and quoted where it needs it. */
function named(argv: readonly string[]): string {
  const line = argv.map((word) => (/^[\w./:=@%+,-]+$/.test(word) ? word : JSON.stringify(word))).join(' ');
  return `\`${line.length > 120 ? `${line.slice(0, 119)}…` : line}\``;
}

function lastLines(text: string): string {
  const lines = text
    .slice(-linesTextMax)
    .split(/\r?\n|\r/)
    .map(plainLine)
    .filter((line) => line !== '');
  return lines.slice(-linesMax).join('\n');
}
