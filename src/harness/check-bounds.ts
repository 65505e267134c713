/** Bounds that a harness declares, checked where they are said: with others it would never be given an attempt, without a word. */
import { TroupeError } from '../error.ts';

/** Refuses bounds under which nothing could begin. `who` begins the sentence. Code: BAD_INPUT. */
export function checkBounds(
  who: string,
  { concurrency, ratePerMinute }: { readonly concurrency?: number; readonly ratePerMinute?: number },
): void {
  if (concurrency !== undefined && !(concurrency >= 1))
    throw new TroupeError('BAD_INPUT', `${who}: expected \`concurrency\` to be a number >= 1, got \`${concurrency}\`.`);
  if (ratePerMinute !== undefined && !(ratePerMinute > 0))
    throw new TroupeError(
      'BAD_INPUT',
      `${who}: expected \`ratePerMinute\` to be a number > 0, got \`${ratePerMinute}\`.`,
    );
}
