/** What the terminal can do, and colours where it can. */
import type { WriteStream } from 'node:tty';

/** Colours; each returns the text itself where there are none. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
}

const isDumb = () => process.env['TERM'] === 'dumb';

/** True when `stream` is a terminal whose lines can be painted again. */
export function isPaintable(stream: WriteStream): boolean {
  return stream.isTTY === true && !isDumb();
}

/** Colours for `stream`: on terminals, unless NO_COLOR or TERM=dumb say otherwise; anywhere with FORCE_COLOR. */
export function styleFor(stream: { readonly isTTY?: boolean }): Style {
  const { NO_COLOR, FORCE_COLOR } = process.env;
  const isForced = FORCE_COLOR !== undefined && FORCE_COLOR !== '' && FORCE_COLOR !== '0';
  const isOn = (NO_COLOR ?? '') === '' && (isForced || (stream.isTTY === true && FORCE_COLOR !== '0' && !isDumb()));
  const sgr = (on: number, off: number) => (text: string) =>
    isOn && text !== '' ? `\u001b[${on}m${text}\u001b[${off}m` : text;
  return {
    bold: sgr(1, 22),
    dim: sgr(2, 22),
    red: sgr(31, 39),
    green: sgr(32, 39),
    yellow: sgr(33, 39),
    cyan: sgr(36, 39),
  };
}

/** Writes a line to standard output. */
export function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** Writes a line to standard error. */
export function complain(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Resolves when what was written has left this process. */
export async function flushed(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    await new Promise<void>((resolve) => {
      if (stream.destroyed || stream.writableEnded) resolve();
      else stream.write('', () => resolve());
    });
  }
}
