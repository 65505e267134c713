import { readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { groupIdOf, openRunFolder, readEvents } from 'troupe/babysitter';
import { patience } from '../cli/support.ts';
import { projectWith, twoGroups, twoGroupsOutput, type Project } from './project.ts';
import { isSdkInstalled } from './sdk/install.ts';

interface Action {
  readonly effectId: string;
  readonly kind: string;
  readonly label: string;
  readonly taskDef: { readonly metadata?: { readonly group?: { readonly id: string; readonly name: string } } };
  readonly schedulerHints?: { readonly parallelGroupId?: string };
}

/** What the stock program says of a run that waits. */
interface Iterated {
  readonly status: string;
  readonly nextActions?: readonly Action[];
}

const outputOf = (runDir: string) => JSON.parse(readFileSync(join(runDir, 'state/output.json'), 'utf8')) as unknown;
const jsonIn = (text: string) => JSON.parse(text.slice(text.indexOf('{'))) as Readonly<Record<string, unknown>>;

async function iterate(project: Project, runDir: string): Promise<Iterated> {
  const { stdout, stderr, code } = await project.stock('run:iterate', runDir, '--json');
  if (code !== 0) throw new Error(`run:iterate: ${stdout}${stderr}`);
  return jsonIn(stdout) as unknown as Iterated;
}

/** What the stock program is asked of a run that we wrote in. */
async function expectStockReads(project: Project, runDir: string): Promise<void> {
  for (const [command, expected] of [
    ['run:status', /completed|waiting/],
    ['run:events', /GROUP_MEMBER_SETTLED/],
    ['run:rebuild-state', /./],
    ['task:list', /group\.alpha/],
  ] as const) {
    const { code, stdout, stderr } = await project.stock(command, runDir, '--json');
    expect({ command, code, stderr: code === 0 ? '' : stderr }).toEqual({ command, code: 0, stderr: '' });
    expect(stdout).toMatch(expected);
  }
}

describe.skipIf(!isSdkInstalled)('with the stock SDK from npm', { timeout: 120_000 }, () => {
  test('troupe babysit drives two groups and a command at once; the stock program reads the run', async () => {
    const project = projectWith(twoGroups);
    const runDir = await project.create('run-1');
    const { code, stdout, stderr } = await project.troupe(['babysit', runDir, '--json']);
    expect(stderr).toBe('');
    expect({ code, ...jsonIn(stdout) }).toEqual({ code: 0, status: 'completed', output: twoGroupsOutput });
    expect(outputOf(runDir)).toEqual(twoGroupsOutput);
    expect(project.ran().toSorted()).toEqual(
      ['after', 'beside', ...twoGroupsOutput.alpha, ...twoGroupsOutput.beta].toSorted(),
    );
    await expectStockReads(project, runDir);
    // A second time nothing is done, and no second end is recorded.
    const events = readEvents(runDir, { verify: true }).length;
    expect((await project.troupe(['babysit', runDir, '--json'])).code).toBe(0);
    expect(readEvents(runDir)).toHaveLength(events);
  });

  test('the stock program drives the run, and troupe run-effect performs its groups', async () => {
    const project = projectWith(twoGroups);
    const runDir = await project.create('run-1');
    for (let turn = 0; turn < 5; turn += 1) {
      const { status, nextActions = [] } = await iterate(project, runDir);
      if (status === 'completed') break;
      await Promise.all(
        nextActions.map(async ({ effectId, kind, label }) => {
          if (kind === 'effect_group') {
            const { code, stderr } = await project.troupe(['run-effect', '--run-dir', runDir, '--effect', effectId]);
            expect({ label, code, stderr }).toEqual({ label, code: 0, stderr: '' });
            return;
          }
          const word = turn === 0 ? 'beside' : 'after';
          const value = JSON.stringify({ stdout: `${word}\n` });
          const posted = await project.stock('task:post', runDir, effectId, '--status', 'ok', '--value-inline', value);
          expect(posted).toMatchObject({ code: 0 });
        }),
      );
    }
    expect(outputOf(runDir)).toEqual(twoGroupsOutput);
    await expectStockReads(project, runDir);
    readEvents(runDir, { verify: true });
  });

  test('what babysitter’s own program resolves meanwhile is heard: the drive goes on', async () => {
    const project = projectWith(`
      export async function process(inputs, ctx) {
        const first = await ctx.breakpoint({ question: 'Ship?' }, { label: 'ship' });
        return [first, await ctx.task({ id: 'long', build: () => ({ kind: 'shell', shell: { command: 'echo began >> ran.log; sleep 30' } }) }, {})];
      }`);
    const runDir = await project.create('run-1');
    const driven = project.troupe(['babysit', runDir, '--json']);
    const post = async (kind: string, value: string) => {
      const pending = () =>
        [...openRunFolder(runDir).index().effects.values()].find(
          (one) => one.kind === kind && one.status === 'pending',
        );
      await expect.poll(() => pending()?.kind, patience).toBe(kind);
      if (kind === 'shell') await expect.poll(() => project.ran(), patience).toEqual(['began']);
      const id = pending()?.effectId ?? '';
      expect(await project.stock('task:post', runDir, id, '--status', 'ok', '--value-inline', value)).toMatchObject({
        code: 0,
      });
    };
    await post('breakpoint', '"by hand"');
    await post('shell', '"posted"');
    const { code, stdout } = await driven;
    expect({ code, ...jsonIn(stdout) }).toEqual({ code: 0, status: 'completed', output: ['by hand', 'posted'] });
  });

  test('what a group asks is told, with the command that answers it', async () => {
    const project = projectWith(`
      import { group } from 'troupe/babysitter';
      import { fanOut } from 'troupe/machines';
      export async function process(inputs, ctx) {
        const members = ['a', 'b'].map((id) => ({ id, command: ['true'] }));
        const budget = { attempts: 1, over: 'ask' };
        return (await group(ctx, 'both', fanOut, { members, concurrency: 1 }, { budget })).settled;
      }`);
    const runDir = await project.create('run-1');
    const data = join(runDir, 'troupe');
    const id = groupIdOf('run-1', 'both');
    const driven = project.troupe(['babysit', runDir]);
    const shown = async () => (await project.troupe(['show', id, '--data', data])).stdout;
    await expect.poll(shown, patience).toContain('an answer at gate budget');
    expect(await project.troupe(['approve', id, 'budget', '--data', data])).toMatchObject({ code: 0 });
    const { code, stdout } = await driven;
    const [, command] = /group both {2}waits for an answer: the budget .* (troupe approve .*)$/m.exec(stdout) ?? [];
    expect({ code, command }).toEqual({ code: 0, command: `troupe approve ${id} 'budget' --data '${data}'` });
  });

  test("a group has one identity in every iteration and process; babysitter's own id for what runs in parallel has not", async () => {
    const project = projectWith(twoGroups);
    const runDir = await project.create('run-1');
    const theirs = new Set<unknown>();
    const ours: unknown[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      const { nextActions: actions = [] } = await iterate(project, runDir);
      for (const { schedulerHints, taskDef } of actions) {
        theirs.add(schedulerHints?.parallelGroupId);
        const known = taskDef.metadata?.group;
        if (known !== undefined) ours.push(`${known.name} ${known.id}`);
      }
      const shell = actions.find(({ kind }) => kind === 'shell');
      const [next] = shell === undefined ? actions : [shell];
      if (next === undefined) break;
      if (next.kind === 'shell')
        await project.stock(
          'task:post',
          runDir,
          next.effectId,
          '--status',
          'ok',
          '--value-inline',
          '{"stdout":"beside"}',
        );
      else await project.troupe(['run-effect', '--run-dir', runDir, '--effect', next.effectId]);
    }
    expect(new Set(ours)).toEqual(new Set(['alpha', 'beta'].map((name) => `${name} ${groupIdOf('run-1', name)}`)));
    expect(ours.length).toBeGreaterThan(4);
    expect(theirs.size).toBeGreaterThan(1);
    // Another process, another call order, the same run and name.
    expect(groupIdOf('run-1', 'alpha')).toBe('grp_484e01673e38b247');
  });

  test('a journal that babysitter has repaired, and a group whose own journal is gone: settled members are not run again', async () => {
    const slow = twoGroups.replaceAll('sleep 0.05', 'sleep 0.4');
    const project = projectWith(slow);
    const runDir = await project.create('run-1');
    const settled = () =>
      readEvents(runDir).flatMap(({ type, data }) => (type === 'GROUP_MEMBER_SETTLED' ? [data['member']] : []));
    await project.troupe(['babysit', runDir], () => settled().includes('beta-1'));
    const before = settled() as readonly string[];
    expect(before).not.toContain('beta-3');
    // A gap, as a writer of babysitter's leaves one; everything behind it is given a new place and ULID.
    const journal = join(runDir, 'journal');
    const last = readdirSync(journal).toSorted().at(-1) ?? '';
    const gapped = String(Number(last.slice(0, 6)) + 3).padStart(6, '0');
    renameSync(join(journal, last), join(journal, `${gapped}${last.slice(6)}`));
    const refused = await project.troupe(['babysit', runDir]);
    expect(refused.code).toBe(4);
    expect(refused.stderr).toMatch(/JOURNAL_CORRUPT.*run:repair-journal/);
    expect(await project.stock('run:repair-journal', runDir)).toMatchObject({ code: 0 });
    rmSync(join(runDir, 'troupe'), { recursive: true });
    const { code, stderr } = await project.troupe(['babysit', runDir, '--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(outputOf(runDir)).toEqual(twoGroupsOutput);
    for (const member of before)
      expect([member, project.ran().filter((one) => one === member).length]).toEqual([member, 1]);
    expect(settled().map(String).toSorted()).toEqual([...twoGroupsOutput.alpha, ...twoGroupsOutput.beta]);
    await expectStockReads(project, runDir);
  });
});
