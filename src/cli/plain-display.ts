/** Without a terminal: a line per change of state, appended, never painted over. */
import type { Entry } from '../journal/port.ts';
import type { Display } from './display.ts';
import { summaryOf } from '../process/entry-line.ts';
import { print, type Style } from './terminal.ts';
import { count, nameText, timeOf } from './text.ts';

/** Entries that are no change of state; `troupe log` has them. */
const quiet = new Set([
  'attempt.queued',
  'attempt.session',
  'emitted',
  'epoch.taken',
  'group.created',
  'member.progress',
  'message.read',
  'run.created',
  'run.ended',
  'signal',
  'timer.fired',
]);

const words: Readonly<Record<string, string>> = {
  'attempt.cancelled': 'cancelled',
  'attempt.failed': 'failed',
  'attempt.started': 'started',
  'budget.warned': 'budget',
  'checkpoint': '●',
  'gate.answered': 'answered',
  'gate.opened': 'waits for approval',
  'gate.withdrawn': 'withdrawn',
  'group.ended': 'ended',
  'letter.dead': 'dead letter',
  'log': 'log',
  'member.settled': 'settled',
};

/** Shows a run as a list of lines, written by `write`. */
export function plainDisplay(style: Style, write: (line: string) => void = print): Display {
  const line = (entry: Entry) => {
    const place = nameText(entry.stream.replace(/^group:/, ''));
    // A group's output is the process's business, not a line's.
    const isDone = entry.type === 'group.ended' && (entry.data as { readonly status?: string }).status === 'completed';
    return `${style.dim(timeOf(entry.at))}  ${place}  ${words[entry.type] ?? entry.type}  ${isDone ? 'completed' : summaryOf(entry)}`;
  };
  return {
    entry(entry) {
      if (!quiet.has(entry.type)) write(line(entry));
    },
    progress: () => {},
    note: write,
    stopping(attempts) {
      write(`stopping: ending ${count(attempts, 'attempt')}; interrupt again to leave at once`);
    },
    end: () => {},
  };
}
