/** A group with the open gate of a nested machine, taken over by another version of its machine. */
import { expect, test } from 'vitest';
import { assign, enqueueActions, setup } from 'xstate';
import {
  coordinator,
  defineProcess,
  openGatesOf,
  readRun,
  verifyRun,
  type Coordinator,
  type JsonValue,
  type Process,
  type Upgrade,
} from 'troupe';
import { asking } from '../support/asking.ts';
import { entriesOf } from '../support/dying-store.ts';
import { driven, killed, stage, tell, type Stage } from '../support/running.ts';
import { settle } from '../support/hand-clock.ts';

/** Has a child at each of these addresses, another one in its place when it is told `again`, and tells what the first came to. */
function version(upgrade: Upgrade | undefined, ...ids: readonly string[]): Coordinator<null, unknown> {
  return coordinator(
    setup({
      types: {} as { events: { readonly type: string; readonly output: JsonValue; readonly child: string } },
      actors: { asking },
      actions: {
        begin: assign(({ spawn }) => {
          for (const id of ids) spawn('asking', { id });
          return {};
        }),
        again: enqueueActions(({ enqueue, event }) => {
          enqueue.stopChild(event.child);
          enqueue.spawnChild('asking', { id: event.child });
        }),
      },
    }).createMachine({
      id: 'askers',
      entry: 'begin',
      initial: 'waiting',
      states: {
        waiting: { on: { 'again': { actions: 'again' }, 'xstate.done.actor.*': 'over' } },
        over: { type: 'final', output: ({ event }) => event.output },
      },
      output: ({ event }) => (event as unknown as { readonly output: JsonValue }).output,
    }),
    upgrade,
  ) as Coordinator<null, unknown>;
}

const process = (machine: Coordinator<null, unknown>): Process<never, unknown> =>
  defineProcess('askers', async (ctx) => await ctx.group('group', machine, null).output);
const first = version(undefined, 'a');
const openIn = async ({ store }: Stage) => {
  const journal = await store.open('run');
  const names = openGatesOf(await readRun(journal)).map(({ name, incarnation }) => `${name} ${incarnation}`);
  await journal.close();
  return names;
};

/** A run of the first version whose asker has been answered once and replaced once. */
async function begun(): Promise<Stage> {
  const play = stage(process(first));
  const { run } = await driven(play);
  await run.answer({ gate: 'a/ship', approved: false, note: '' });
  await settle();
  await tell(run, 'again', { child: 'a' });
  await run.answer({ gate: 'a/ship', approved: false, note: 'first' });
  await settle();
  expect(await openIn(play)).toEqual(['a/ship 2']);
  await run.close();
  return play;
}

const said = [
  ['rejected', 'ship', 'first', 'outside'],
  ['approved', 'ship', 'now', 'outside'],
];

test.for<readonly [string, Upgrade, readonly string[]]>([
  [
    'from its state',
    { version: 'state', migrate: [{ from: first, state: ({ value, context }) => ({ value, context }) }] },
    ['a'],
  ],
  ['from its inputs', { version: 'events', migrate: [{ from: first, events: ({ data }) => data }] }, ['a', 'b']],
])('%s: the gate stays open, once, and whoever asked hears', async ([, upgrade, ids]) => {
  for (let atAppend = 1; ; atAppend += 1) {
    const before = await begun();
    const play = { ...before, process: process(version(upgrade, ...ids)) };
    const died = await killed(play, { atAppend, isWritten: atAppend % 2 === 0 }).catch(() => 'stuck');
    play.store.abandon('run');
    const { run, end: last } = await driven(play);
    expect((await openIn(play)).toSorted()).toEqual(ids.map((id) => (id === 'a' ? 'a/ship 2' : 'b/ship 1')));
    await run.answer({ gate: 'a/ship', approved: true, note: 'now' });
    expect(await last).toEqual({ status: 'completed', output: said });
    await run.close();
    const opened = (await entriesOf(play.store)).filter(({ type }) => type === 'gate.opened');
    expect(opened.map(({ data }) => (data as { readonly by: string }).by).toSorted()).toEqual([
      ...Array.from({ length: 4 }, () => 'a'),
      ...ids.slice(1),
    ]);
    await verifyRun({ store: play.store, run: 'run', process: play.process });
    if (died === 'stuck') return;
  }
});
