/** On a terminal: one picture, painted in place, at most ten times a second; in a background job lines, as without a terminal. */
import type { WriteStream } from 'node:tty';
import type { Display } from './display.ts';
import { frameOf } from './frame.ts';
import { isForeground } from './foreground.ts';
import type { KnownRun } from './known-run.ts';
import { plainDisplay } from './plain-display.ts';
import type { Style } from './terminal.ts';
import { count, widthOf } from './text.ts';

const paintEveryMs = 100;
/** Elapsed times go on without entries. */
const tickMs = 1_000;

const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';
const clearToEnd = '\u001b[J';
const clearLine = '\u001b[K';
/** Terminals that know these show a frame only when it is whole; others ignore them. */
const frameBegins = '\u001b[?2026h';
const frameEnds = '\u001b[?2026l';

/** A picture that can stand still. */
export interface LiveDisplay extends Display {
  /** Paints it once more, and leaves it: what comes below is others'. */
  hold(): void;
  /** Paints again, from where the cursor is. */
  release(): void;
}

/** Shows a run on the terminal `out`; `flag` is added to the commands that are suggested. */
export function liveDisplay(known: KnownRun, out: WriteStream, style: Style, flag: string): LiveDisplay {
  let note: string | undefined;
  let painted: readonly number[] = [];
  let paintedAt = 0;
  let timer: NodeJS.Timeout | undefined;
  let hasEnded = false;
  let isHeld = false;
  const plain = plainDisplay(style, (line) => void out.write(`${line}\n`));

  /** To the first line of what was painted, as the terminal shows it now: it may have become narrower, and wrapped it. */
  const home = () => {
    const height = painted.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / (out.columns || 80))), 0);
    return height === 0 ? '\r' : `\r\u001b[${height}A`;
  };
  const paint = () => {
    clearTimeout(timer);
    timer = undefined;
    if (hasEnded || isHeld) return;
    paintedAt = performance.now();
    if (!isForeground()) {
      painted = [];
      return;
    }
    // One column and one row stay free: a full line would wrap, a full screen would scroll.
    const size = { columns: Math.max(1, (out.columns || 80) - 1), rows: Math.max(1, (out.rows || 24) - 1) };
    const frame =
      known.view.created === undefined ? [] : frameOf({ known, now: Date.now(), style, note, flag, ...size });
    const text = frame.map((line) => `${line}${clearLine}\n`).join('');
    out.write(`${frameBegins}${hideCursor}${home()}${text}${clearToEnd}${frameEnds}`);
    painted = frame.map((line) => widthOf(stripped(line)));
  };
  const later = () => {
    if (timer === undefined && !hasEnded && !isHeld)
      timer = setTimeout(paint, Math.max(0, paintedAt + paintEveryMs - performance.now()));
  };
  const erase = () => {
    out.write(`${home()}${clearToEnd}${showCursor}`);
    painted = [];
  };

  const tick = setInterval(later, tickMs);
  const restoreCursor = () => void out.write(showCursor);
  /** Ctrl-Z: the terminal is given back as it was, before the shell writes there. */
  const suspend = () => {
    if (!isHeld) erase();
    // Nobody listens to it now: it stops this process here, where there is a shell that can bring it back.
    process.off('SIGTSTP', suspend);
    process.kill(process.pid, 'SIGTSTP');
    later();
  };
  /** Brought back: what was painted is the shell's by now. */
  const resumed = () => {
    process.off('SIGTSTP', suspend);
    process.on('SIGTSTP', suspend);
    painted = [];
    later();
  };
  out.on('resize', later);
  process.on('exit', restoreCursor);
  process.on('SIGTSTP', suspend);
  process.on('SIGCONT', resumed);

  return {
    entry(entry) {
      if (isForeground()) later();
      else plain.entry(entry);
    },
    progress: later,
    note(line) {
      if (isForeground()) erase();
      out.write(`${line}\n`);
      later();
    },
    hold() {
      paint();
      out.write(showCursor);
      painted = [];
      isHeld = true;
    },
    release() {
      isHeld = false;
      later();
    },
    stopping(attempts) {
      note = `stopping: ending ${count(attempts, 'attempt')}; Ctrl-C again to leave at once`;
      if (isForeground()) later();
      else plain.stopping(attempts);
    },
    end() {
      if (hasEnded) return;
      hasEnded = true;
      clearTimeout(timer);
      clearInterval(tick);
      if (isForeground()) erase();
      out.off('resize', later);
      process.off('exit', restoreCursor);
      process.off('SIGTSTP', suspend);
      process.off('SIGCONT', resumed);
    },
  };
}

function stripped(line: string): string {
  return line.replaceAll(/\u001b\[[0-9;]*m/g, '');
}
