/** States of a group in which members have changed places, as properties see them: see `renamed-state.ts` of models. */
import type { Rewriter } from '../actors/renamed-state.ts';
import type { GroupState } from './options.ts';

/** The same state after the renaming, whatever it tells of at the moment. */
export function renamedGroupState<Context, Output>(
  state: GroupState<Context, Output>,
  rewriter: Rewriter,
): GroupState<Context, Output> {
  const { text, before, data, facade } = rewriter;
  return {
    get status() {
      return state.status;
    },
    get output() {
      return data(state.output);
    },
    get error() {
      return data(state.error);
    },
    get context() {
      return data(state.context);
    },
    get value() {
      return state.value;
    },
    matches: (value) => state.matches(value),
    get members() {
      return Object.fromEntries(Object.entries(state.members).map(([address, one]) => [text(address), one]));
    },
    executions: (address) => state.executions(before(address)),
    get wanted() {
      return state.wanted.map(text);
    },
    get gates() {
      return state.gates.map((name) => name.split('/').map(text).join('/'));
    },
    nested(address) {
      const one = state.nested(before(address));
      return one === undefined ? undefined : facade(one);
    },
  };
}
