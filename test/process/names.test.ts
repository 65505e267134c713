/** Names are identities: used twice, or for something else, they stop the run, which loses nothing by it. */
import { assign, setup } from 'xstate';
import { describe, expect, test } from 'vitest';
import { TroupeError, coordinator, defineProcess, member, verifyRun, type Context } from 'troupe';
import { hold, ok } from 'troupe/harness';
import { fanOut } from 'troupe/machines';
import { entriesOf } from '../support/dying-store.ts';
import { gate } from '../support/gate.ts';
import { settle } from '../support/hand-clock.ts';
import { driven, open, stage, type Stage } from '../support/running.ts';

const completed = (output: unknown) => ({ status: 'completed', output });

/** Drives the run with this code, which is wrong; returns what it rejects with. Nothing is recorded as ended. */
async function rejected(still: Stage, body: (ctx: Context) => unknown): Promise<TroupeError> {
  const before = (await entriesOf(still.store).catch(() => [])).length;
  const run = await open(still, { process: defineProcess('named', body) });
  const error: unknown = await run.drive().catch((thrown: unknown) => thrown);
  await settle();
  await run.close();
  const after = (await entriesOf(still.store)).slice(before).map(({ type }) => type);
  for (const end of ['run.ended', 'group.ended', 'group.cancelled', 'member.settled']) expect(after).not.toContain(end);
  expect(error).toBeInstanceOf(TroupeError);
  return error as TroupeError;
}

describe('a name that is used twice', () => {
  const twice: readonly (readonly [string, (ctx: Context) => unknown])[] = [
    ['by two groups', (ctx) => [ctx.group('same', gate, { count: 1 }), ctx.group('same', gate, { count: 1 })]],
    ['by two tasks', async (ctx) => Promise.all([ctx.task('same', {}), ctx.task('same', {})])],
    [
      'by a task and a group',
      async (ctx) => Promise.all([ctx.task('same', {}), ctx.group('same', gate, { count: 1 }).output]),
    ],
    [
      'and caught away',
      async (ctx) => {
        void ctx.task('same', {});
        try {
          ctx.group('same', gate, { count: 1 });
        } catch {
          return 'went on';
        }
        return 'was allowed';
      },
    ],
  ];

  test.each(twice)('%s is refused, naming both', async (_who, body) => {
    const error = await rejected(stage(defineProcess('named', body), { '*': hold }), body);
    expect(error).toMatchObject({
      code: 'DUPLICATE_NAME',
      message: expect.stringMatching(
        /run run already has a group `same`.*Names are identities: give the second another name/,
      ) as string,
    });
  });

  test.each([[''], ['x'.repeat(201)], ['half \ud800'], [undefined]])('refuses what is no name: %j', async (name) => {
    const body = (ctx: Context) => ctx.group(name as string, gate, { count: 1 });
    expect(await rejected(stage(defineProcess('named', body)), body)).toMatchObject({ code: 'BAD_INPUT' });
  });
});

describe('a name that stands for something else in a later iteration', () => {
  const original = async (ctx: Context) => ctx.group('group', fanOut, { members: [{ id: 'a' }, { id: 'b' }] }).output;
  const begun = async () => {
    const still = stage(defineProcess('named', original), { '*': hold });
    await driven(still);
    still.harness.settle('a', ok(1));
    await settle();
    still.store.abandon('run');
    return still;
  };
  /** With the old code it goes on: what is settled is not performed again. */
  const goesOn = async (still: Stage) => {
    const before = still.harness.calls.filter(({ member: id }) => id === 'a').length;
    const { run, end } = await driven(still);
    still.harness.settle('b', ok(2));
    expect(await end).toMatchObject(
      completed({
        results: [
          { id: 'a', output: 1 },
          { id: 'b', output: 2 },
        ],
        failed: [],
      }),
    );
    expect(still.harness.calls.filter(({ member: id }) => id === 'a')).toHaveLength(before);
    await run.close();
    await verifyRun({ store: still.store, run: 'run', process: still.process });
  };

  test('another machine: GROUP_MISMATCH names both', async () => {
    const still = await begun();
    const error = await rejected(still, (ctx) => ctx.group('group', gate, { count: 1 }).output);
    expect(error).toMatchObject({
      code: 'GROUP_MISMATCH',
      message: expect.stringMatching(/created with machine `fan-out`, and is now opened with `gate`/) as string,
    });
    await expect(
      verifyRun({
        store: still.store,
        run: 'run',
        process: defineProcess('named', (ctx) => ctx.group('group', gate, { count: 1 }).output),
      }),
    ).rejects.toMatchObject({ code: 'GROUP_MISMATCH' });
    await goesOn(still);
  });

  test('another input: GROUP_MISMATCH shows both', async () => {
    const still = await begun();
    const error = await rejected(
      still,
      (ctx) => ctx.group('group', fanOut, { members: [{ id: 'a' }, { id: 'c' }] }).output,
    );
    expect(error).toMatchObject({
      code: 'GROUP_MISMATCH',
      message: expect.stringMatching(/created with input .*"b".*opened with .*"c"/) as string,
    });
    await goesOn(still);
  });

  test('the same input with its keys in another order is the same', async () => {
    const still = await begun();
    const reordered = defineProcess(
      'named',
      async (ctx) =>
        ctx.group('group', fanOut, { members: [{ prompt: undefined, id: 'a' } as never, { id: 'b' }] }).output,
    );
    await goesOn({ ...still, process: reordered });
  });
});

describe('code that changed under a run', () => {
  /** Calls `first`, and when that is done what `next` says. */
  const chain = (next: string) =>
    coordinator(
      setup({
        types: {} as { context: { next: string } },
        actors: { member },
        actions: { note: assign({ next }) },
      }).createMachine({
        id: 'chain',
        context: { next: '' },
        initial: 'first',
        states: {
          first: { invoke: { src: 'member', id: 'first', input: {}, onDone: { target: 'second', actions: 'note' } } },
          second: { invoke: { src: 'member', id: next, input: {}, onDone: 'over' } },
          over: { type: 'final' },
        },
        output: ({ context }) => context.next,
      }),
    );
  const original = defineProcess('named', async (ctx) => ctx.group('group', chain('second'), {} as never).output);
  const begun = async () => {
    const still = stage(original, { '*': hold });
    const { run } = await driven(still);
    still.harness.settle('first', ok());
    await settle();
    await run.stop('to change the code');
    await run.close();
    return still;
  };

  test('a machine that folds otherwise: NONDETERMINISM names stream, seq, what was expected and found, and both versions', async () => {
    const still = await begun();
    const error = await rejected(still, (ctx) => ctx.group('group', chain('another'), {} as never).output);
    expect(error.code).toBe('NONDETERMINISM');
    const { stream, seq, expected, found, recordedVersion, version } = error.details;
    expect([stream, typeof seq]).toEqual(['group:group', 'number']);
    expect(expected).toMatch(/^\d+:[0-9a-f]{16}$/);
    expect(found).toMatch(/^\d+:[0-9a-f]{16}$/);
    expect(found).not.toBe(expected);
    expect(recordedVersion).not.toBe(version);
    for (const part of [`group \`group\``, String(expected), String(found), String(recordedVersion), String(version)])
      expect(error.message).toContain(part);

    const { run, end } = await driven(still);
    still.harness.settle('second', ok());
    expect(await end).toEqual(completed('second'));
    expect(still.harness.calls.filter(({ member: id }) => id === 'first')).toHaveLength(1);
    await run.close();
  });

  test('a process that no longer opens what is recorded: NONDETERMINISM, whether it returns or throws', async () => {
    for (const body of [
      () => 'nothing to do',
      () => {
        throw new Error('a new bug');
      },
      async (ctx: Context) => ctx.task('renamed', {}),
    ]) {
      const still = await begun();
      const { run, end } = await driven({ ...still, process: defineProcess('named', body) });
      if (still.harness.open().some(({ group }) => group === 'renamed')) still.harness.settle('renamed/task', ok());
      const error: unknown = await end.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: 'NONDETERMINISM',
        details: { stream: 'group:group', seq: 1, expected: 'group.created' },
      });
      await run.close();
      const types = (await entriesOf(still.store))
        .filter(({ stream }) => stream === 'group:group' || stream === 'run')
        .map(({ type }) => type);
      for (const ending of ['run.ended', 'group.ended', 'group.cancelled']) expect(types).not.toContain(ending);
    }
  });

  test('a machine that cannot be replayed is refused, and the run is not ended by it', async () => {
    const bad = setup({ actions: { shout: () => {} } }).createMachine({ id: 'bad', entry: 'shout' });
    const body = (ctx: Context) => ctx.group('bad', bad, undefined as never).output;
    expect(await rejected(stage(defineProcess('named', body)), body)).toMatchObject({
      code: 'MACHINE_UNSUPPORTED',
      message: expect.stringContaining('machine `bad`') as string,
    });
  });
});
