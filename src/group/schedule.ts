/**
 * The timers of one actor, with XState's rules for their ids: setting an id again leaves the earlier timer running,
 * only the last one set can be cancelled, and any firing frees the id.
 */
import type { Timer } from './cell.ts';

/** Most actors have none, all of them these. */
export const noTimers: readonly Timer[] = [];

/** Adds a timer. Its name is its id, or `id#2` and so on while that is taken. */
export function withTimer(
  timers: readonly Timer[],
  timer: Omit<Timer, 'name' | 'cancellable'>,
): { timers: readonly Timer[]; name: string } {
  const { id } = timer;
  let name = id;
  for (let number = 2; timers.some((one) => one.name === name); number += 1) name = `${id}#${number}`;
  return { timers: [...freed(timers, id), { ...timer, name, cancellable: true }], name };
}

/** What `cancel(id)` takes away. */
export function cancelled(timers: readonly Timer[], id: string): Timer | undefined {
  return timers.find((one) => one.id === id && one.cancellable);
}

/** The pending timer that a firing means. */
export function pending(timers: readonly Timer[], name: string, dueAt: number): Timer | undefined {
  return timers.find((one) => one.name === name && one.dueAt === dueAt);
}

/** Without a timer that was cancelled. */
export function without(timers: readonly Timer[], timer: Timer): readonly Timer[] {
  return timers.filter((one) => one !== timer);
}

/** Without a timer that has fired. */
export function afterFiring(timers: readonly Timer[], timer: Timer): readonly Timer[] {
  return freed(without(timers, timer), timer.id);
}

function freed(timers: readonly Timer[], id: string): readonly Timer[] {
  return timers.map((one) => (one.id === id && one.cancellable ? { ...one, cancellable: false } : one));
}
