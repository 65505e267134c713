/**
 * States in which actors have changed places, as properties see them. One state stands for all of its orbit, so a property has to say the same of
 * each: what is true of one and false of another would be judged by whichever was met first.
 */
import { isPlainObject, setOwn, type JsonValue } from '../../json.ts';
import type { Facade } from '../kernel/locals.ts';
import type { Envelope } from './history.ts';
import type { ModelState } from './options.ts';
import { renameText, type Renaming } from './symmetry.ts';

/** Renames what a state tells. Objects are renamed once: those of local states are met again and again. */
export interface Rewriter {
  /** An id or an address. */
  text(id: string): string;
  /** Who is called so afterwards. */
  before(id: string): string;
  /** Data; what is no plain object or array in it, such as a ref, stays as it is. */
  data<Value>(value: Value): Value;
  facade(one: Facade): Facade;
}

/** What renames by this renaming. */
export function rewriterOf(renaming: Renaming): Rewriter {
  const back: Renaming = new Map([...renaming].map(([from, to]) => [to, from]));
  const objects = new WeakMap<object, unknown>();
  const facades = new WeakMap<Facade, Facade>();
  const object = (value: object): unknown => {
    if (Array.isArray(value)) return value.map(data);
    if (!isPlainObject(value)) return value;
    const copy = {};
    for (const [key, item] of Object.entries(value)) setOwn(copy, renameText(key, renaming), data(item));
    return copy;
  };
  const data = <Value>(value: Value): Value => {
    if (typeof value === 'string') return renameText(value, renaming) as Value;
    if (typeof value !== 'object' || value === null) return value;
    if (!objects.has(value)) objects.set(value, object(value));
    return objects.get(value) as Value;
  };
  return {
    text: (id) => renameText(id, renaming),
    before: (id) => renameText(id, back),
    data,
    facade(one) {
      const known = facades.get(one);
      if (known !== undefined) return known;
      // All else is as the snapshot has it.
      const made = Object.create(one, {
        context: { get: () => data(one.context) },
        output: { get: () => data(one.output) },
        error: { get: () => data(one.error) },
      }) as Facade;
      facades.set(one, made);
      return made;
    },
  };
}

/** The same state after the renaming, whatever it tells of at the moment. */
export function renamedModelState<Record extends JsonValue>(
  state: ModelState<Record>,
  rewriter: Rewriter,
): ModelState<Record> {
  const actors: { [id: string]: Facade } = {};
  for (const id of Object.keys(state.actors)) {
    const from = rewriter.before(id);
    let last: Facade | undefined;
    let renamed: Facade | undefined;
    Object.defineProperty(actors, id, {
      enumerable: true,
      get() {
        const now = state.actors[from] as Facade;
        if (now !== last) renamed = rewriter.facade((last = now));
        return renamed;
      },
    });
  }
  return {
    actors,
    get messages(): readonly Envelope[] {
      return rewriter.data(state.messages);
    },
    get history() {
      return rewriter.data(state.history);
    },
  };
}
