/** Lines that a person types below what goes on being printed. */
import { clearScreenDown, createInterface, cursorTo, moveCursor } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

/** A terminal, or what stands for one in tests. */
export interface LineTerminal {
  readonly input: NodeJS.ReadableStream & { setRawMode?(isRaw: boolean): unknown };
  readonly output: NodeJS.WritableStream;
  /** Whether the line that is typed can be taken away and painted again; else it is begun again below. */
  readonly isPaintable: boolean;
  /** Ctrl-C: while a line is typed the terminal sends no signal. */
  interrupt(): void;
  /** Whether what is typed is ours: not in a background job of a shell. */
  readonly isForeground: () => boolean;
}

/** Reads lines until it is closed. */
export interface LineReader {
  /** Prompts, and resolves with what was typed; undefined when the input has ended, or the reader was closed. */
  next(prompt: string): Promise<string | undefined>;
  /** Prints a line above the one that is being typed. */
  above(line: string): void;
  /** Gives the terminal back. Safe to call twice. */
  close(): void;
}

/** How long a terminal is listened to before a question stands there, ms. */
const typeAheadMs = 50;
const ctrlC = '\u0003';

/** Drops what was typed before there was a question: it answers none. Ctrl-C is heard. */
export async function dropTypeAhead({ input, interrupt }: LineTerminal): Promise<void> {
  const drop = (chunk: Buffer | string) => {
    if (chunk.includes(ctrlC)) interrupt();
  };
  input.setRawMode?.(true);
  input.on('data', drop);
  // It was paused when the question before had its answer.
  input.resume();
  await delay(typeAheadMs);
  input.off('data', drop);
  input.pause();
  input.setRawMode?.(false);
}

/** Begins to read; the terminal is ours until `close`. */
export function readLines({ input, output, isPaintable, interrupt }: LineTerminal): LineReader {
  const reader = createInterface({ input, output, terminal: isPaintable, historySize: 0 });
  const typed: string[] = [];
  let isPrompting = false;
  let hasEnded = false;
  let look = () => {};
  const end = () => {
    if (hasEnded) return;
    hasEnded = true;
    // What comes next begins a line of its own.
    if (isPrompting) output.write('\n');
    look();
  };
  reader.on('line', (line) => {
    typed.push(line);
    look();
  });
  reader.on('close', end);
  reader.on('error', end);
  reader.on('SIGINT', interrupt);

  return {
    async next(prompt) {
      if (!hasEnded && typed.length === 0) {
        reader.setPrompt(prompt);
        reader.prompt();
        isPrompting = true;
        await new Promise<void>((resolve) => {
          look = resolve;
        });
        isPrompting = false;
      }
      return typed.shift();
    },
    above(line) {
      if (!isPrompting || hasEnded) output.write(`${line}\n`);
      else if (isPaintable) {
        const { rows } = reader.getCursorPos();
        cursorTo(output, 0);
        moveCursor(output, 0, -rows);
        clearScreenDown(output);
        // It is painted again so many rows above the cursor.
        output.write(`${line}\n${'\n'.repeat(rows)}`);
        reader.prompt(true);
      } else {
        output.write(`\n${line}\n`);
        reader.prompt();
      }
    },
    close: () => reader.close(),
  };
}
