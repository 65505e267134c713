/** Two-phase commit as one machine, for tools that explore one machine: every actor and the messages are in its context. */
import { assign, setup, type AnyStateMachine } from 'xstate';

type Manager = 'aborted' | 'committed' | 'prepared' | 'working';
interface All {
  readonly tm: 'aborted' | 'committed' | 'init';
  readonly prepared: readonly boolean[];
  readonly rm: readonly Manager[];
  /** Who has said that it is prepared; and what was decided. */
  readonly said: readonly boolean[];
  readonly decided: 'abort' | 'commit' | 'none';
}

/** The machine, and the events that it can meet. */
export function flatTwoPhaseCommit(count: number): {
  readonly machine: AnyStateMachine;
  readonly events: readonly { readonly type: string; readonly rm: number }[];
} {
  const flags = Array.from({ length: count }, () => false);
  const machine = setup({
    types: {} as { context: All; events: { readonly type: string; readonly rm: number } },
  }).createMachine({
    id: 'flat',
    context: { tm: 'init', prepared: flags, rm: flags.map(() => 'working' as const), said: flags, decided: 'none' },
    on: {
      hear: {
        guard: ({ context, event }) => context.tm === 'init' && (context.said[event.rm] as boolean),
        actions: assign(({ context, event }) => ({ prepared: context.prepared.with(event.rm, true) })),
      },
      commit: {
        guard: ({ context }) => context.tm === 'init' && context.prepared.every(Boolean),
        actions: assign({ tm: 'committed', decided: 'commit' }),
      },
      abort: { guard: ({ context }) => context.tm === 'init', actions: assign({ tm: 'aborted', decided: 'abort' }) },
      prepare: {
        guard: ({ context, event }) => context.rm[event.rm] === 'working',
        actions: assign(({ context, event }) => ({
          rm: context.rm.with(event.rm, 'prepared'),
          said: context.said.with(event.rm, true),
        })),
      },
      choose: {
        guard: ({ context, event }) => context.rm[event.rm] === 'working',
        actions: assign(({ context, event }) => ({ rm: context.rm.with(event.rm, 'aborted') })),
      },
      obey: {
        guard: ({ context }) => context.decided !== 'none',
        actions: assign(({ context, event }) => ({
          rm: context.rm.with(event.rm, context.decided === 'commit' ? 'committed' : 'aborted'),
        })),
      },
    },
  });
  const each = ['hear', 'prepare', 'choose', 'obey'].flatMap((type) => flags.map((_, rm) => ({ type, rm })));
  const events = [...each, { type: 'commit', rm: 0 }, { type: 'abort', rm: 0 }];
  return { machine: machine as unknown as AnyStateMachine, events };
}
