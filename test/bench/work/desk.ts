/**
 * The coordinator that benches replay: a desk with members that work until they settle, and are then asked again; it
 * takes notes of what it is sent.
 */
import { assign, setup, spawnChild, stopChild } from 'xstate';
import { coordinator } from '../../../src/group/coordinator.ts';
import { member } from '../../../src/group/member.ts';

/** Input of {@link desk}. */
export interface DeskInput {
  /** They are called `member-1`, `member-2` … . */
  readonly members: number;
  /** Harness of the members. */
  readonly harness?: string;
}

interface DeskContext extends DeskInput {
  readonly notes: number;
  readonly lastNote: string;
  readonly settled: number;
}

type DeskEvent =
  | { readonly type: 'note'; readonly text?: string; readonly body?: unknown }
  | { readonly type: 'review' }
  | { readonly type: 'close' }
  | { readonly type: 'member-done'; readonly actorId: string };

/** Name of a member. */
export const memberId = (number: number) => `member-${number}`;

/** The machine itself, as a live rival runs it. */
export const deskMachine = setup({
  types: {} as { input: DeskInput; context: DeskContext; events: DeskEvent },
  actors: { member },
  actions: {
    spawnAll: assign(({ context, spawn }) => {
      for (let number = 1; number <= context.members; number += 1) {
        const harness = context.harness === undefined ? {} : { harness: context.harness };
        spawn('member', { id: memberId(number), input: { ...harness, prompt: `part ${number}` } });
      }
      return {};
    }),
    takeNote: assign(({ context, event }) => ({
      notes: context.notes + 1,
      lastNote: event.type === 'note' ? (event.text ?? String(event.body)) : context.lastNote,
    })),
    tally: assign(({ context }) => ({ settled: context.settled + 1 })),
    letGo: stopChild(({ event }) => (event as { readonly actorId: string }).actorId),
    askAgain: spawnChild('member', {
      id: ({ event }) => (event as { readonly actorId: string }).actorId,
      input: { prompt: 'once more' },
    }),
  },
}).createMachine({
  id: 'desk',
  context: ({ input }) => ({ ...input, notes: 0, lastNote: '', settled: 0 }),
  entry: 'spawnAll',
  initial: 'open',
  on: {
    'xstate.done.actor.*': { actions: ['tally', 'letGo', 'askAgain'] },
    'xstate.error.actor.*': { actions: ['tally', 'letGo', 'askAgain'] },
    'close': '.closed',
  },
  states: {
    open: { on: { note: { actions: 'takeNote' }, review: 'reviewing' } },
    reviewing: { on: { note: { actions: 'takeNote' }, review: 'open' } },
    closed: { type: 'final' },
  },
});

/** The same, as a group's coordinator. */
export const desk = coordinator(deskMachine);
