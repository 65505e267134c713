/** A display that stands still while somebody is asked below it; what happens meanwhile is told in lines above the question. */
import type { Display } from './display.ts';
import type { KnownRun } from './known-run.ts';
import { liveDisplay } from './live-display.ts';
import { plainDisplay } from './plain-display.ts';
import { isPaintable, type Style } from './terminal.ts';
import type { TerminalQuestions } from './terminal-questions.ts';

/** A display, and how it is made to stand still. */
export interface AskingDisplay extends Display {
  /** Until the result is called; several may ask for it. */
  stand(): () => void;
}

/** Shows a run at the terminal where these questions are asked; `flag` is added to the commands that are suggested. */
export function askingDisplay({
  known,
  style,
  questions,
  flag,
}: {
  readonly known: KnownRun;
  readonly style: Style;
  readonly questions: TerminalQuestions;
  readonly flag: string;
}): AskingDisplay {
  const plain = plainDisplay(style, (line) => questions.print(line));
  const live = isPaintable(process.stdout) ? liveDisplay(known, process.stdout, style, flag) : undefined;
  let standing = 0;
  const shown = () => (standing > 0 || live === undefined ? plain : live);
  return {
    entry(entry) {
      const isAsked = entry.type === 'gate.opened' && questions.isForeground();
      if (shown() !== plain || !isAsked) shown().entry(entry);
    },
    progress: () => shown().progress(),
    note: (line) => shown().note(line),
    stopping: (attempts) => shown().stopping(attempts),
    end: () => live?.end(),
    stand() {
      if (standing === 0) live?.hold();
      standing += 1;
      return () => {
        standing -= 1;
        if (standing === 0) live?.release();
      };
    },
  };
}
