/** Errors that nothing waits for, thrown by a process file or what it uses: by a timer of its own, or a promise that nobody awaits. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TroupeError } from '../error.ts';
import { reportError } from './report-error.ts';
import { nearPath, placeInStack } from './stack-place.ts';

/**
 * Calls `stop` at the first one, instead of ending this process at once: what runs is ended properly. At a second one this process exits.
 * Returns how to stop listening.
 */
export function onStrayError(file: string, stop: (error: unknown) => void): () => void {
  let isFirst = true;
  return listening((thrown) => {
    const error = isOurs(thrown) ? thrown : strayError(thrown, file);
    if (isFirst) {
      isFirst = false;
      stop(error);
      return;
    }
    process.exit(reportError(error, false));
  });
}

/**
 * For whoever only looks: nothing ends because of them, `tell` is told of the first, and of no other. At a bug of ours this process exits.
 * Returns how to stop listening.
 */
export function passOverStrayErrors(file: string, tell: (error: TroupeError) => void): () => void {
  let isFirst = true;
  return listening((thrown) => {
    if (isOurs(thrown)) process.exit(reportError(thrown, false));
    if (isFirst) tell(strayError(thrown, file));
    isFirst = false;
  });
}

function listening(listener: (thrown: unknown) => void): () => void {
  process.on('uncaughtException', listener);
  return () => void process.off('uncaughtException', listener);
}

const ownFolder = dirname(fileURLToPath(import.meta.url));

/** A bug of this program is told as one. */
function isOurs(thrown: unknown): boolean {
  const stack = thrown instanceof Error ? (thrown.stack ?? '') : '';
  const [, thrower = ''] = stack.split(/\n +at (?!.*node:)/);
  return thrower.includes(ownFolder);
}

function strayError(thrown: unknown, file: string): TroupeError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const place = placeInStack(error.stack ?? '');
  const where = place === undefined ? '' : ` (${nearPath(place.file)}:${place.line})`;
  return new TroupeError(
    'PROCESS_INVALID',
    `${nearPath(file)}, or what it uses, throws an error that nothing waits for: ${error.name}: ${error.message}${where}. Await it, or catch it.`,
    { file, stack: error.stack ?? '' },
    thrown,
  );
}
