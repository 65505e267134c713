/** Messages for a run that no host drives reach whom a host would have let them reach. */
import { expect, test } from 'vitest';
import { setup } from 'xstate';
import { coordinator, defineProcess, member, sendUnattended } from 'troupe';
import { hold } from 'troupe/harness';
import { settle } from '../support/hand-clock.ts';
import { driven, stage } from '../support/running.ts';

test('a nested coordinator is spoken to by its address', async () => {
  const inner = setup({ actors: { member } }).createMachine({
    id: 'inner',
    initial: 'working',
    states: {
      working: { invoke: { src: 'member', id: 'one', input: {} }, on: { enough: 'over' } },
      over: { type: 'final' },
    },
  });
  const outer = coordinator(
    setup({ actors: { inner } }).createMachine({
      id: 'outer',
      initial: 'on',
      states: { on: { invoke: { src: 'inner', id: 'team', onDone: 'over' } }, over: { type: 'final' } },
    }),
  );
  const play = stage(
    defineProcess('nested', async (ctx) => ctx.group('group', outer, null).output),
    { '*': hold },
  );
  await (await driven(play)).run.close();
  const { store, clock } = play;
  const letter = { id: 'letter', to: 'team', type: 'enough' };
  expect(await sendUnattended({ store, clock, run: 'run', group: 'group', letter })).toEqual(['team']);
  await expect(
    sendUnattended({ store, clock, run: 'run', group: 'group', letter: { ...letter, to: 'tem' } }),
  ).rejects.toThrow('Members: team::one, team. Did you mean `team`?');
  const { run, end } = await driven(play);
  await settle();
  expect(await end).toMatchObject({ status: 'completed' });
  await run.close();
});
