/** Budgets of how many members may begin, and how deep. */
import { describe, expect, test } from 'vitest';
import { defineProcess, verifyRun, type BudgetPolicy, type Invocation } from 'troupe';
import { fail, ok } from 'troupe/harness';
import { pipeline, quorum, withMachines } from 'troupe/machines';
import { caller } from '../support/caller.ts';
import { entriesOf } from '../support/dying-store.ts';
import { calling, driven, finished, stage, story, type Stage } from '../support/running.ts';

const members = (count: number, invocation: Invocation = {}) =>
  Array.from({ length: count }, (_, index) => ({ id: `m${index}`, ...invocation }));
const dataOf = async ({ store }: Stage, type: string) =>
  (await entriesOf(store)).filter((entry) => entry.type === type).map(({ data }) => data);
const startsOf = async (play: Stage) => (await dataOf(play, 'attempt.started')).length;

describe('of members', () => {
  const begun = async (play: Stage) =>
    (await story(play))
      .filter((line) => line.startsWith('attempt.started'))
      .map((line) => line.split(' ').slice(1).join(' '));

  test('no more begin than are allowed, and those that have begun are tried again', async () => {
    const process = calling(
      { members: members(5, { retry: { attempts: 2, minMs: 1, jitter: 0 } }), until: 5 },
      { budget: { members: 2, warnAt: 0.5 }, concurrency: 5 },
    );
    const play = stage(process, { '*': fail('failed', 'no') });
    const { output } = (await finished(play)) as unknown as { readonly output: readonly (readonly [string, string])[] };
    expect(output.filter(([, code]) => code === 'BUDGET').map(([type]) => type.at(-1))).toEqual(['2', '3', '4']);
    expect((await begun(play)).toSorted()).toEqual(['m0 1', 'm0 2', 'm1 1', 'm1 2']);
    expect(await dataOf(play, 'budget.warned')).toEqual([
      { whose: 'group `group`', what: 'members', spent: 1, limit: 2 },
    ]);
    expect(JSON.stringify(await dataOf(play, 'member.settled'))).toContain(
      'the budget of group `group` allows members 2, and 2 have begun; no further one does.',
    );
  });

  test('the run counts those of all groups, whoever drives, and asks if it is told to', async () => {
    const process = defineProcess('both', async (ctx) => {
      await ctx.group('first', caller, { members: members(2), until: 2 }).output;
      return (await ctx.group('group', caller, { members: members(2), until: 2 }).output).map(([type]) => type);
    });
    const budget: BudgetPolicy = { members: 3, over: 'ask' };
    const play = stage(process, { '*': ok() }, { budget });
    await (await driven(play)).run.close();
    const { run, end } = await driven(play);
    expect(await dataOf(play, 'gate.opened')).toMatchObject([
      { name: 'budget', question: expect.stringContaining('allows members 3, and 3 have begun') },
    ]);
    await run.answer({ gate: 'budget', approved: true, note: '' });
    expect(await end).toMatchObject({ status: 'completed' });
    expect(await startsOf(play)).toBe(4);
    await run.close();
    await verifyRun({ store: play.store, run: 'run', process });
  });

  test('depth is that of the nesting', async () => {
    const process = defineProcess(
      'nested',
      async (ctx) =>
        await ctx.group(
          'group',
          withMachines(pipeline, { quorum }),
          {
            steps: [
              { id: 'flat' },
              { id: 'deep', machine: 'quorum', input: { members: [{ id: 'a' }, { id: 'b' }], atLeast: 1 } },
            ],
          },
          { budget: { depth: 1 } },
        ).output,
    );
    const play = stage(process, { '*': ok('same') });
    expect(await finished(play)).toMatchObject({ status: 'failed' });
    expect(await begun(play)).toEqual(['flat 1']);
    expect(JSON.stringify(await dataOf(play, 'member.settled'))).toContain(
      'allows depth 1, and this member is nested 2 deep',
    );
  });
});
