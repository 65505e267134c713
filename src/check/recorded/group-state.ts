/** A recorded group as properties see it. */
import type { GroupFold } from '../../group/fold.ts';
import { snapshotAt, wants } from '../../group/step.ts';
import type { GroupState, MemberState } from '../group/options.ts';
import { rootOf, type Facade } from '../kernel/locals.ts';

/** Tells of what the fold has come to; undefined before its beginning. */
export function recordedState({ system, ledger }: GroupFold): GroupState<unknown, unknown> | undefined {
  if (system === undefined) return undefined;
  const root = rootOf(system);
  const { end } = system;
  const gone: MemberState = { status: 'gone', attempt: 0 };
  return {
    status: end?.status ?? 'active',
    output: end?.status === 'completed' ? end.output : undefined,
    error: end?.status === 'failed' ? end.error.message : undefined,
    get context() {
      return root.context;
    },
    value: root.value,
    matches: (state) => root.matches(state),
    members: Object.fromEntries(
      [...ledger.members.values()].map(({ id, status, attempt }) => [
        id,
        status === 'running' ? { status, attempt } : gone,
      ]),
    ),
    executions: (address) => ledger.members.get(address)?.attempt ?? 0,
    wanted: end === undefined ? wants(system).map(({ address }) => address) : [],
    gates: [...ledger.gates.values()].filter(({ answer }) => answer === undefined).map(({ name }) => name),
    nested: (address) => snapshotAt(system, address) as unknown as Facade | undefined,
  };
}
