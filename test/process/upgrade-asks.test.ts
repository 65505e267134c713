/** What a machine asks for because its group was taken over: done once, however its hosts die. */
import { assign, setup } from 'xstate';
import { expect, test } from 'vitest';
import {
  checkpoint,
  coordinator,
  gate,
  member,
  verifyRun,
  type Coordinator,
  type JsonValue,
  type Upgrade,
} from 'troupe';
import { ok } from 'troupe/harness';
import { driven, finished, killed, stage, story, type Stage } from '../support/running.ts';
import { begun, collecting, withCode } from '../support/upgrading.ts';
import { first, type CollectInput } from '../support/versions.ts';

test('a machine that hears of its migration may act on it, and what it asks for is done once', async () => {
  const acting = coordinator(
    setup({
      types: {} as { context: { came: readonly string[] }; events: { type: string; actorId: string } },
      actors: { member },
      actions: {
        mark: checkpoint({ name: 'taken over', settled: 0, total: 1 }),
        note: assign({ came: ({ context, event }) => [...context.came, event.actorId] }),
      },
    }).createMachine({
      id: 'collect',
      context: { came: [] },
      initial: 'gathering',
      on: { 'xstate.done.actor.*': { actions: 'note' } },
      states: {
        gathering: { on: { 'troupe.migrated': { target: 'more', actions: 'mark' } } },
        more: {
          invoke: { src: 'member', id: 'extra', input: { prompt: 'extra' } },
          after: { 1_000: 'over' },
        },
        over: { type: 'final', output: ({ context }) => context.came },
      },
      output: ({ event }) => (event as { output?: JsonValue }).output,
    }),
    { version: 'acting', migrate: [{ from: first(), state: () => ({ value: 'gathering', context: { came: [] } }) }] },
  ) as unknown as Coordinator<CollectInput, unknown>;
  for (let atAppend = 1; ; atAppend += 1) {
    const play = await begun();
    const upgraded = withCode(play, collecting(acting));
    const script = { a: ok('A'), b: ok('B'), c: ok('C'), extra: ok('E') } as const;
    const dying: Stage = { ...upgraded, harness: stage(upgraded.process, script).harness };
    const end = await killed(dying, { atAppend, isWritten: atAppend % 2 === 0 });
    const last = end ?? (await finished(dying));
    expect(last).toMatchObject({ status: 'completed' });
    expect((last as { readonly output: readonly string[] }).output.toSorted()).toEqual(['b', 'c', 'extra']);
    const lines = await story(play, 'group:group', ['name', 'member', 'attempt']);
    expect(lines.filter((line) => /^(checkpoint taken over|group.migrated)/.test(line))).toEqual([
      'group.migrated',
      'checkpoint taken over',
    ]);
    const starts = lines.filter((line) => line.startsWith('attempt.started extra'));
    expect(starts).toEqual([...new Set(starts)]);
    await verifyRun({ store: play.store, run: 'run', process: upgraded.process });
    if (end !== undefined) break;
  }
});

test('what the new version would have asked for on the way is asked for, once', async () => {
  const waits = (version: string, entry: readonly string[], upgrade: Upgrade = {}) =>
    coordinator(
      setup({
        actors: { member },
        actions: {
          ask: gate({ name: 'ship', question: 'Ship it?' }),
          mark: checkpoint({ name: 'begun', settled: 0, total: 1 }),
          also: checkpoint({ name: 'also', settled: 0, total: 1 }),
        },
      }).createMachine({
        id: 'waits',
        initial: 'asking',
        states: { asking: { entry: entry as never, on: { approved: 'over' } }, over: { type: 'final' } },
      }),
      { version, ...upgrade },
    ) as Coordinator<CollectInput, unknown>;
  const older = waits('1', ['mark']);
  const play = stage(collecting(older));
  await (await driven(play)).run.close();
  // The gate comes before the checkpoint now: under other ids than those that are recorded.
  const newer = waits('2', ['ask', 'mark', 'also'], { migrate: [{ from: '1', events: ({ data }) => data }] });
  for (let time = 0; time < 2; time += 1) await (await driven(withCode(play, collecting(newer)))).run.close();
  const { run, end } = await driven(withCode(play, collecting(newer)));
  await run.answer({ gate: 'ship', approved: true, note: '' });
  expect(await end).toMatchObject({ status: 'completed' });
  await run.close();
  const asked = (await story(play, 'group:group', ['name'])).filter((line) => /^(checkpoint|gate.opened)/.test(line));
  expect(asked).toEqual(['checkpoint begun', 'gate.opened ship', 'checkpoint also']);
});
