/** Three versions of one machine, as an author would come to them: the same work, other states, other context, one member more. */
import { assign, setup } from 'xstate';
import { checkpoint, coordinator, gate, member, type Coordinator, type JsonValue, type Upgrade } from 'troupe';

/** What the versions are given. */
export interface CollectInput {
  readonly ids: readonly string[];
}

interface Done {
  readonly type: string;
  readonly actorId: string;
  readonly output: JsonValue;
  readonly text: string;
  readonly from: string;
}

const actors = { member };

/** Keeps a list of what came, and a note; ends when all have come. */
export function first(upgrade?: Upgrade): Coordinator<CollectInput, unknown> {
  return coordinator(
    setup({
      types: {} as {
        input: CollectInput;
        context: { ids: readonly string[]; came: readonly JsonValue[]; notes: readonly string[] };
        events: Done;
      },
      actors,
      actions: {
        spawnAll: assign(({ context, spawn }) => {
          for (const id of context.ids) spawn('member', { id, input: { prompt: id } });
          return {};
        }),
        mark: checkpoint(({ context }) => ({
          name: `came ${context.came.length}`,
          settled: context.came.length,
          total: context.ids.length,
        })),
      },
    }).createMachine({
      id: 'collect',
      context: ({ input }) => ({ ids: input.ids, came: [], notes: [] }),
      initial: 'collecting',
      states: {
        collecting: {
          entry: 'spawnAll',
          always: { guard: ({ context }) => context.came.length === context.ids.length, target: 'over' },
          after: { 60_000: 'late' },
          on: {
            'xstate.done.actor.*': {
              actions: [assign({ came: ({ context, event }) => [...context.came, event.output] }), 'mark'],
            },
            'note': { actions: assign({ notes: ({ context, event }) => [...context.notes, event.text] }) },
          },
        },
        late: { type: 'final', output: 'late' },
        over: { type: 'final', output: ({ context }) => context },
      },
      output: ({ event }) => (event as { output?: JsonValue }).output,
    }),
    upgrade,
  );
}

/** Keeps results by id, asks a judge when all have come, and a person after that. */
export function second(upgrade?: Upgrade): Coordinator<CollectInput, unknown> {
  return coordinator(
    setup({
      types: {} as {
        input: CollectInput;
        context: {
          ids: readonly string[];
          results: Readonly<Record<string, JsonValue>>;
          verdict: JsonValue;
          told: readonly string[];
        };
        events: Done;
      },
      actors,
      actions: {
        spawnAll: assign(({ context, spawn }) => {
          for (const id of context.ids) spawn('member', { id, input: { prompt: id } });
          return {};
        }),
        mark: checkpoint(({ context }) => ({
          name: `came ${Object.keys(context.results).length}`,
          settled: 0,
          total: 0,
        })),
        ask: gate({ name: 'ship', question: 'Ship it?' }),
      },
    }).createMachine({
      id: 'collect',
      context: ({ input }) => ({ ids: input.ids, results: {}, verdict: null, told: [] }),
      initial: 'gathering',
      on: {
        'troupe.migrated': { actions: assign({ told: ({ context, event }) => [...context.told, event.from] }) },
      },
      states: {
        gathering: {
          entry: 'spawnAll',
          always: {
            guard: ({ context }) => Object.keys(context.results).length === context.ids.length,
            target: 'judging',
          },
          on: {
            'xstate.done.actor.*': {
              actions: [
                assign({ results: ({ context, event }) => ({ ...context.results, [event.actorId]: event.output }) }),
                'mark',
              ],
            },
          },
        },
        judging: {
          invoke: {
            src: 'member',
            id: 'judge',
            input: { prompt: 'judge' },
            onDone: { target: 'asking', actions: assign({ verdict: ({ event }) => event.output }) },
          },
        },
        asking: { entry: 'ask', on: { approved: 'over' } },
        over: { type: 'final', output: ({ context }) => context },
      },
      output: ({ event }) => (event as { output?: JsonValue }).output,
    }),
    upgrade,
  );
}
