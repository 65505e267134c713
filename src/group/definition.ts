/**
 * A definition: a coordinator's machine, linted and compiled for the kernel. The machine is the author's own;
 * for the kernel its registered actors are replaced by adapters, through which XState's own `createActor`
 * asks the running turn for each child's first snapshot at the moment a live system would compute it.
 */
import type { AnyActorLogic, AnyStateMachine } from 'xstate';
import { TroupeError } from '../error.ts';
import type { AnySnapshot } from './snapshot.ts';
import { fastMachine, freshContext } from './fast.ts';
import { lint, type Finding } from './lint.ts';
import { isMachine, isMember } from './kind.ts';
import type { Compiled } from './logic.ts';
import { asAdapter, stage } from './ref.ts';
import { upgradeOf, type Migration, type Upgrade } from './upgrade.ts';
import { versionOf } from './version.ts';

/** What a group is started from. */
export interface Definition {
  /** The author's machine, untouched. */
  readonly machine: AnyStateMachine;
  readonly id: string;
  /** As declared (see `upgrade.ts`), else it changes with the machine's definition and with the source text of its implementations. */
  readonly version: string;
  /** Older versions that are at hand, none of them twice. */
  readonly previous: readonly Definition[];
  /** How groups of older versions are taken over, by version. */
  readonly migrations: ReadonlyMap<string, Migration>;
  /** What the linter would rather see otherwise; nothing that is refused. */
  readonly warnings: readonly Finding[];
  /** @internal */
  readonly root: Compiled;
}

const known = new WeakMap<AnyStateMachine, { readonly definition: Definition; readonly upgrade: Upgrade }>();

/**
 * Lints and compiles a machine; the same machine gives the same definition. Codes: MACHINE_UNSUPPORTED with every finding in `details`, BAD_INPUT
 * for what is no machine.
 */
export function define(machine: AnyStateMachine): Definition {
  refuseOther(machine);
  const upgrade = upgradeOf(machine);
  const before = known.get(machine);
  if (before !== undefined && before.upgrade === upgrade) return before.definition;
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
    version: upgrade.version ?? versionOf(machine),
    ...olderOf(machine, upgrade),
    warnings: findings,
    root: compile(machine, new Map()),
  };
  known.set(machine, { definition, upgrade });
  return definition;
}

/** In JavaScript it may be anything: a name that its module does not export is undefined. */
function refuseOther(machine: unknown): void {
  if (isMachine(machine)) return;
  throw new TroupeError(
    'BAD_INPUT',
    `expected a machine, as setup(…).createMachine(…) makes it, to coordinate a group, got ${machine === null ? 'null' : typeof machine}.`,
  );
}

function olderOf(machine: AnyStateMachine, upgrade: Upgrade): Pick<Definition, 'migrations' | 'previous'> {
  const previous = new Map<string, Definition>();
  const migrations = new Map<string, Migration>();
  const add = (older: AnyStateMachine): string => {
    if (older === machine) {
      throw new TroupeError(
        'BAD_INPUT',
        `machine \`${machine.id}\`: expected an older machine, got the machine itself.`,
      );
    }
    const definition = define(older);
    // What an older one knows of still older ones is good here too.
    for (const one of [definition, ...definition.previous]) {
      if (!previous.has(one.version)) previous.set(one.version, one);
    }
    return definition.version;
  };
  for (const older of upgrade.previous ?? []) add(older);
  for (const migration of upgrade.migrate ?? [])
    migrations.set(typeof migration.from === 'string' ? migration.from : add(migration.from), migration);
  return { previous: [...previous.values()], migrations };
}

/** The definition that folds what `version` wrote: that very one where it is at hand, else the newest. */
export function definitionOf(newest: Definition, version: string): Definition {
  if (newest.version === version) return newest;
  return newest.previous.find((one) => one.version === version) ?? newest;
}

/** A compiled machine whose actors are still being compiled. */
type Building = {
  -readonly [Field in keyof (Compiled & { kind: 'machine' })]: (Compiled & { kind: 'machine' })[Field];
};

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
  const compiled: Building = {
    kind: 'machine',
    id: logic.id,
    logic,
    adapter: adapterOf(() => compiled),
    sources,
    hearing: new Map(),
    fast: undefined,
  };
  // A machine may be registered in itself, or in one below it.
  done.set(logic, compiled);
  const actors: Record<string, AnyActorLogic> = {};
  // XState types implementations as unknown records; the linter has seen that these are logics.
  const registered = logic.implementations.actors as Record<string, AnyActorLogic>;
  for (const [name, child] of Object.entries(registered)) {
    const source = compile(child, done);
    sources.set(name, source);
    actors[name] = source.adapter;
  }
  const provided = logic.provide({ actors });
  compiled.fast = fastMachine(provided);
  const { context } = provided.config as { readonly context?: unknown };
  // XState touch point: it reads the context from here when it makes the first snapshot. The author's own machine stays as it is.
  if (compiled.fast === undefined && typeof context === 'object' && context !== null)
    Object.assign(provided, { config: { ...provided.config, context: () => freshContext(context) } });
  compiled.logic = provided;
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
