/** Small coordinators, each made with its bug or without, side by side. */
import { assign, enqueueActions, setup, type AnyStateMachine, type EventObject } from 'xstate';
import { coordinator, member, type Coordinator, type JsonValue } from 'troupe';
import { ok, outcomes, protocol, tell, type ProtocolOptions } from 'troupe/check';
import { mutant, type Mutant } from './faulty.ts';

/** What the small machines hear. */
export interface Heard extends EventObject {
  readonly actorId: string;
  readonly output: JsonValue;
  readonly from: string;
  readonly of: number;
}
/** What a guard or an action of theirs is told. */
export interface Args<Context> {
  readonly context: Context;
  readonly event: Heard;
}
interface Small<Context> {
  readonly context: Context;
  readonly states: object;
  /** Members that are asked for at the beginning. */
  readonly asks: readonly string[];
  readonly on?: object;
  readonly output?: (args: { readonly context: Context }) => JsonValue;
}

/** A coordinator that asks for its members first, and then does as its states say. */
export function small<Context extends object>(
  id: string,
  { asks, states, output, ...more }: Small<Context>,
): Coordinator {
  const machine = setup({
    types: {} as { context: Context; events: Heard },
    actors: { member },
    actions: {
      ask: assign(({ spawn }) => {
        for (const one of asks) spawn('member', { id: one, input: {} });
        return {};
      }),
    },
  }).createMachine({
    id,
    entry: 'ask',
    initial: Object.keys(states)[0],
    ...more,
    states: { done: { type: 'final' }, ...states },
    ...(output === undefined ? {} : { output }),
    // States that are put together at run time have no types of their own.
  } as never) as unknown as AnyStateMachine;
  return coordinator(machine);
}

/** An action that changes the context. */
export const set = <Context>(change: (args: Args<Context>) => Partial<Context>) =>
  assign(change as never) as ReturnType<typeof assign>;
/** … that asks for a member. */
export const spawning = (id: string) =>
  assign(({ spawn }: { readonly spawn: unknown }) => {
    (spawn as (src: string, options: object) => void)('member', { id, input: {} });
    return {};
  });
/** … that stops members. */
export const stopping = (...ids: readonly string[]) =>
  enqueueActions(({ enqueue }) => {
    for (const id of ids) enqueue.stopChild(id);
  });
/** … that sets a timer of 10 ms. */
export const raising = (event: object, id: string) =>
  enqueueActions(({ enqueue }) => enqueue.raise(event as never, { id, delay: 10 }));
/** … that cancels one. */
export const cancelling = (id: string) => enqueueActions(({ enqueue }) => enqueue.cancel(id));

/** What else a protocol of one says. */
export type Options = Partial<ProtocolOptions<unknown, JsonValue, { readonly [name: string]: JsonValue }>>;
const one = { '*': outcomes(ok()) };

/** The same protocol with the bug and without. */
export function seeded(
  name: string,
  expected: readonly [foundBy: string, steps: number],
  make: (isBad: boolean) => Coordinator,
  options: Options,
): Mutant {
  return mutant(
    name,
    expected,
    (machine: Coordinator) =>
      protocol({ coordinator: machine as Coordinator<unknown, JsonValue>, input: null, members: one, ...options }),
    [make(true), make(false)],
  );
}

/** The end of the member that most have. */
export const endOfA = 'xstate.done.actor.a';

/** Says that it is ready, and goes on until it is told to go. */
export const ready = setup({}).createMachine({
  id: 'ready',
  initial: 'on',
  entry: tell({ to: 'coordinator', event: { type: 'ready' } }),
  states: { on: { on: { go: 'off' } }, off: { type: 'final' } },
});
