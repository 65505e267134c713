/** Whether somebody sits at this terminal, and how that one is asked. */
import { isForeground } from './foreground.ts';
import { isPaintable } from './terminal.ts';
import { terminalQuestions, type TerminalQuestions } from './terminal-questions.ts';

/** Questions at this terminal; undefined where nobody is there to be asked: with `--json`, in CI, without a terminal, or when `isWanted` is false. */
export function questionsHere({
  json,
  isWanted,
}: {
  readonly json: boolean;
  readonly isWanted: boolean;
}): TerminalQuestions | undefined {
  const ci = process.env['CI'] ?? '';
  const isCi = ci !== '' && ci !== '0' && ci !== 'false';
  if (!isWanted || json || isCi || !process.stdin.isTTY || !process.stdout.isTTY) return undefined;
  return terminalQuestions({
    input: process.stdin,
    output: process.stdout,
    isPaintable: isPaintable(process.stdout),
    // As if the terminal had sent it.
    interrupt: () => void process.kill(process.pid, 'SIGINT'),
    isForeground,
  });
}
