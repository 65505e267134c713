/** Gates of a group, or of the run itself: opened, answered, withdrawn. */
import type { Draft } from 'immer';
import type { GroupEvents } from '../group/entries.ts';
import { keyFor } from './key.ts';
import type { GroupState } from './model.ts';

/** A gate that has just been opened. */
export const gate = ({ name, question, by, incarnation }: GroupEvents['gate.opened'], position: number) => ({
  name,
  question,
  openedAt: position,
  by: by === undefined ? '' : `${by}#${incarnation}`,
  answer: null,
});

/** Writes the answer of a gate, if there is such a gate. */
export function answer(
  gates: Draft<GroupState['gates']>,
  { name, approved, by, note }: GroupEvents['gate.answered'],
  position: number,
): void {
  const one = gates[keyFor(name)];
  if (one !== undefined) one.answer = { approved, by, note, at: position };
}

/** Whoever asked is gone. */
export function withdraw(
  gates: Draft<GroupState['gates']>,
  { name, by, incarnation }: GroupEvents['gate.withdrawn'],
): void {
  const one = gates[keyFor(name)];
  if (one?.by === `${by}#${incarnation}` && one.answer === null) delete gates[keyFor(name)];
}
