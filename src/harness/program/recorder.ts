/** Where a program's output goes: the attempt's file, its progress, and the ends kept for the outcome. */
import type { Attempt } from '../port.ts';
import { lastLine } from './last-line.ts';
import { outputFile } from './output-file.ts';
import { tail } from './tail.ts';

/** Records what a program writes; memory stays below some multiples of `tailBytes`, however much comes. */
export function recorder(attempt: Pick<Attempt, 'outputFile' | 'progress'>, outputBytesMax: number, tailBytes: number) {
  const file = attempt.outputFile === undefined ? undefined : outputFile(attempt.outputFile, outputBytesMax);
  const ends = { stdout: tail(tailBytes), stderr: tail(tailBytes) };
  const lines = { stdout: lastLine(), stderr: lastLine() };
  return {
    async take(from: 'stdout' | 'stderr', chunk: Uint8Array): Promise<void> {
      ends[from].push(chunk);
      const line = lines[from](chunk);
      if (line !== undefined) attempt.progress({ line });
      await file?.write(chunk);
    },
    /** Closes the file; a disk that failed does not undo what the program did, so it is told as progress. */
    async close() {
      const error = await file?.close();
      if (error !== undefined) attempt.progress({ line: `output not kept: ${error.message}` });
      return {
        stdout: ends.stdout.text(),
        stderr: ends.stderr.text(),
        truncated: ends.stdout.isCut() || ends.stderr.isCut(),
      };
    },
  };
}
