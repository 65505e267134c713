/** Ctrl-C and its like while a run is driven: the first stops it properly, the second at once. */
import { exitCodes } from './exit-codes.ts';
import { complain } from './terminal.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** npm passes on a Ctrl-C that the terminal has sent already: two signals so close together are one. */
const sameMs = 250;

/** What happens when a reader of ours has gone. Not by SIGPIPE: Node ignores it, until somebody has listened to it. */
let onBrokenPipe = (): void => process.exit();

/**
 * Calls `stop` at the first signal, or when whoever read our output has gone; at a second signal this process exits, and
 * what its attempts have started is killed with it. Returns how to stop listening.
 */
export function onInterrupt(stop: (by: string) => void): () => void {
  let firstAt: number | undefined;
  const first = (by: string) => {
    firstAt = performance.now();
    stop(by);
  };
  const listener = (signal: NodeJS.Signals) => {
    if (firstAt === undefined) first(signal);
    else if (performance.now() - firstAt > sameMs) process.exit(exitCodes.interrupted);
  };
  const before = onBrokenPipe;
  onBrokenPipe = () => {
    if (firstAt === undefined) first('a broken pipe');
  };
  for (const signal of signals) process.on(signal, listener);
  return () => {
    onBrokenPipe = before;
    for (const signal of signals) process.off(signal, listener);
  };
}

/**
 * From now on a reader that has gone ends this process, quietly, or whatever {@link onInterrupt} says. So does a file that takes no more of
 * our output (its disk is full), with a sentence.
 */
export function watchBrokenPipe(): void {
  let isTold = false;
  const onError = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO' && !isTold) {
      isTold = true;
      process.exitCode = exitCodes.disk;
      complain(`the output cannot be written: ${error.message}`);
    }
    onBrokenPipe();
  };
  process.stdout.on('error', onError);
  process.stderr.on('error', onError);
}
