/** Ctrl-C and its like while a run is driven: the first stops it properly, the second at once. */
import { exitCodes } from './exit-codes.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGPIPE'] as const;

/** npm passes on a Ctrl-C that the terminal has sent already: two signals so close together are one. */
const sameMs = 250;

/**
 * Calls `stop` at the first signal; at a second one this process exits, and what its attempts have started is killed
 * with it. SIGPIPE stands for a reader of standard output that has gone. Returns how to stop listening.
 */
export function onInterrupt(stop: (signal: string) => void): () => void {
  let firstAt: number | undefined;
  const listener = (signal: NodeJS.Signals) => {
    const now = performance.now();
    if (firstAt === undefined) {
      firstAt = now;
      stop(signal);
    } else if (signal !== 'SIGPIPE' && now - firstAt > sameMs) {
      process.exit(exitCodes.interrupted);
    }
  };
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}

/** When whoever read standard output has gone: SIGPIPE's listeners, or a quiet exit. */
export function watchBrokenPipe(): void {
  const onError = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
    if (!process.emit('SIGPIPE', 'SIGPIPE')) process.exit(exitCodes.ok);
  };
  process.stdout.on('error', onError);
  process.stderr.on('error', onError);
}
