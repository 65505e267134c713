/**
 * A definition: a coordinator's machine, linted and compiled for the kernel. The machine is the author's own;
 * for the kernel its registered actors are replaced by adapters, through which XState's own `createActor`
 * asks the running turn for each child's first snapshot at the moment a live system would compute it.
 */
import type { AnyActorLogic, AnyStateMachine } from 'xstate';
import { TroupeError } from '../error.ts';
import type { AnySnapshot } from './snapshot.ts';
import { fastTransition } from './fast.ts';
import { lint, type Finding } from './lint.ts';
import { isMachine, isMember } from './kind.ts';
import type { Compiled } from './logic.ts';
import { asAdapter, stage } from './ref.ts';
import { versionOf } from './version.ts';

/** What a group is started from. */
export interface Definition {
  /** The author's machine, untouched. */
  readonly machine: AnyStateMachine;
  readonly id: string;
  /** Changes with the machine's definition and with the source text of its implementations. */
  readonly version: string;
  /** What the linter would rather see otherwise; nothing that is refused. */
  readonly warnings: readonly Finding[];
  /** @internal */
  readonly root: Compiled;
}

const known = new WeakMap<AnyStateMachine, Definition>();

/** Lints and compiles a machine; the same machine gives the same definition. Throws MACHINE_UNSUPPORTED with every finding in `details`. */
export function define(machine: AnyStateMachine): Definition {
  const before = known.get(machine);
  if (before !== undefined) return before;
  const findings = lint(machine);
  const refused = findings.filter((finding) => finding.severity === 'error');
  const first = refused[0];
  if (first !== undefined) {
    const more = refused.length > 1 ? ` (and ${refused.length - 1} more)` : '';
    throw new TroupeError('MACHINE_UNSUPPORTED', first.message + more, { findings: refused });
  }
  const definition: Definition = {
    machine,
    id: machine.id,
    version: versionOf(machine),
    warnings: findings,
    root: compile(machine, new Map()),
  };
  known.set(machine, definition);
  return definition;
}

function compile(logic: AnyActorLogic, done: Map<AnyActorLogic, Compiled>): Compiled {
  const before = done.get(logic);
  if (before !== undefined) return before;
  if (!isMachine(logic)) {
    const compiled: Compiled = {
      kind: isMember(logic) ? 'member' : 'pure',
      id: isMember(logic) ? 'member' : 'actor',
      logic,
      adapter: adapterOf(() => compiled),
    };
    done.set(logic, compiled);
    return compiled;
  }
  const sources = new Map<string, Compiled>();
  const actors: Record<string, AnyActorLogic> = {};
  // XState types implementations as unknown records; the linter has seen that these are logics.
  const registered = logic.implementations.actors as Record<string, AnyActorLogic>;
  for (const [name, child] of Object.entries(registered)) {
    const compiled = compile(child, done);
    sources.set(name, compiled);
    actors[name] = compiled.adapter;
  }
  const provided = logic.provide({ actors });
  const compiled: Compiled = {
    kind: 'machine',
    id: logic.id,
    logic: provided,
    adapter: adapterOf(() => compiled),
    sources,
    hearing: new Map(),
    fast: fastTransition(provided),
  };
  done.set(logic, compiled);
  return compiled;
}

/** Only its first snapshot is ever asked of an adapter; the Actor around it never runs. */
function adapterOf(compiled: () => Compiled): AnyActorLogic {
  return asAdapter({
    getInitialSnapshot: (scope, input): AnySnapshot => stage().create(compiled(), scope.self, input),
    transition: (snapshot: AnySnapshot) => snapshot,
    getPersistedSnapshot: (snapshot: AnySnapshot) => snapshot,
    restoreSnapshot: (snapshot: AnySnapshot) => snapshot,
  } as AnyActorLogic);
}
