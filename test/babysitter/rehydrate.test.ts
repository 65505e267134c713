/** A group that is made again of its control events hears what it has heard, once. */
import { expect, test } from 'vitest';
import { assign, setup } from 'xstate';
import { coordinator, defineProcess, gate, member, type Coordinator, type JsonValue, type Process } from 'troupe';
import { ok, scripted } from 'troupe/harness';
import { pipeline, withMachines } from 'troupe/machines';
import { groupEventsIn, type GroupEvent } from '../../src/babysitter/group-events.ts';
import { mirrorOf } from '../../src/babysitter/mirror.ts';
import { rehydrate } from '../../src/babysitter/rehydrate.ts';
import { openRunFolder } from '../../src/babysitter/run/run-folder.ts';
import { entriesOf, memoryStore } from '../support/dying-store.ts';
import { settle } from '../support/hand-clock.ts';
import { driven, open, stage } from '../support/running.ts';
import { newRunDir, temporary } from './place.ts';

/** Has `w` work, and asks until the answer is yes. */
const careful = coordinator(
  setup({
    types: {} as {
      context: { readonly heard: readonly string[] };
      events: { readonly type: string; readonly note: string };
    },
    actors: { member },
    actions: {
      ask: gate({ name: 'ship', question: 'Ship it?' }),
      note: assign({ heard: ({ context, event }) => [...context.heard, `${event.type} ${event.note}`] }),
    },
  }).createMachine({
    id: 'careful',
    context: { heard: [] },
    initial: 'working',
    states: {
      working: { invoke: { src: 'member', id: 'w', input: { prompt: 'work' }, onDone: 'asking' } },
      asking: {
        entry: 'ask',
        on: {
          approved: { actions: 'note', target: 'over' },
          rejected: { actions: 'note', target: 'asking', reenter: true },
        },
      },
      over: { type: 'final' },
    },
    output: ({ context }) => context.heard,
  }),
);

const nested = withMachines(pipeline, { careful }) as unknown as Coordinator<JsonValue, { readonly output: JsonValue }>;

const own = defineProcess('own', async (ctx) => await ctx.group('group', careful, undefined).output);
const below = defineProcess('nested', async (ctx) => {
  const steps = [{ id: 'in', machine: 'careful' }];
  return (await ctx.group('group', nested, { steps }).output).output;
});

/** As hosts wrote them that told an answer, and besides what the coordinator had heard of it. */
const withSignals = (events: readonly GroupEvent[]): readonly GroupEvent[] =>
  events.flatMap((event) => {
    if (!event.eventId.startsWith('gate:')) return [event];
    const body = { type: 'rejected', gate: 'ship', note: 'first', by: 'outside' };
    const data = { messageId: 'gate 99:0', from: 'outside', to: 'coordinator', type: 'rejected', body };
    return [
      event,
      { ...event, eventId: 'signal:gate 99:0', data: { ...event.data, gate: undefined, ...data } as never },
    ];
  });

test.for<readonly [string, Process<never, unknown>, string, boolean]>([
  ['the coordinator', own, 'ship', false],
  ['the coordinator, in older events,', own, 'ship', true],
  ['a nested machine', below, 'in/ship', false],
])('an answer of %s is heard once more, and not twice', async ([, process, name, older]) => {
  const play = stage(process, { '*': ok('done') });
  const { run } = await driven(play);
  await run.answer({ gate: name, approved: false, note: 'first' });
  await settle();
  await run.stop('for now');
  await run.close();
  const folder = openRunFolder(await newRunDir(temporary()));
  const mirror = mirrorOf({ folder, name: 'group', groupId: 'grp_1', created: {}, spill: (value) => value });
  for (const entry of await entriesOf(play.store)) if (entry.stream === 'group:group') mirror.take(entry);
  await mirror.flushed();
  const events = groupEventsIn(folder.events(), 'grp_1');

  const again = { ...play, store: memoryStore() };
  const options = { ...again, run: 'run', harnesses: { scripted: scripted() }, defaultHarness: 'scripted' };
  const told = await rehydrate(options, 'group', older ? withSignals(events) : events, (value) => value);
  expect(told).toBe(2);
  const other = await open(again);
  const end = other.drive();
  await settle();
  await other.answer({ gate: name, approved: true, note: 'second' });
  expect(await end).toEqual({ status: 'completed', output: ['rejected first', 'approved second'] });
  await other.close();
});
