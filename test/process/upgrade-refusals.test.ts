/** What may not be said of a machine's older versions, and what a migration may not do: told in one sentence, and nothing is recorded. */
import { describe, expect, test } from 'vitest';
import { createMachine, setup } from 'xstate';
import { coordinator, defineProcess, forkRun, member, type Coordinator, type Migration, type Upgrade } from 'troupe';
import { hold, ok } from 'troupe/harness';
import { entriesOf } from '../support/dying-store.ts';
import { driven, finished, open, stage, story, tell, type Stage } from '../support/running.ts';
import { begun, collecting, ended, input, withCode } from '../support/upgrading.ts';
import { first, second } from '../support/versions.ts';

describe('what a migration may not do', () => {
  const refused = async (rule: Migration, message: RegExp) => {
    const play = await begun();
    const before = (await entriesOf(play.store)).filter(({ stream }) => stream === 'group:group').length;
    const run = await open(withCode(play, collecting(second({ migrate: [rule] }))));
    await expect(run.drive()).rejects.toThrow(message);
    await run.close();
    // Nothing was recorded, and the old code goes on.
    expect((await entriesOf(play.store)).filter(({ stream }) => stream === 'group:group')).toHaveLength(before);
    expect(await ended(play)).toMatchObject({ output: { notes: ['hm'] } });
  };

  test('forget that a member has settled', () =>
    refused(
      { from: first(), events: ({ type, data }) => (type === 'member.settled' ? undefined : data) },
      /^MIGRATION_FAILED: group `group`, after entry \d+: .* it would want member `a` again, which has completed; keep its settlement, or give the member another id/,
    ));
  test('name a state that the new machine has not', () =>
    refused(
      { from: first(), state: (old) => old },
      /MIGRATION_FAILED: .*collecting.*; let `state` return a state that the new machine has$/,
    ));
  test.each([
    ['nothing', undefined, 'undefined'],
    ['a promise', Promise.resolve({ value: 'gathering', context: {} }), 'a promise'],
    ['no context', { value: 'gathering' }, '{ value }'],
    ['no value', { context: {} }, '{ context }'],
    ['a value that names no state', { value: 5, context: {} }, '{ value, context }'],
  ])('return %s for a state', (_, returned, got) =>
    refused(
      { from: first(), state: () => returned as never },
      new RegExp(String.raw`^MIGRATION_FAILED: .*: expected \`state\` to return \{ value, context \}, .*, got ${got}$`),
    ),
  );
  test('name a final state', () =>
    refused(
      { from: first(), state: ({ context }) => ({ value: 'over', context }) },
      /MIGRATION_FAILED: .*expected a state that is not final, got "over"/,
    ));
  test('make a context that is not JSON', () =>
    refused(
      { from: first(), state: () => ({ value: 'gathering', context: { ids: [], at: new Date(0) } }) },
      /MIGRATION_FAILED: .*state\.context\.at/,
    ));
  test('leave out the actors of children that go on', async () => {
    const inner = createMachine({ id: 'inner' });
    const config = { id: 'outer', invoke: { src: 'inner', id: 'child', onError: {} } } as const;
    const old = setup({ actors: { inner } }).createMachine(config);
    const next = coordinator(setup({ actors: { member } }).createMachine({ id: 'outer' }), {
      migrate: [{ from: old }],
    });
    const outer = (machine: Coordinator) =>
      defineProcess('outer', async (ctx) => ctx.group('group', machine, null).output);
    const play = stage(outer(coordinator(old)));
    await (await driven(play)).run.close();
    const run = await open(withCode(play, outer(next)));
    await expect(run.drive()).rejects.toThrow(
      /^MIGRATION_FAILED: .*: actor `child` has the source `inner`, which its parent does not know; children go on as they are, so keep the actors that they were spawned by, and their states, or take the group over with `events`$/,
    );
    await run.close();
  });
  test('throw', () =>
    refused(
      {
        from: first(),
        events: () => {
          throw new Error('cannot');
        },
      },
      /MIGRATION_FAILED: .*: cannot/,
    ));
});

test('the version that a group was taken over from does not go on with what the newer one has come to', async () => {
  const version = (name: string, start: object, migrate: readonly Migration[] = []) =>
    coordinator(
      createMachine({
        id: 'sum',
        context: start,
        initial: 'open',
        states: { open: { on: { end: 'over' } }, over: { type: 'final' } },
        output: ({ context }) => context,
      }),
      { version: name, migrate },
    );
  const old = version('1', { sum: 1 });
  const next = version('2', { total: 1 }, [{ from: old, state: ({ value }) => ({ value, context: { total: 1 } }) }]);
  const summing = (machine: Coordinator) =>
    defineProcess('sum', async (ctx) => ctx.group('group', machine, null).output);
  const play = stage(summing(old));
  const newer = withCode(play, summing(next));
  await (await driven(play)).run.close();
  await (await driven(newer)).run.close();
  const stale = await open(play);
  // In silence, it would end with a context that it has no part in.
  await expect(stale.drive()).rejects.toThrow(
    /^NONDETERMINISM: group:group, entry 2: the group was taken over by version 2, and version 1 cannot take up its state \(.*\)\. Nothing is lost: pin version 2/,
  );
  await stale.close();
  const { run, end } = await driven(newer);
  await tell(run, 'end');
  expect(await end).toEqual({ status: 'completed', output: { total: 1 } });
  await run.close();
});

test('a background member of a group that has ended is not stopped because only its version is known', async () => {
  const version = (upgrade: Upgrade) =>
    coordinator(
      setup({ actors: { member } }).createMachine({
        id: 'leaving',
        initial: 'working',
        states: {
          working: {
            invoke: [
              { src: 'member', id: 'back', input: { background: true } },
              { src: 'member', id: 'front', input: {}, onDone: 'over' },
            ],
          },
          over: { type: 'final' },
        },
      }),
      upgrade,
    );
  const leaving = (machine: Coordinator) =>
    defineProcess('leaving', async (ctx) => ctx.group('group', machine, null).output);
  const play = stage(leaving(version({ version: '1' })), { back: hold, front: ok('done') });
  await (await driven(play)).run.close();
  const rule: Migration = { from: '1', events: ({ data }) => data };
  const run = await open(withCode(play, leaving(version({ version: '2', migrate: [rule] }))));
  await expect(run.drive()).rejects.toThrow(
    /^MIGRATION_FAILED: .*it has ended, and `back` goes on in the background; keep the old machine at hand \(`previous`\) until that has settled$/,
  );
  await run.close();
  const pinned = version({ version: '2', migrate: [rule], previous: [version({ version: '1' })] });
  const later = stage(leaving(pinned), { '*': ok('late') });
  await finished({ ...play, process: leaving(pinned), harness: later.harness });
  expect(await story(play)).toContain('member.settled back 2');
});

describe('a process that does not open what is recorded', () => {
  const forgetful = (says: string) => defineProcess('collecting', () => says);
  const forgotten = async (play: Stage) => {
    const run = await open(play);
    const error = await run.drive().catch((thrown: unknown) => thrown);
    await run.close();
    return (error as Error).message;
  };

  test('says from which version of its function to which it changed', async () => {
    const play = withCode(await begun(), forgetful('nothing'));
    expect(await forgotten(play)).toMatch(
      /^NONDETERMINISM: group `group`, entry 1: .* The process function changed \(version [0-9a-f]{16} → [0-9a-f]{16}\)\. Nothing is lost/,
    );
    const entries = await entriesOf(play.store);
    const versions = entries.flatMap(({ type, data }) =>
      type === 'epoch.taken' ? [(data as { readonly process: string }).process] : [],
    );
    expect(new Set(versions).size).toBe(2);
  });

  test('says so when its function is the same, comments aside', async () => {
    let opens = true;
    const process = defineProcess('collecting', async (ctx) =>
      opens ? ctx.group('group', first(), input).output : 'nothing',
    );
    const play = stage(process, { '*': hold });
    await (await driven(play)).run.close();
    opens = false;
    expect(await forgotten(play)).toMatch(
      /The process function is the same as before: it calls something that changed/,
    );
  });
});

describe('what stands in the way of both versions of a process function', () => {
  const asking = (name: string, prompt = '') =>
    defineProcess('asking', async (ctx) => [await ctx.task(name, { prompt }), await ctx.task('last', {})]);
  const held = async () => {
    const play = stage(asking('before'), { '*': hold });
    await (await driven(play)).run.close();
    return play;
  };
  const remedy = async (play: Stage) => {
    const error = await finished(play).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'NONDETERMINISM' });
    const [, at] =
      /or go on in a fork that ends before it: `troupe fork run --at (\d+)`\.$/.exec((error as Error).message) ?? [];
    return Number(at);
  };

  test('a renamed group: each goes on in the fork that its error names', async () => {
    const play = await held();
    const older = withCode(
      { ...play, harness: stage(asking('before'), { '*': ok('done') }).harness },
      asking('before'),
    );
    const newer = withCode(older, asking('after'));
    for (const [as, one] of [
      ['newer', newer],
      ['older', older],
    ] as const) {
      await forkRun({ store: play.store, from: 'run', at: await remedy(one), as });
      expect(await finished(one, { run: as })).toEqual({ status: 'completed', output: ['done', 'done'] });
    }
  });

  test('another input: another name for the group is no way to go on, and is not told as one', async () => {
    const play = await held();
    const other = withCode(play, asking('before', 'else'));
    const run = await open(other);
    await expect(run.drive()).rejects.toThrow(
      /^GROUP_MISMATCH: .* Open it with the input it was created with, take it over with `migrate`, or fork the run before it was created\.$/,
    );
    await run.close();
  });
});

describe('an upgrade', () => {
  test.each([
    [{ version: '' }, /expected `version` to be a text of 1 to 100 characters, got ""/],
    [{ previous: ['no'] }, /expected `previous` to be a list of machines/],
    [{ migrate: [{ from: 'v1' }] }, /the migration from version `v1` to have `events`/],
    [{ migrate: [{ from: 7 }] }, /expected `from` of a migration to be the old machine, or its version/],
    [{ migrate: [{ from: 'v1', events: () => null, state: () => null }] }, /`state` or `events`, not both/],
    [{ migrate: [{ from: 'v1', events: 'no' }] }, /expected the parts of a migration to be functions/],
  ])('%j is refused', (upgrade, message) => {
    expect(() => second(upgrade as never)).toThrow(message);
  });

  test('that names the machine itself is refused', () => {
    const machine = second();
    expect(() => coordinator(machine, { previous: [machine] })).toThrow(
      'expected an older machine, got the machine itself',
    );
  });
});
