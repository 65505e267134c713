/**
 * The linter: what cannot be replayed is refused when a machine is registered, with machine, state and remedy.
 * What it cannot see (inside functions and `enqueueActions`) the kernel refuses at run time.
 */
import type { AnyStateMachine } from 'xstate';
import { assertJson } from '../json.ts';
import { flawOfId } from './address.ts';
import { subscribedSpawn } from './describe.ts';
import { isMachine, isMember, isPureLogic } from './kind.ts';

/** A rule of the linter, stable. */
export type LintRule =
  | 'actor-without-id'
  | 'actor-source'
  | 'actor-kind'
  | 'context-json'
  | 'custom-action'
  | 'error-unhandled'
  | 'snapshot-subscription'
  | 'state-id'
  | 'timer-without-id'
  | 'unknown-action'
  | 'unknown-delay'
  | 'unknown-guard'
  | 'xstate-version';

/** One thing that the linter found. */
export interface Finding {
  readonly severity: 'error' | 'warning';
  readonly rule: LintRule;
  /** Id of the machine. */
  readonly machine: string;
  /** Path of the state, undefined for what belongs to the whole machine. */
  readonly state: string | undefined;
  /** One sentence that names machine and state, and the remedy. */
  readonly message: string;
}

/** XState touch point: state nodes and actions as they are at run time; XState types most of them away. */
interface Node {
  readonly id: string;
  readonly path: readonly string[];
  readonly type: string;
  readonly entry: readonly unknown[];
  readonly exit: readonly unknown[];
  readonly always: readonly Transition[] | undefined;
  readonly transitions: ReadonlyMap<string, readonly Transition[]>;
  readonly initial: Transition | undefined;
  readonly states: Readonly<Record<string, Node>>;
  readonly config: {
    readonly invoke?: Invoke | readonly Invoke[];
    readonly after?: object;
    readonly initial?: unknown;
  };
}
interface Transition {
  readonly guard?: unknown;
  /** XState 4's word for it. */
  readonly cond?: unknown;
  readonly actions: readonly unknown[];
}
interface Invoke {
  readonly src: unknown;
  readonly id?: unknown;
  readonly onSnapshot?: unknown;
  readonly onError?: unknown;
}
interface Builtin {
  readonly type: string;
  readonly src?: unknown;
  readonly id?: unknown;
  readonly delay?: unknown;
  readonly syncSnapshot?: unknown;
}

/** Everything that this machine and the machines registered in it do that cannot be replayed, and warnings. */
export function lint(machine: AnyStateMachine): readonly Finding[] {
  const findings: Finding[] = [];
  lintMachine(machine, findings, new Set());
  return findings;
}

function lintMachine(machine: AnyStateMachine, findings: Finding[], seen: Set<AnyStateMachine>): void {
  if (seen.has(machine)) return;
  seen.add(machine);
  const linter = new Linter(machine, findings);
  linter.machine();
  for (const actor of Object.values(machine.implementations.actors))
    if (isMachine(actor)) lintMachine(actor, findings, seen);
}

class Linter {
  private readonly of: AnyStateMachine;
  private readonly findings: Finding[];
  private state: string | undefined;
  private unhandled: string | undefined;
  private hearsErrors = false;
  /** Paths of states by their ids. */
  private readonly ids = new Map<string, string>();

  constructor(of: AnyStateMachine, findings: Finding[]) {
    this.of = of;
    this.findings = findings;
  }

  machine(): void {
    const { actors, actions, guards } = this.of.implementations;
    // A project may have a copy of its own, of any age.
    if (!('options' in this.of))
      this.add(
        'xstate-version',
        'it was made by an xstate older than 5.31, whose machines cannot be replayed here. Install a newer one where it is imported from: `npm install xstate@5`.',
      );
    for (const [name, logic] of Object.entries(actors)) this.actor(name, logic);
    for (const [name, action] of Object.entries(actions)) this.action(action, `action \`${name}\``);
    for (const guard of Object.values(guards)) this.guard(guard);
    const { context } = this.of.config as { context?: unknown };
    if (typeof context !== 'function' && context !== undefined) {
      try {
        assertJson(context, 'context');
      } catch (error) {
        const what = (error as Error).message.replace('NOT_JSON: ', '');
        this.add('context-json', `${what}. A context is plain JSON data, so that it can be written to a snapshot.`);
      }
    }
    // StateNode has what Node asks for; XState types its actions and transitions more loosely.
    this.node(this.of.root as unknown as Node);
    this.state = undefined;
    if (this.unhandled !== undefined && !this.hearsErrors) {
      this.add(
        'error-unhandled',
        `nothing handles \`xstate.error.actor.*\`, so a failure of actor \`${this.unhandled}\` fails this machine. Add \`onError\` or a transition if that is not meant.`,
        'warning',
      );
    }
  }

  private add(rule: LintRule, text: string, severity: Finding['severity'] = 'error'): void {
    const state = this.state;
    const where = `machine \`${this.of.id}\`${state === undefined ? '' : `, state \`${state}\``}`;
    this.findings.push({ severity, rule, machine: this.of.id, state, message: `${where}: ${text}` });
  }

  private actor(name: string, logic: unknown): void {
    if (isMachine(logic) || isMember(logic) || isPureLogic(logic)) return;
    if (logic === undefined || logic === null)
      return this.add(
        'actor-source',
        `actor \`${name}\` is ${String(logic)}. Two modules that import each other may be why: give it once both are loaded, with \`machine.provide({ actors })\` or a getter in setup({ actors }).`,
      );
    this.add(
      'actor-kind',
      `actor \`${name}\` is a promise, callback, observable or other logic that starts something by itself. Use \`member\`: the host performs it, and a replay does not perform it again.`,
    );
  }

  private node(node: Node): void {
    this.state = node.path.length === 0 ? undefined : node.path.join('.');
    this.stateId(node.id);
    for (const action of [...node.entry, ...node.exit]) this.action(action);
    for (const invoke of [node.config.invoke ?? []].flat()) this.invoke(invoke as Invoke);
    for (const delay of Object.keys(node.config.after ?? {})) if (Number.isNaN(Number(delay))) this.delay(delay);
    for (const [descriptor, transitions] of node.transitions) {
      if (/^(xstate\.error|xstate\.\*|\*$)/.test(descriptor)) this.hearsErrors = true;
      for (const transition of transitions) this.transition(transition);
    }
    for (const transition of node.always ?? []) this.transition(transition);
    if (node.config.initial !== undefined) for (const action of node.initial?.actions ?? []) this.action(action);
    for (const child of Object.values(node.states)) this.node(child);
  }

  /** Of two states with one id, XState's targets find the later one; so would a snapshot. */
  private stateId(id: string): void {
    const twin = this.ids.get(id);
    this.ids.set(id, this.state === undefined ? 'the machine itself' : `state \`${this.state}\``);
    if (twin !== undefined)
      this.add(
        'state-id',
        `its id \`${id}\` is also that of ${twin}. Give it another \`id\`, so that it is the one that is found after a restart.`,
      );
  }

  private transition(transition: Transition): void {
    // XState's production build leaves it out, and takes the transition every time; its development build throws.
    if (transition.cond !== undefined)
      this.add('unknown-guard', 'a transition has `cond`, which XState 5 does not read. Call it `guard`.');
    if (transition.guard !== undefined) this.guard(transition.guard);
    for (const action of transition.actions) this.action(action);
  }

  private invoke(invoke: Invoke): void {
    if (typeof invoke.src !== 'string') this.noSource('invoked');
    else this.source(invoke.src);
    this.id(invoke.id, `invoked actor${typeof invoke.src === 'string' ? ` \`${invoke.src}\`` : ''}`);
    if (invoke.onSnapshot !== undefined) this.noSnapshots();
    if (invoke.onError === undefined) this.unhandled ??= String(invoke.id);
  }

  private action(action: unknown, what?: string): void {
    if (typeof action === 'string' || (typeof action === 'object' && action !== null)) {
      const name = typeof action === 'string' ? action : (action as { type: string }).type;
      if (this.of.implementations.actions[name] === undefined) {
        this.add('unknown-action', `action \`${name}\` is not implemented. Add it to setup({ actions }).`);
      }
      return;
    }
    if (typeof action !== 'function') return;
    if (!('resolve' in action)) {
      const name = what ?? (action.name === '' ? 'an action' : `action \`${action.name}\``);
      this.add(
        'custom-action',
        `${name} is a function of its own, a side effect that would happen again at every replay. Use assign, emit, or spawn a member.`,
      );
      return;
    }
    // Built-in action creators return functions that carry their parameters.
    this.builtin(action as unknown as Builtin);
  }

  private builtin(action: Builtin): void {
    switch (action.type) {
      case 'xstate.spawnChild':
        if (typeof action.src !== 'string') this.noSource('spawned');
        else this.source(action.src);
        if (typeof action.id !== 'function')
          this.id(action.id, `spawned actor${typeof action.src === 'string' ? ` \`${action.src}\`` : ''}`);
        if (action.syncSnapshot === true) this.noSnapshots();
        this.unhandled ??= typeof action.id === 'string' ? action.id : String(action.src);
        return;
      case 'xstate.raise':
      case 'xstate.sendTo':
        if (action.delay === undefined) return;
        if (typeof action.delay === 'string') this.delay(action.delay);
        if (typeof action.id !== 'string' || action.id === '') {
          this.add(
            'timer-without-id',
            `a delayed ${action.type.slice('xstate.'.length)} has no id. Give it one, \`{ delay, id }\`, so that its timer is the same one after a restart.`,
          );
        }
        return;
      default:
    }
  }

  private guard(guard: unknown): void {
    if (typeof guard === 'string' || (typeof guard === 'object' && guard !== null)) {
      const name = typeof guard === 'string' ? guard : (guard as { type: string }).type;
      if (this.of.implementations.guards[name] === undefined) {
        this.add('unknown-guard', `guard \`${name}\` is not implemented. Add it to setup({ guards }).`);
      }
    } else if (typeof guard === 'function' && 'guards' in guard && Array.isArray(guard.guards)) {
      for (const inner of guard.guards) this.guard(inner);
    }
  }

  private delay(name: string): void {
    if (this.of.implementations.delays[name] === undefined) {
      this.add('unknown-delay', `delay \`${name}\` is not implemented. Add it to setup({ delays }).`);
    }
  }

  private source(src: string): void {
    if (this.of.implementations.actors[src] === undefined) {
      this.add('actor-source', `actor \`${src}\` is not registered. Add it to setup({ actors }).`);
    }
  }

  private noSource(how: string): void {
    this.add(
      'actor-source',
      `${how} actor has no string \`src\`. Register it in setup({ actors }) and spawn it by name, so that it can be found again after a restart.`,
    );
  }

  private id(id: unknown, what: string): void {
    const flaw = flawOfId(id);
    if (flaw !== undefined)
      this.add(
        'actor-without-id',
        `${what} has ${flaw}. Give it an id of its own, so that it has the same address in every replay.`,
      );
  }

  private noSnapshots(): void {
    this.add('snapshot-subscription', subscribedSpawn);
  }
}
