/** The gates of a group that is driven: whoever drives it is told of each that is open, and how it is answered. */
import type { GroupEvents } from '../group/entries.ts';
import type { Entry } from '../journal/port.ts';
import { troupeFolder } from './run/staging.ts';

/** Gates of one group. */
export interface OpenGates {
  /** Takes an entry of the group's stream; the same one may come again. */
  take(entry: Entry): void;
  /** Tells of those that are open, and from now on of each when it opens. */
  begin(): void;
}

/** What {@link openGates} needs. */
export interface OpenGatesOptions {
  readonly group: string;
  /** Id of the group's own run. */
  readonly groupId: string;
  readonly runDir: string;
  /** Told one line for each. */
  tell(line: string): void;
}

/** The gates of one group, none yet. */
export function openGates({ group, groupId, runDir, tell }: OpenGatesOptions): OpenGates {
  const open = new Map<string, string>();
  let seq = 0;
  let hasBegun = false;
  const say = (gate: string, question: string) =>
    tell(`group ${group}  waits for an answer: ${question}  ${answerCommand(groupId, gate, runDir)}`);
  return {
    take(entry) {
      if (entry.seq <= seq) return;
      seq = entry.seq;
      if (entry.type === 'gate.opened') {
        const { name, question } = entry.data as unknown as GroupEvents['gate.opened'];
        open.set(name, question);
        if (hasBegun) say(name, question);
      } else if (entry.type === 'gate.answered' || entry.type === 'gate.withdrawn') {
        open.delete((entry.data as unknown as GroupEvents['gate.answered' | 'gate.withdrawn']).name);
      } else if (entry.type === 'group.ended') open.clear();
    },
    begin() {
      hasBegun = true;
      for (const [name, question] of open) say(name, question);
    },
  };
}

/** What to type to answer a gate of one of the troupe runs of a run directory. */
export function answerCommand(run: string, gate: string, runDir: string): string {
  return `troupe approve ${run} ${word(gate)} --data ${word(troupeFolder(runDir))}`;
}

/** For a shell. */
const word = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`;
