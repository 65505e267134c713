/** Who works on what on the task board: workers that are free, and the claims of the others. */
import { givenUp, returned, taskAt, type Board } from './board.ts';
import type { PlainError } from 'troupe';
import { checkMembers, concurrencyMax, wholeNumber, type MemberInput } from './member-input.ts';

/** Workers and what they have claimed; plain JSON. */
export interface Claims {
  /** Places of workers without a task, who waits longest first. */
  readonly free: readonly number[];
  /** Which worker has which task, by their places. */
  readonly claims: readonly { readonly worker: number; readonly task: number }[];
}

/** The workers of an input: those that are given, or so many that are alike. */
export function workersOf(workers: number | readonly MemberInput[]): readonly MemberInput[] {
  if (typeof workers !== 'number') {
    return checkMembers('task-board', workers, { name: 'workers', max: concurrencyMax, isGiven: true });
  }
  const count = wholeNumber('task-board', 'workers', workers, { max: concurrencyMax });
  return Array.from({ length: count }, (_, index) => ({ id: `worker-${index + 1}` }));
}

/** What a claim is performed with: the worker's fields, and the task's over them. */
export function workOf(worker: MemberInput, task: MemberInput): MemberInput {
  const input = { ...(worker.input as object | undefined), ...(task.input as object | undefined) };
  return 'machine' in task ? { ...task, input } : { ...worker, ...task, input };
}

/** The claim of a task is over: its worker is free again, at the end of the queue. */
export function released({ claims, free }: Claims, task: number): Claims {
  const claim = claims.find((one) => one.task === task);
  return { claims: claims.filter((one) => one !== claim), free: claim === undefined ? free : [...free, claim.worker] };
}

/** An attempt at a task came to nothing: the task goes back onto the board, or is given up after its last attempt. */
export function lost(
  { board, attemptsMax, ...claims }: Claims & { readonly board: Board; readonly attemptsMax: number },
  task: number,
  error: PlainError,
): Claims & { readonly board: Board } {
  const isLast = taskAt(board, task).attempts >= attemptsMax;
  return { ...released(claims, task), board: isLast ? givenUp(board, task, error) : returned(board, task) };
}
