/** From the bytes that a CLI prints to the events and the end of its turn. Whatever comes, it neither throws nor waits. */
import { plainLine } from '../../program/last-line.ts';
import type { TurnEnd } from '../port.ts';
import type { CliExit, Dialect, LineHearer } from './dialect.ts';
import { lineObject } from './line-object.ts';
import { lineSplitter } from './split-lines.ts';

/** Who hears what comes out of it. */
export interface PipeHearer extends LineHearer {
  /** After each line that was read. */
  onLine(): void;
}

/** One turn's pipe. */
export interface LinePipe {
  push(chunk: Uint8Array): void;
  /** See `LineReader`. */
  isOver(): boolean;
  /** Nothing more comes: how the turn ended. */
  end(exit: CliExit): TurnEnd;
}

/** Characters of a line that is no object which are repeated. */
const repeatedMax = 2_000;

/** A pipe; lines of more than `lineBytesMax` bytes are left out, what is no JSON object is a notice. */
export function linePipe(dialect: Dialect, lineBytesMax: number, { emit, ask, onLine }: PipeHearer): LinePipe {
  const reader = dialect({ emit, ask });
  let printed = '';
  const lines = lineSplitter(lineBytesMax, {
    onLine(line) {
      const object = lineObject(line);
      if (object === undefined) {
        printed = `${printed}${line.slice(0, repeatedMax)}\n`.slice(-repeatedMax);
        return emit({ type: 'notice', line: plainLine(line.slice(0, repeatedMax)) });
      }
      reader.take(object);
      onLine();
    },
    onTooLong: (bytes) => emit({ type: 'notice', line: `a line of ${bytes} bytes was left out` }),
  });
  return {
    push: (chunk) => lines.push(chunk),
    isOver: () => reader.isOver(),
    end(exit) {
      lines.end();
      return reader.end({ ...exit, printed });
    },
  };
}
