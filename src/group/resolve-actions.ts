/** XState's resolveActionsAndContext: what the actions of one microstep come to, in order. */
import { setOwn } from '../json.ts';
import type { AnyActorLogic, AnyActorRef, AnyActorScope } from 'xstate';
import type { AnyAction, Arguments, Builtin, State } from './chart-types.ts';
import { makeChild } from './ref.ts';
import type { Action, Heard } from './snapshot.ts';

/** Resolves a list of actions; what they ask for goes to the scope's executor. `invoked` are the actors that the entered state is about to start. */
export function resolveActions(
  state: State,
  event: Heard,
  scope: AnyActorScope,
  actions: readonly AnyAction[],
  queue: Heard[],
  invoked: readonly string[] | undefined,
): State {
  if (actions.length === 0) return state;
  const asked: Asked = { queue, invoked, retries: undefined };
  const resolved = resolveEach(state, event, scope, actions, asked);
  if (asked.retries !== undefined)
    for (const { builtin, params } of asked.retries) builtin.retryResolve?.(scope, resolved, params);
  return resolved;
}

/** What goes with a list of actions. */
interface Asked {
  readonly queue: Heard[];
  readonly invoked: readonly string[] | undefined;
  /** To be resolved again when all are. */
  retries: { readonly builtin: Builtin; readonly params: unknown }[] | undefined;
}

function resolveEach(
  before: State,
  event: Heard,
  scope: AnyActorScope,
  actions: readonly AnyAction[],
  asked: Asked,
): State {
  let state = before;
  for (const action of actions) {
    const isInline = typeof action === 'function';
    const name = isInline ? action.name : typeof action === 'string' ? action : action.type;
    const builtin = isInline ? action : state.machine.implementations.actions[name];
    const args: Arguments = { context: state.context, event, self: scope.self, system: scope.system };
    const given =
      isInline || typeof action === 'string' ? undefined : paramsOf(action, { context: state.context, event });
    if (builtin?.resolve === undefined) {
      execute(scope, { type: name === '' ? '(anonymous)' : name, params: given, exec: builtin });
    } else if (builtin.type === 'xstate.assign') {
      state = assign(state, args, given, builtin.assignment, scope);
    } else if (builtin.type === 'xstate.stopChild' && builtin.actorRef !== undefined) {
      const ref = childOf(state, args, given, builtin.actorRef);
      // Another snapshot in any case, as in XState: that is how it tells that an eventless transition has done something.
      const children = ref === undefined ? state.children : withoutChild(state.children, ref.id);
      state = changed(state, state.context, children, state);
      execute(scope, { type: builtin.type, params: ref });
    } else {
      const child =
        builtin.type === 'xstate.spawnChild'
          ? spawnChildOf(state, args, builtin as unknown as SpawnChild, scope)
          : undefined;
      if (child !== undefined) {
        state = changed(state, state.context, withChild(state.children, child.id, child.ref), state);
        execute(scope, { type: builtin.type, params: { actorRef: child.ref } });
        continue;
      }
      const extra = { internalQueue: asked.queue, deferredActorIds: asked.invoked };
      const [next, params, more] = builtin.resolve(scope, state, args, given, builtin, extra);
      state = next;
      if (builtin.retryResolve !== undefined && asked.invoked !== undefined)
        (asked.retries ??= []).push({ builtin, params });
      if (builtin.execute !== undefined) execute(scope, { type: builtin.type, params });
      if (more !== undefined) state = resolveEach(state, event, scope, more, asked);
    }
  }
  return state;
}

function childOf(state: State, args: Arguments, params: unknown, named: unknown): AnyActorRef | undefined {
  const target = typeof named === 'function' ? (named(args, params) as unknown) : named;
  // XState takes an id, a ref, or a function that gives one; for no actor it takes all that is falsy.
  return typeof target === 'string' ? state.children[target] : ((target || undefined) as AnyActorRef | undefined);
}

/** XState touch point: spawnChild's parameters. */
interface SpawnChild {
  readonly src: string | AnyActorLogic;
  readonly id?: unknown;
  readonly systemId?: string;
  readonly input?: unknown;
  readonly syncSnapshot?: boolean;
}

/** What a spawnChild comes to in the plain case: a registered actor by name. Undefined: ask XState. */
function spawnChildOf(
  state: State,
  args: Arguments,
  { src, id, systemId, input, syncSnapshot }: SpawnChild,
  scope: AnyActorScope,
): { readonly id: string; readonly ref: AnyActorRef } | undefined {
  if (typeof src !== 'string' || systemId !== undefined || syncSnapshot === true) return undefined;
  const logic = state.machine.implementations.actors[src];
  if (logic === undefined) return undefined;
  const { self } = scope;
  // As XState does: an id of another type is refused by the turn that makes the actor.
  const named = (typeof id === 'function' ? (id as (given: Arguments) => unknown)(args) : id) as string;
  const given =
    typeof input === 'function'
      ? (input as (of: object) => unknown)({ context: state.context, event: args.event, self })
      : input;
  const ref = makeChild(logic, { id: named, parent: self, src, syncSnapshot, systemId, input: given });
  return { id: named, ref };
}

/** A copy key by key: spreading and deleting, as XState does, costs ten times as much from some hundred children on. */
function withoutChild(children: State['children'], id: string): State['children'] {
  const copy: Record<string, AnyActorRef> = {};
  for (const key of Object.keys(children)) if (key !== id) setOwn(copy, key, children[key]);
  return copy;
}

/** As {@link withoutChild}. */
function withChild(children: State['children'], id: string, ref: AnyActorRef): State['children'] {
  const copy: Record<string, AnyActorRef> = {};
  for (const key of Object.keys(children)) setOwn(copy, key, children[key]);
  setOwn(copy, id, ref);
  return copy;
}

/** As {@link withoutChild}. */
function withChildren(children: State['children'], spawned: State['children']): State['children'] {
  const copy: Record<string, AnyActorRef> = {};
  for (const key of Object.keys(children)) setOwn(copy, key, children[key]);
  for (const key of Object.keys(spawned)) setOwn(copy, key, spawned[key]);
  return copy;
}

/** The kernel's executor reads no more of an action. */
function execute(scope: AnyActorScope, action: Action): void {
  scope.actionExecutor(action as Parameters<AnyActorScope['actionExecutor']>[0]);
}

function assign(state: State, args: Arguments, params: unknown, assignment: unknown, scope: AnyActorScope): State {
  let spawned: Record<string, AnyActorRef> | undefined;
  const spawn = (src: string | AnyActorLogic, options?: SpawnOptions) => {
    const ref = spawnActor(state, args, scope, src, options);
    setOwn((spawned ??= {}), ref.id, ref);
    scope.defer(() => ref.start());
    return ref;
  };
  const given = { context: state.context, event: args.event, spawn, self: args.self, system: args.system };
  let update: object = {};
  if (typeof assignment === 'function') {
    update = assignment(given, params) as object;
  } else {
    const values: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(assignment as object))
      values[key] = typeof value === 'function' ? value(given, params) : value;
    update = values;
  }
  const context = Object.assign({}, state.context, update);
  return changed(state, context, spawned === undefined ? state.children : withChildren(state.children, spawned), state);
}

/** A changed copy, spelled out in XState's order of fields: spreading one costs more than all else that an event does. */
export function changed(
  state: State,
  context: object,
  children: State['children'],
  { _nodes, value, tags }: Pick<State, '_nodes' | 'value' | 'tags'>,
): State {
  const { status, output, error, machine, historyValue, matches, hasTag, can, getMeta, toJSON } = state;
  return {
    status,
    output,
    error,
    machine,
    context,
    _nodes,
    value,
    tags,
    children,
    historyValue,
    matches,
    hasTag,
    can,
    getMeta,
    toJSON,
  };
}

interface SpawnOptions {
  readonly id?: string;
  readonly systemId?: string;
  readonly input?: unknown;
  readonly syncSnapshot?: boolean;
}

function spawnActor(
  { machine }: State,
  { context, event }: Arguments,
  scope: AnyActorScope,
  src: string | AnyActorLogic,
  options: SpawnOptions = {},
): AnyActorRef {
  const { id, systemId, input, syncSnapshot } = options;
  const logic = typeof src === 'string' ? machine.implementations.actors[src] : src;
  if (logic === undefined)
    throw new Error(`Actor logic '${typeof src === 'string' ? src : ''}' not implemented in machine '${machine.id}'`);
  return makeChild(logic, {
    id,
    parent: scope.self,
    syncSnapshot,
    input: typeof src === 'string' && typeof input === 'function' ? input({ context, event, self: scope.self }) : input,
    src,
    systemId,
  });
}

/** Parameters of a guard or action that was given by name. */
export function paramsOf(parameterized: { readonly params?: unknown }, args: object): unknown {
  const { params } = parameterized;
  return typeof params === 'function' ? params(args) : params;
}
