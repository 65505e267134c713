/**
 * Refs: the Actor objects that XState makes for children. Between us and XState they carry identity and nothing
 * else. All branches of a system share them, so what they answer comes from the turn that asks.
 */
import { Actor, createActor, type AnyActorLogic, type AnyActorRef, type AnyActorScope } from 'xstate';
import { TroupeError } from '../error.ts';
import type { Key } from './cell.ts';
import type { AnySnapshot } from './snapshot.ts';
import type { Compiled } from './logic.ts';

const keySymbol = Symbol('troupe.key');

/** What XState and authors' functions can ask of the turn that is running. */
export interface Stage {
  /** XState is making this actor: work out its first snapshot. */
  create(logic: Compiled, ref: AnyActorRef, input: unknown): AnySnapshot;
  start(ref: AnyActorRef): void;
  readonly roster: {
    snapshotOf(ref: AnyActorRef): AnySnapshot;
    systemIds(): ReadonlyMap<string, AnyActorRef>;
    setSystemId(systemId: string, ref: AnyActorRef): void;
    unsetSystemId(ref: AnyActorRef): void;
  };
  microstep(): void;
  /** An actor is being made of logic that nobody registered; it would really run. */
  refuseInline(ref: AnyActorRef): never;
}

let current: Stage | undefined;

/** Makes `stage` the running turn, until {@link leave}. Turns do not nest: no author's function may fold. */
export function enter(stage: Stage): void {
  if (current !== undefined)
    throw new TroupeError('BAD_INPUT', 'step was called from inside a machine, while a turn is folded');
  current = stage;
}

/** No turn is running any more. */
export function leave(): void {
  current = undefined;
}

/** The running turn. */
export function stage(): Stage {
  if (current === undefined) {
    throw new TroupeError(
      'BAD_INPUT',
      'an actor ref of a group means something only while a turn is folded: ask snapshotAt(system, address) instead',
    );
  }
  return current;
}

/** Logics that only stand for a registered one; all others would run by themselves. */
const adapters = new WeakSet<object>();

/** Declares that this logic performs nothing. */
export function asAdapter(logic: AnyActorLogic): AnyActorLogic {
  adapters.add(logic);
  return logic;
}

function isAdapter(logic: object): boolean {
  return adapters.has(logic);
}

/** Identity of a ref; undefined for actors that are not of a group. */
export function keyOf(ref: AnyActorRef): Key | undefined {
  return (ref as AnyActorRef & { readonly [keySymbol]?: Key })[keySymbol];
}

/** What actors that were given no id are called by XState: their session id, which we make this. */
export const generatedId = '\u0000';

const refuse = (what: string) => () => {
  throw new TroupeError(
    'MACHINE_UNSUPPORTED',
    `${what} is a side effect: use the actions sendTo, spawnChild, stopChild and emit, so that a replay can leave them out`,
  );
};

const refuseSend = refuse('actor.send()');

/** Shared behaviour of all refs; still an Actor by `instanceof`. */
const inert: object = Object.create(Actor.prototype, {
  getSnapshot: {
    value(this: AnyActorRef) {
      return stage().roster.snapshotOf(this);
    },
  },
  getPersistedSnapshot: { value: refuse('actor.getPersistedSnapshot()') },
  start: {
    value(this: AnyActorRef) {
      stage().start(this);
      return this;
    },
  },
  stop: { value: refuse('actor.stop()') },
  subscribe: { value: refuse('actor.subscribe()') },
  on: { value: refuse('actor.on()') },
});

/**
 * Turns an Actor that XState has just made into an inert ref. XState touch point: the dropped fields are private; they
 * are two thirds of an Actor's memory, and nothing reads them once the methods above have gone.
 */
export function adopt(ref: AnyActorRef, key: Key): void {
  const actor = ref as unknown as Record<PropertyKey, unknown>;
  if (ref instanceof ChildRef) {
    actor[keySymbol] = key;
    actor['sessionId'] = `${key.place.address}#${key.incarnation}`;
    return;
  }
  Object.setPrototypeOf(actor, inert);
  // Own properties are overwritten, not deleted: deleting would make each ref a slow dictionary.
  actor['send'] = refuseSend;
  actor[keySymbol] = key;
  actor['system'] = groupSystem;
  actor['sessionId'] = `${key.place.address}#${key.incarnation}`;
}

/** What an actor is made with. */
export interface ChildOptions {
  readonly id: string | undefined;
  readonly parent: AnyActorRef;
  readonly src: unknown;
  readonly systemId: string | undefined;
  readonly syncSnapshot: boolean | undefined;
  readonly input: unknown;
}

/** XState touch point: what is read of a child's Actor once it is a ref, without all that its constructor makes to run it. */
class ChildRef {
  readonly logic: AnyActorLogic;
  readonly id: string;
  readonly _parent: AnyActorRef;
  readonly src: unknown;
  readonly _syncSnapshot: boolean | undefined;
  readonly systemId = undefined;
  readonly sessionId = '';
  readonly system: unknown;
  readonly send = refuseSend;
  readonly _processingStatus = 0;
  readonly ref = this;
  readonly [keySymbol]: Key | undefined = undefined;

  constructor(logic: AnyActorLogic, id: string, { parent, src, syncSnapshot }: ChildOptions) {
    this.logic = logic;
    this.id = id;
    this._parent = parent;
    this.src = src;
    this._syncSnapshot = syncSnapshot;
    this.system = groupSystem;
  }
}
Object.setPrototypeOf(ChildRef.prototype, inert);

/** Makes a child as XState's createActor does, which is asked where there is more to it than an id. */
export function makeChild(logic: AnyActorLogic, options: ChildOptions): AnyActorRef {
  const { id, systemId, input } = options;
  if (typeof id !== 'string' || systemId !== undefined || !isAdapter(logic)) {
    // `parent` and the like are XState's own options, not in its types.
    return createActor(logic, options as Parameters<typeof createActor>[1]) as AnyActorRef;
  }
  const ref = new ChildRef(logic, id, options) as unknown as AnyActorRef;
  // Of its scope an adapter reads only whose it is; the running turn keeps the snapshot.
  logic.getInitialSnapshot({ self: ref } as AnyActorScope, input);
  return ref;
}

/** Drops what the Actor's constructor made for running it. Only after the constructor has returned. */
export function strip(ref: AnyActorRef): void {
  if (ref instanceof ChildRef) return;
  const actor = ref as unknown as Record<string, unknown>;
  for (const field of [
    'mailbox',
    'observers',
    'eventListeners',
    '_deferred',
    '_actorScope',
    '_snapshot',
    'options',
    'clock',
    'logger',
  ]) {
    actor[field] = undefined;
  }
}

/**
 * The actor system that machines see. One for all groups: it answers from the running turn. Only what XState's
 * transitions and constructors ask is there (facts/xstate.md 8.2), hence the cast.
 */
export const groupSystem = {
  get: (systemId: string) => stage().roster.systemIds().get(systemId),
  getAll: () => Object.fromEntries(stage().roster.systemIds()),
  inspect: refuse('system.inspect()'),
  _bookId: () => generatedId,
  _register: (sessionId: string) => sessionId,
  _unregister: (ref: AnyActorRef) => stage().roster.unsetSystemId(ref),
  _set: (systemId: string, ref: AnyActorRef) => stage().roster.setSystemId(systemId, ref),
  _sendInspectionEvent: (event: { readonly type: string; readonly actorRef?: AnyActorRef }) => {
    if (event.type === '@xstate.microstep') stage().microstep();
    // Told by the constructor before it asks the logic for anything.
    else if (
      event.type === '@xstate.actor' &&
      event.actorRef !== undefined &&
      !isAdapter((event.actorRef as AnyActorRef & { readonly logic: object }).logic)
    )
      stage().refuseInline(event.actorRef);
  },
  _relay: refuseSend,
  _clock: { setTimeout: refuse('system.clock'), clearTimeout: refuse('system.clock') },
  _logger: () => {},
} as unknown as AnyActorScope['system'];
