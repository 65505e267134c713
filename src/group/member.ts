/**
 * The member: an actor that stands for one harness invocation. It performs nothing. Its input says what is
 * wanted, and it waits to be told how that went; the host does the rest.
 */
import type { ActorLogic, AnyActorScope, EventObject } from 'xstate';
import { toJson, type JsonValue } from '../json.ts';
import type { Invocation, Outcome, PlainError, Progress } from '../harness/port.ts';

/** What a member hears: its settlement and progress from the host, or any message. */
export interface MemberEvent extends EventObject {
  readonly [key: string]: unknown;
}

interface MemberState {
  /** What is wanted of it. */
  readonly input: Invocation;
  /** The last progress that the harness told. */
  readonly progress: Progress | undefined;
  /** Messages received so far. */
  readonly received: number;
}

/** `done` and `error` are settled; `stopped` members are never settled. */
export type MemberSnapshot = MemberState &
  (
    | { readonly status: 'active'; readonly output: undefined; readonly error: undefined }
    | { readonly status: 'done'; readonly output: JsonValue; readonly error: undefined }
    | { readonly status: 'error'; readonly output: undefined; readonly error: PlainError }
    | { readonly status: 'stopped'; readonly output: undefined; readonly error: undefined }
  );

/** Tells a member how its invocation ended. Only the engine sends it. */
export interface Settled extends MemberEvent {
  readonly type: 'troupe.settled';
  readonly outcome: Outcome;
}

/** Tells a member what its harness reported. Only the engine sends it. */
export interface Progressed extends MemberEvent {
  readonly type: 'troupe.progress';
  readonly progress: Progress;
}

/** Actor logic of a member. */
export type MemberLogic = ActorLogic<MemberSnapshot, MemberEvent, Invocation, AnyActorScope['system'], EventObject>;

/** Marks the member, also one made by another copy of this library: two copies must not make it a stranger. */
export const memberMark = Symbol.for('troupe.member');
const marked: object = { [memberMark]: true };

/**
 * The actor to put into `setup({ actors: { member } })`: one child per invocation, spawned by name with an id
 * and an {@link Invocation} as input. Its end reaches the coordinator as `xstate.done.actor.<id>` or
 * `xstate.error.actor.<id>`; stopping it cancels the invocation.
 */
export const member: MemberLogic = {
  ...marked,
  getInitialSnapshot: (scope, input) => ({
    status: 'active',
    output: undefined,
    error: undefined,
    // The parse of a user's payload: the host checks the rest of its shape.
    input: toJson(input ?? {}, `input of member \`${scope.self.id}\``) as Invocation,
    progress: undefined,
    received: 0,
  }),
  transition: memberTransition,
  // Members are plain data all through.
  getPersistedSnapshot: (snapshot) => snapshot,
  restoreSnapshot: (persisted) => persisted as MemberSnapshot,
};

/** How a member changes; it answers nothing and starts nothing. */
export function memberTransition(snapshot: MemberSnapshot, event: MemberEvent): MemberSnapshot {
  if (snapshot.status !== 'active') return snapshot;
  switch (event.type) {
    case 'troupe.progress':
      return progressed(snapshot, (event as Progressed).progress);
    case 'troupe.settled':
      return settled(snapshot, (event as Settled).outcome);
    case 'xstate.stop':
      return { ...snapshot, status: 'stopped' };
    default:
      return event.type.startsWith('xstate.') ? snapshot : heard(snapshot);
  }
}

/** Copies are spelled out: spreading costs more than all else that a member does. */
function heard({
  status,
  output,
  error,
  input,
  progress,
  received,
}: MemberSnapshot & { status: 'active' }): MemberSnapshot {
  return { status, output, error, input, progress, received: received + 1 };
}

function progressed(snapshot: MemberSnapshot & { status: 'active' }, progress: Progress): MemberSnapshot {
  const { status, output, error, input, received } = snapshot;
  return { status, output, error, input, progress, received };
}

function settled(snapshot: MemberSnapshot & { status: 'active' }, outcome: Outcome): MemberSnapshot {
  const { input, progress, received } = snapshot;
  switch (outcome.status) {
    case 'ok':
      return { status: 'done', output: outcome.output, error: undefined, input, progress, received };
    case 'error':
      return { ...snapshot, status: 'error', error: outcome.error };
    case 'cancelled':
      return { ...snapshot, status: 'error', error: { name: 'Cancelled', message: outcome.reason, code: 'CANCELLED' } };
  }
}
