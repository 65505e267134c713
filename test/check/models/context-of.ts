import type { ModelState } from 'troupe/check';

/** The context of an actor, as its machine's types have it. */
export function contextOf<Context>(state: Pick<ModelState, 'actors'>, id: string): Context {
  const actor = state.actors[id];
  if (actor === undefined) throw new Error(`the model has no actor ${id}`);
  return actor.context as Context;
}
