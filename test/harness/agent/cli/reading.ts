/** Reading what a CLI printed, and words for what comes of it. */
import { linePipe } from '../../../../src/harness/agent/cli/line-pipe.ts';
import { programs, type CliName } from '../../../../src/harness/agent/cli/programs.ts';
import type { AgentEvent, TurnEnd } from '../../../../src/harness/index.ts';
import type { CliExit } from '../../../../src/harness/agent/cli/dialect.ts';

export type Line = Readonly<Record<string, unknown>> | string;

export const exited = (exitCode: number, stderr = ''): CliExit => ({ exitCode, signal: null, stderr });
export const killedBy = (signal: string): CliExit => ({ exitCode: null, signal, stderr: '' });

/** Reads these lines, byte by byte so that nothing depends on how they come. */
export function read(
  name: CliName,
  lines: readonly Line[],
  exit: CliExit = exited(0),
): { events: AgentEvent[]; end: TurnEnd; wasOver: boolean } {
  const events: AgentEvent[] = [];
  const pipe = linePipe(programs[name].dialect, 1e6, {
    emit: (event) => void events.push(event),
    ask: () => {},
    onLine: () => {},
  });
  const text = lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');
  for (const byte of Buffer.from(text)) pipe.push(Uint8Array.of(byte));
  const wasOver = pipe.isOver();
  return { events, end: pipe.end(exit), wasOver };
}
export const ended = (name: CliName, lines: readonly Line[], exit?: CliExit) => read(name, lines, exit).end;
export const said = (words: string) => ({ status: 'ok', text: words });
export const failedAs = (failureClass: string, code: string) => ({
  status: 'error',
  class: failureClass,
  error: { code },
});
export const kinds = (events: readonly AgentEvent[]) =>
  events.map((event) => (event.type === 'tool' ? `tool ${event.name} ${event.status}` : event.type));
