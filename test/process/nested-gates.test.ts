/** Gates that a machine below the coordinator opens: whoever asked hears the answer. */
import { describe, expect, test } from 'vitest';
import { answerUnattended, defineProcess, forkRun, retryRun, verifyRun, type JsonValue, type Process } from 'troupe';
import { fail, ok } from 'troupe/harness';
import { escalation, pipeline, withMachines, type PipelineInput } from 'troupe/machines';
import { asking } from '../support/asking.ts';
import { entriesOf } from '../support/dying-store.ts';
import { settle } from '../support/hand-clock.ts';
import { dataOf, openIn, yes } from '../support/nested-gates.ts';
import { driven, finished, killed, open, stage } from '../support/running.ts';

const composed = withMachines(pipeline, { escalation, asking });
const running = (...steps: PipelineInput['steps']): Process<never, unknown> =>
  defineProcess('nested', async (ctx) => await ctx.group('group', composed, { steps }).output);
const fix = {
  id: 'fix',
  machine: 'escalation',
  input: { levels: [{ id: 'ship', gate: { question: 'Ship it?' } }] },
};
const both = running({ id: 'ask', members: ['a', 'b'].map((id) => ({ id, machine: 'asking' })) });

describe('whoever asked hears the answer', () => {
  test.for([true, false])('an escalation in a pipeline: %s', async (approved) => {
    const play = stage(running(fix));
    const { run, end } = await driven(play);
    await run.answer({ gate: 'fix/ship', approved, note: 'seen' });
    expect(await end).toMatchObject({ status: 'completed', output: { output: { accepted: approved, note: 'seen' } } });
    await run.close();
    expect(await dataOf(play, 'gate.opened')).toMatchObject([{ name: 'fix/ship', by: 'fix', incarnation: 1 }]);
    expect(await dataOf(play, 'signal')).toMatchObject([
      { to: { address: 'fix', incarnation: 1 }, event: { gate: 'ship', note: 'seen', by: 'outside' } },
    ]);
    expect(await dataOf(play, 'letter.dead')).toEqual([]);
    await verifyRun({ store: play.store, run: 'run', process: play.process });
  });

  test('two that call their gates alike, each its own, round by round', async () => {
    const play = stage(both);
    const { run, end } = await driven(play);
    expect(await openIn(play)).toEqual(['ask%2Fa/ship', 'ask%2Fb/ship']);
    await expect(run.answer(yes('ship'))).rejects.toThrow('open gates: ask%2Fa/ship, ask%2Fb/ship');
    await run.answer({ gate: 'ask%2Fb/ship', approved: false, note: 'not b' });
    await run.answer({ gate: 'ask%2Fa/ship', approved: true, note: 'a' });
    await settle();
    expect(await openIn(play)).toEqual(['ask%2Fb/ship']);
    await run.answer({ group: 'group', gate: 'ask%2Fb/ship', approved: true, note: 'b' });
    expect(await end).toMatchObject({
      output: {
        output: [
          { id: 'a', output: [['approved', 'ship', 'a', 'outside']] },
          {
            id: 'b',
            output: [
              ['rejected', 'ship', 'not b', 'outside'],
              ['approved', 'ship', 'b', 'outside'],
            ],
          },
        ],
      },
    });
    await run.close();
    await verifyRun({ store: play.store, run: 'run', process: play.process });
  });

  test('a machine two levels down, and the process answers, round by round', async () => {
    const process = defineProcess('deep', async (ctx) => {
      const deep = withMachines(pipeline, { inner: withMachines(pipeline, { asking }) });
      const steps = [{ id: 'in', machine: 'inner', input: { steps: [{ id: 'ask', machine: 'asking' }] } }];
      const group = ctx.group('group', deep, { steps });
      let round = 0;
      for await (const { name } of group.checkpoints) {
        if (name !== 'asked') continue;
        round += 1;
        await group.approve('in::ask/ship', { reject: round < 2, note: `${round}`, round });
      }
      return (await group.output).output;
    });
    for (let atAppend = 1; ; atAppend += 1) {
      const play = stage(process);
      const end = await killed(play, { atAppend, isWritten: atAppend % 2 === 0 });
      expect(end ?? (await finished(play))).toMatchObject({
        output: {
          output: [
            ['rejected', 'ship', '1', 'process'],
            ['approved', 'ship', '2', 'process'],
          ],
        },
      });
      expect(await dataOf(play, 'gate.answered')).toHaveLength(2);
      await verifyRun({ store: play.store, run: 'run', process });
      if (end !== undefined) break;
    }
  });

  test.for([true, false])('wherever the host is killed (written: %s), and once', async (isWritten) => {
    for (let atAppend = 1; atAppend < 40; atAppend += 1) {
      const play = stage(running(fix, { id: 'after', machine: 'asking' }), undefined, { snapshotEvery: 1 });
      const died = await killed(play, { atAppend, isWritten }).catch(() => 'stuck');
      play.store.abandon('run');
      const run = await open(play);
      const end = run.drive();
      await settle();
      await run.answer(yes('fix/ship')).catch(() => {});
      await settle();
      await run.answer(yes('after/ship')).catch(() => {});
      expect(await end).toMatchObject({ output: { output: [['approved', 'ship', '', 'outside']] } });
      await run.close();
      expect(await dataOf(play, 'gate.opened')).toHaveLength(2);
      expect(await dataOf(play, 'letter.dead')).toEqual([]);
      await verifyRun({ store: play.store, run: 'run', process: play.process });
      if (died === 'stuck') return;
    }
    throw new Error('the host never got as far as the gate');
  });

  test('answered while nobody drives the run', async () => {
    const play = stage(both);
    const { run } = await driven(play);
    await run.stop('for now');
    await run.close();
    const { store } = play;
    const gate = await answerUnattended({ store, run: 'run', answer: yes('ask%2Fb/ship') });
    expect(gate).toMatchObject({ name: 'ask%2Fb/ship', by: 'ask/b', group: 'group' });
    expect(await openIn(play)).toEqual(['ask%2Fa/ship']);
    const again = await driven(play);
    await again.run.answer(yes('ask%2Fa/ship'));
    expect(await again.end).toMatchObject({ status: 'completed' });
    await again.run.close();
    await verifyRun({ store, run: 'run', process: both });
  });

  test('where the host died between the answer and its telling', async () => {
    const play = stage(running(fix));
    await (await driven(play)).run.stop('for now');
    play.store.abandon('run');
    const journal = await play.store.open('run');
    const { epoch } = await journal.lease();
    const { seq } = (await entriesOf(play.store)).findLast(({ stream }) => stream === 'group:group') as { seq: number };
    const data = { name: 'fix/ship', approved: false, note: 'no', by: 'outside' };
    await journal.append('group:group', seq, epoch, [{ type: 'gate.answered', at: play.clock.now(), data }]);
    await journal.close();
    expect(await finished(play)).toMatchObject({ output: { output: { accepted: false, note: 'no' } } });
    await verifyRun({ store: play.store, run: 'run', process: play.process });
  });

  test('in a fork and in a retry of the run, which have the open gate too', async () => {
    const steps = { id: 'all', policy: 'best-effort' as const, members: [{ id: 'm' }, { ...fix, id: 'fix' }] };
    const play = stage(running(steps), { 'all/m': fail('refused', 'no') });
    const { run, end } = await driven(play);
    const { store, process } = play;
    const fork = await forkRun({ store, from: 'run', at: (await entriesOf(store)).length });
    const retry = await retryRun({ store, run: 'run', member: 'all/m', clock: play.clock });
    await run.answer(yes('all%2Ffix/ship'));
    expect(await end).toMatchObject({ status: 'completed' });
    await run.close();
    for (const { as } of [fork, retry]) {
      const other = await open({ ...play, harness: stage(process, { 'all/m': ok('now') }).harness }, { run: as });
      const otherEnd = other.drive();
      await settle();
      await other.answer({ gate: 'all%2Ffix/ship', approved: false, note: as });
      expect(JSON.stringify(await otherEnd)).toContain(`"note":"${as}"`);
      await other.close();
      await verifyRun({ store, run: as, process });
    }
  });
});

test('a gate that was recorded without its asker is answered as it was: the group’s own machine hears, and the run verifies', async () => {
  const play = stage(running(fix));
  await (await driven(play)).run.stop('for now');
  play.store.abandon('run');
  const entries = await entriesOf(play.store);
  const older = stage(play.process);
  const journal = await older.store.open('run', { create: true });
  const { epoch } = await journal.lease();
  for (const { stream, seq, at, type, data, fold } of entries) {
    const { by: _by, incarnation: _incarnation, ...before } = data as { readonly [name: string]: JsonValue };
    const recorded = type === 'gate.opened' ? { ...before, name: 'ship' } : data;
    await journal.append(stream, seq - 1, epoch, [
      { type, at, data: recorded, ...(fold === undefined ? {} : { fold }) },
    ]);
  }
  await journal.close();
  expect(await openIn(older)).toEqual(['ship']);
  const { run } = await driven(older);
  await run.answer(yes('ship'));
  expect((await dataOf(older, 'signal')).map((data) => Object.keys(data as object))).toEqual([['id', 'from', 'event']]);
  await run.stop('heard by nobody');
  await run.close();
  await verifyRun({ store: older.store, run: 'run', process: older.process });
});
