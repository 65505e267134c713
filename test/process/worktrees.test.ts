/** Members in worktrees of their own, by real git: through retries, crashes, cancels and forks. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  defineProcess,
  forkRun,
  openRun,
  readRun,
  verifyRun,
  type Harnesses,
  type Invocation,
  type Process,
  type RunOptions,
  type RunResult,
} from 'troupe';
import { agentHarness, command, fakeAgent, fn, gitWorktrees, type Worktrees } from 'troupe/harness';
import { memoryStore } from 'troupe/journal';
import { fanOut } from 'troupe/machines';
import { dyingStore, entriesOf } from '../support/dying-store.ts';
import { repository, type Repository } from '../support/repository.ts';

let repo: Repository;
let store: ReturnType<typeof memoryStore>;
let worktrees: Worktrees;
beforeEach(() => {
  repo = repository();
  store = memoryStore();
  worktrees = gitWorktrees({ folder: join(repo.folder, 'worktrees'), cwd: repo.path });
});
afterEach(() => repo.remove());

type Member = Invocation & { readonly id: string };
const team = (members: readonly Member[]): Process<never, unknown> =>
  defineProcess('team', async (ctx) => {
    const { results, failed } = await ctx.group('team', fanOut, { members }).output;
    return [results.map(({ output }) => output), failed.map(({ error }) => error.code ?? error.message)];
  });
const isolated = (id: string, more: Invocation = {}): Member => ({
  id,
  isolation: 'worktree',
  harness: 'work',
  ...more,
});

const opened = (process: Process<never, unknown>, work: Harnesses, more: Partial<RunOptions> = {}) =>
  openRun({ store, process, run: 'run', harnesses: work, worktrees, ...more });
const finish = async (...args: Parameters<typeof opened>): Promise<RunResult> => {
  const run = await opened(...args);
  try {
    return await run.drive();
  } finally {
    await run.close();
  }
};
const told = async (run = 'run') =>
  (await entriesOf(store, run))
    .filter(({ type }) => type.startsWith('worktree.') || type === 'member.settled')
    .map(({ type, data }) => {
      const { member, kept } = data as { readonly member: string; readonly kept?: boolean };
      return `${type} ${member}${kept === undefined ? '' : kept ? ' kept' : ' removed'}`;
    });
const pathOf = (member: string, run = 'run') => join(repo.folder, 'worktrees', run, 'team', member);

test('a command works in its own working copy; what it committed is kept, an unchanged one goes', async () => {
  const script = (line: string): Invocation => ({ command: ['sh', '-c', line], harness: 'command' });
  const process = team([
    isolated('writer', script('pwd; echo mine > work.txt; git add . && git commit --quiet -m mine')),
    isolated('reader', { ...script('pwd; cat file.txt'), cwd: 'inner' }),
    isolated('messy', { ...script('echo half > half.txt; exit 3'), worktree: { keep: 'never' } }),
  ]);
  const end = await finish(process, { command: command({ cwd: repo.path }) });
  expect(end).toMatchObject({
    output: [
      [{ stdout: `${pathOf('writer')}\n` }, { stdout: `${join(pathOf('reader'), 'inner')}\ninner\n` }],
      [expect.any(String)],
    ],
  });
  expect((await told()).toSorted()).toEqual([
    'member.settled messy',
    'member.settled reader',
    'member.settled writer',
    'worktree.closed messy kept',
    'worktree.closed reader removed',
    'worktree.closed writer kept',
    'worktree.opened messy',
    'worktree.opened reader',
    'worktree.opened writer',
  ]);
  expect(repo.git('status', '--porcelain')).toBe('');
  expect(repo.branches()).toEqual(['troupe/run/team/messy', 'troupe/run/team/writer']);
  expect(repo.git('show', 'troupe/run/team/writer:work.txt')).toBe('mine');
  expect(readFileSync(join(pathOf('messy'), 'half.txt'), 'utf8')).toBe('half\n');
  await verifyRun({ store, run: 'run', process });
});

test('every attempt of a member finds what the one before has left', async () => {
  const work = fn(({ cwd = '' }, { attempt }) => {
    const file = join(cwd, 'notes.txt');
    const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
    writeFileSync(file, `${before}${attempt} `);
    if (attempt < 3) throw new Error('again');
    return readFileSync(file, 'utf8');
  });
  const end = await finish(team([isolated('a', { retry: { attempts: 3, minMs: 1 } })]), { work });
  expect(end).toMatchObject({ output: [['1 2 3 '], []] });
  expect(await told()).toEqual(['worktree.opened a', 'member.settled a', 'worktree.closed a kept']);
});

describe('a host that dies', () => {
  test('at any append leaves one worktree for each member, and nobody’s work is lost', async () => {
    const process = team([isolated('clean'), isolated('busy')]);
    for (let atAppend = 1; ; atAppend += 1) {
      const isWritten = atAppend % 2 === 0;
      const performed: string[] = [];
      const work = fn(({ cwd = '', member }) => {
        performed.push(member);
        if (member === 'busy') writeFileSync(join(cwd, 'work.txt'), 'x');
        return member;
      });
      const dying = dyingStore(store, { atAppend, isWritten });
      const first = await Promise.race([
        opened(process, { work }, { store: dying }).then(async (run) => {
          const over = await run.drive();
          await run.close();
          return over;
        }),
        dying.died.then(() => undefined),
      ]);
      store.abandon('run');
      const end = first ?? (await finish(process, { work }));
      expect(end).toEqual({ status: 'completed', output: [['clean', 'busy'], []] });
      expect(repo.branches()).toEqual(['troupe/run/team/busy']);
      expect(readFileSync(join(pathOf('busy'), 'work.txt'), 'utf8')).toBe('x');
      expect(existsSync(pathOf('clean'))).toBe(false);
      expect((await told()).filter((line) => line.startsWith('member.settled'))).toHaveLength(2);
      const journal = await store.open('run');
      const records = [...((await readRun(journal)).groups.get('team')?.worktrees.values() ?? [])];
      await journal.close();
      expect(records.map(({ member, state }) => `${member} ${state}`).toSorted()).toEqual([
        'busy kept',
        'clean removed',
      ]);
      repo.git('worktree', 'remove', '--force', pathOf('busy'));
      repo.git('branch', '-D', 'troupe/run/team/busy');
      store = memoryStore();
      if (first !== undefined) break;
    }
  }, 120_000);
});

test('a cancelled member’s worktree is closed when it has ended, and what is in it decides', async () => {
  const process = team([isolated('clean'), isolated('busy')]);
  let begun = 0;
  const work = fn(async ({ cwd = '', member }, { signal }) => {
    if (member === 'busy') writeFileSync(join(cwd, 'half.txt'), 'half');
    begun += 1;
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  });
  const run = await opened(process, { work });
  const end = run.drive();
  while (begun < 2) await new Promise(setImmediate);
  await run.cancel('enough');
  expect(await end).toMatchObject({ status: 'cancelled' });
  await run.close();
  expect((await told()).filter((line) => line.startsWith('worktree.closed')).toSorted()).toEqual([
    'worktree.closed busy kept',
    'worktree.closed clean removed',
  ]);
  expect(repo.branches()).toEqual(['troupe/run/team/busy']);
});

/** Performs until it is told to end. */
const waiting = fn(async (_task, { signal }) => {
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
});

/** A run whose host has stopped in order while this member was at work. */
async function stopped(process: Process<never, unknown>): Promise<void> {
  const run = await opened(process, { work: waiting });
  const end = run.drive();
  while (!(await told()).includes('worktree.opened a')) await new Promise(setImmediate);
  await run.stop('for now');
  await end;
  await run.close();
}

test('a host that stops in order keeps them for the next one', async () => {
  const process = team([isolated('a')]);
  await stopped(process);
  expect(existsSync(pathOf('a'))).toBe(true);
  expect(await finish(process, { work: fn(({ cwd }) => cwd ?? '') })).toMatchObject({ output: [[pathOf('a')], []] });
  expect(existsSync(pathOf('a'))).toBe(false);
});

describe('a fork', () => {
  test('has worktrees of its own', async () => {
    const process = team([isolated('a'), isolated('b')]);
    const work = fn(({ cwd = '' }) => cwd);
    await finish(process, { work });
    const entries = await entriesOf(store);
    const at = entries.findIndex(({ type }) => type === 'group.created') + 1;
    await forkRun({ store, from: 'run', at, as: 'fork' });
    expect(await finish(process, { work }, { run: 'fork' })).toMatchObject({
      output: [[pathOf('a', 'fork'), pathOf('b', 'fork')], []],
    });
    expect(repo.branches()).toEqual([]);
  });

  test('never touches those of its origin', async () => {
    const process = team([isolated('a', { restartable: false })]);
    await stopped(process);
    await forkRun({ store, from: 'run', at: (await entriesOf(store)).length, as: 'fork' });
    // It gives up what was under way, without having begun anything itself.
    expect(await finish(process, { work: waiting }, { run: 'fork' })).toMatchObject({ output: [[], ['INTERRUPTED']] });
    expect(existsSync(pathOf('a'))).toBe(true);
    expect(await finish(process, { work: waiting })).toMatchObject({ output: [[], ['INTERRUPTED']] });
    expect(existsSync(pathOf('a'))).toBe(false);
  });
});

test('an agent works there too', async () => {
  const agent = fakeAgent(() => 'done');
  const work = agentHarness(agent, { mailbox: 'none' });
  const process = team([isolated('a', { prompt: 'Do it.', cwd: 'inner' })]);
  expect(await finish(process, { work })).toMatchObject({ output: [['done'], []] });
  expect(agent.opened.map(({ cwd }) => cwd)).toEqual([join(pathOf('a'), 'inner')]);
});

describe('is refused', () => {
  const work = fn(() => 'never');
  test.each<[string, Invocation, Partial<RunOptions>, RegExp]>([
    ['where no worktrees are offered', {}, { worktrees: undefined as never }, /is not offered here; open the run with/],
    ['outside a repository', { cwd: '/' }, {}, /needs a git repository, and \/ is in none/],
    ['with an unknown base', { worktree: { base: 'nowhere' } }, {}, /knows no commit `nowhere`/],
    ['with an unknown policy', { worktree: { keep: 'sometimes' as never } }, {}, /expected `worktree` to be \{keep\?/],
    ['with another isolation', { isolation: 'container' as never }, {}, /expected `isolation` to be 'worktree'/],
  ])('%s: nothing is performed', async (_what, more, options, message) => {
    const { worktrees: offered, ...rest } = options;
    const own =
      'worktrees' in options ? { ...rest, ...(offered === undefined ? { worktrees: undefined as never } : {}) } : rest;
    const end = await finish(team([isolated('a', more)]), { work }, own);
    expect(end).toMatchObject({ output: [[], ['BAD_INPUT']] });
    const settled = (await entriesOf(store)).find(({ type }) => type === 'member.settled');
    expect(JSON.stringify(settled?.data)).toMatch(message);
    expect(repo.branches()).toEqual([]);
  });
});

test('a member works in its own copy also where its host was called by git, which says elsewhere where to work', async () => {
  const given = { GIT_DIR: join(repo.path, '.git'), GIT_INDEX_FILE: join(repo.path, '.git/index'), GIT_PREFIX: '' };
  Object.assign(process.env, given);
  try {
    const words = [
      'sh',
      '-c',
      'echo new > new.txt && git add new.txt && git commit --quiet -m new && git rev-parse HEAD',
    ];
    const members = [isolated('a', { command: words, worktree: { keep: 'always' } })];
    expect(await finish(team(members), { work: command() })).toMatchObject({ output: [[{ exitCode: 0 }], []] });
  } finally {
    for (const name of Object.keys(given)) delete process.env[name];
  }
  expect(repo.git('status', '--porcelain')).toBe('');
  expect(repo.git('log', '--format=%s', 'main')).toBe('first');
  expect(repo.git('log', '--format=%s', 'troupe/run/team/a')).toBe('new\nfirst');
});
