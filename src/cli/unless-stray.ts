/** Driving a run of babysitter, whose process file may throw where nothing waits for it. */
import { setTimeout as delay } from 'node:timers/promises';
import { plainError } from '../harness/plain-error.ts';
import { onStrayError } from './stray-errors.ts';

/** How long what is under way may take to end, ms: a pass that waits for what was to come instead never ends. */
const endWithinMs = 15_000;

/** What is driven, and how it is ended before its end. */
export interface Driving<Result> {
  /** The process file. */
  readonly file: string;
  work(): Promise<Result>;
  stop(): void;
  /** True of what `work` comes to when it was stopped. */
  isStopped(result: Result): boolean;
  /** Told of an error that came too late to change anything. */
  tell(line: string): void;
}

/** What `work` comes to. It is stopped at the first such error, which is thrown then. Codes: PROCESS_INVALID. */
export async function unlessStray<Result>(driving: Driving<Result>): Promise<Result> {
  let stray: { readonly error: unknown } | undefined;
  let giveUp: (error: unknown) => void = () => {};
  const givenUp = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  givenUp.catch(() => {});
  const stopListening = onStrayError(driving.file, (error) => {
    stray = { error };
    driving.stop();
    void delay(endWithinMs, undefined, { ref: false }).then(() => giveUp(error));
  });
  try {
    const result = await Promise.race([driving.work(), givenUp]);
    if (stray === undefined) return result;
    if (driving.isStopped(result)) throw stray.error;
    driving.tell(plainError(stray.error).message);
    return result;
  } finally {
    stopListening();
  }
}
