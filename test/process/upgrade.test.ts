/** A machine that changes while groups of it are under way: pinned to the old version, or taken over by the new one. */
import { describe, expect, test } from 'vitest';
import { coordinator, defineProcess, forkRun, verifyRun, type Coordinator, type Harness, type Migration } from 'troupe';
import { hold, ok } from 'troupe/harness';
import { caller } from '../support/caller.ts';
import { entriesOf } from '../support/dying-store.ts';
import { passing, settle } from '../support/hand-clock.ts';
import { driven, finished, killed, open, stage, story, tell, type Stage } from '../support/running.ts';
import { begun, collecting, ended, fromEvents, fromState, judged, withCode } from '../support/upgrading.ts';
import { first, second, type CollectInput } from '../support/versions.ts';

const settledIn = async (play: Stage) =>
  (await story(play)).filter((line) => line.startsWith('member.settled')).toSorted();

describe('a group that an older version began', () => {
  test('goes on with that version where it is one of `previous`, and new groups have the new one', async () => {
    const play = await begun();
    const newer = second({ previous: [first()] });
    expect(await ended(withCode(play, collecting(newer)))).toEqual({
      status: 'completed',
      output: { ids: ['a', 'b', 'c'], came: ['A', 'B', 'C'], notes: ['hm'] },
    });
    expect(await settledIn(play)).toEqual(['member.settled a 1', 'member.settled b 2', 'member.settled c 2']);
    const check = await verifyRun({ store: play.store, run: 'run', process: collecting(newer) });
    expect(check.groups[0]).toMatchObject({ booked: 0 });
    expect(check.groups[0]?.digests).toBeGreaterThan(3);
    expect(await ended(withCode(stage(collecting(newer)), collecting(newer)))).toEqual(judged([]));
  });

  test('without it the divergence is told, with the three ways to go on', async () => {
    const play = await begun();
    const run = await open(withCode(play, collecting(second())));
    await expect(run.drive()).rejects.toThrow(
      /NONDETERMINISM: group `group`, entry \d+: .*The machine changed .*pin the old machine \(`coordinator\(machine, \{ previous: \[old\] \}\)`\), take its groups over with `migrate`, or fork the run before that entry: its position, for `troupe fork --at`, stands first in `troupe log --group`\./,
    );
    await run.close();
  });

  test('a declared version that stayed while the machine changed is told as what it may be', async () => {
    const play = await begun(first({ version: '1' }));
    const run = await open(withCode(play, collecting(second({ version: '1' }))));
    await expect(run.drive()).rejects.toThrow(
      /NONDETERMINISM: group `group`, entry \d+: .*declared version is the same \(1\): .*, or it changed and its version did not \(give it another one then\)\./,
    );
    await run.close();
  });

  test('is known by its declared version, however its functions are written', async () => {
    const play = await begun(first({ version: '1' }));
    // Not the same source: known by its name alone.
    const rewritten = coordinator(
      first().provide({ guards: { unused: () => true } } as never) as Coordinator<CollectInput, unknown>,
      { version: '1' },
    );
    const newer = second({ version: '2', previous: [rewritten] });
    expect(await ended(withCode(play, collecting(newer)))).toMatchObject({ output: { notes: ['hm'] } });
  });
});

describe.each([
  ['from its state', fromState],
  ['by folding its inputs again', fromEvents],
])('a group is taken over %s', (_how, rule) => {
  const newer = () => second({ migrate: [rule] });

  test('whatever had settled stays so, what was under way goes on, and the journal says so', async () => {
    const play = await begun();
    const upgraded = withCode(play, collecting(newer()));
    const end = await ended(upgraded);
    expect(end).toEqual(judged([expect.stringMatching(/^[0-9a-f]{16}$/)]));
    expect(await settledIn(play)).toEqual([
      'member.settled a 1',
      'member.settled b 2',
      'member.settled c 2',
      'member.settled judge 1',
    ]);
    const marks = (await story(play, 'group:group', ['name'])).filter((line) => line.startsWith('checkpoint'));
    expect(marks).toEqual(['checkpoint came 1', 'checkpoint came 2', 'checkpoint came 3']);
    const check = await verifyRun({ store: play.store, run: 'run', process: upgraded.process });
    expect(check.groups[0]).toMatchObject({ booked: 0 });
    // The migration is not needed any more, nor is the old machine: what it did can only be read then.
    const later = await verifyRun({ store: play.store, run: 'run', process: collecting(second()) });
    expect(later.groups[0]?.booked).toBeGreaterThan(3);
  });

  test('a host that is killed at any append around it is no matter', async () => {
    for (const isWritten of [true, false]) {
      for (let atAppend = 1; ; atAppend += 1) {
        const play = await begun();
        const upgraded = withCode(play, collecting(newer()));
        const script = { a: ok('A'), b: ok('B'), c: ok('C'), judge: ok('fine') } as const;
        const dying: Stage = { ...upgraded, harness: stage(upgraded.process, script).harness };
        // It waits at its gate, for ever, once it is not killed before.
        const died = await killed(dying, { atAppend, isWritten }).catch(() => 'waits');
        play.store.abandon('run');
        expect(await ended(upgraded)).toMatchObject({ status: 'completed', output: { verdict: 'fine' } });
        const types = (await story(play)).filter((line) => /^(group.migrated|gate.opened|group.ended)/.test(line));
        expect(types).toEqual(['group.migrated', 'gate.opened', 'group.ended']);
        expect((await settledIn(play)).map((line) => line.split(' ')[1])).toEqual(['a', 'b', 'c', 'judge']);
        await verifyRun({ store: play.store, run: 'run', process: upgraded.process });
        if (died !== 'waits') continue;
        expect(atAppend).toBeGreaterThan(6);
        break;
      }
    }
  });

  test('forks before it and after it go on, each with its own version', async () => {
    const play = await begun();
    const upgraded = withCode(play, collecting(newer()));
    const end = await ended(upgraded);
    const all = await entriesOf(play.store);
    const at = all.findIndex(({ type }) => type === 'group.migrated') + 1;
    for (const position of [at - 1, at, at + 1]) {
      const forked = { ...upgraded, options: { ...upgraded.options, run: `fork-${position}` } };
      await forkRun({ store: play.store, from: 'run', at: position, as: `fork-${position}` });
      expect(await ended(forked as Stage)).toEqual(end);
      await verifyRun({ store: play.store, run: `fork-${position}`, process: upgraded.process });
    }
    // Before it, the old code still does.
    await forkRun({ store: play.store, from: 'run', at: at - 2, as: 'old' });
    const old = { ...play, options: { run: 'old' } } as Stage;
    expect(await ended(old)).toMatchObject({ output: { notes: ['hm'] } });
  });

  test('once it is recorded, neither the old machine nor the migration is needed', async () => {
    const play = await begun();
    const upgraded = withCode(play, collecting(newer()));
    const { run } = await driven(upgraded);
    await run.send('group', { to: 'b', type: 'hint', body: 'look there', id: 'hint' });
    await settle();
    // It dies: there is no snapshot that knows the new state too.
    play.store.abandon('run');
    const plain = withCode(play, collecting(second()));
    expect(await ended(plain)).toEqual(judged([expect.any(String)]));
    await verifyRun({ store: play.store, run: 'run', process: plain.process });
  });

  test('mail that nobody had read is still there, once', async () => {
    const play = stage(collecting(first()), { a: hold, b: hold, c: hold });
    const { run } = await driven(play);
    await run.send('group', { to: 'b', type: 'hint', body: 'look there', id: 'hint' });
    await run.close();
    const heard: unknown[] = [];
    const reading: Harness = {
      async perform({ member: id, mailbox }) {
        for (const { body } of await mailbox.inbox()) heard.push([id, body]);
        return id === 'judge' ? ok('fine') : await new Promise(() => {});
      },
    };
    const upgraded = withCode(play, collecting(newer()));
    // The first host takes it over and dies; what the next one knows of the mail stands in the journal alone.
    await driven(upgraded);
    play.store.abandon('run');
    await driven(withCode(play, collecting(second())), { harnesses: { reading }, defaultHarness: 'reading' });
    expect(heard).toEqual([['b', 'look there']]);
    play.store.abandon('run');
  });

  test('it is restored from snapshots that were written after it, and from none', async () => {
    for (const snapshotEvery of [1, 1_000]) {
      const play = await begun();
      const upgraded = { ...withCode(play, collecting(newer())), options: { snapshotEvery } };
      const { run } = await driven(upgraded);
      await run.close();
      expect(await ended(upgraded)).toEqual(judged([expect.any(String)]));
      await verifyRun({ store: play.store, run: 'run', process: upgraded.process });
    }
  });
});

describe('inputs of a group that is taken over', () => {
  test('may change their shape, and later iterations are held to the new one', async () => {
    const play = await begun();
    const rule: Migration = {
      ...fromState,
      input: (old) => ({ ids: [...(old as unknown as CollectInput).ids], shape: 2 }),
    } as Migration;
    const given = { ids: ['a', 'b', 'c'], shape: 2 } as CollectInput;
    const newer = second({ migrate: [rule] });
    const upgraded = withCode(play, collecting(newer, given));
    const { run } = await driven(upgraded);
    await run.close();
    const stale = await open(withCode(play, collecting(newer)));
    await expect(stale.drive()).rejects.toThrow('GROUP_MISMATCH');
    await stale.close();
    expect(await ended(upgraded)).toEqual(judged([expect.any(String)]));
  });
});

test('a timer of a state that stays keeps its moment', async () => {
  const newer = first({
    version: 'new',
    migrate: [
      {
        from: first(),
        state: ({ value, context }) => ({ value, context: { ...(context as object), notes: ['kept'] } }),
      },
    ],
  });
  const play = await begun();
  play.clock.advance(30_000);
  const { run, end } = await driven(withCode(play, collecting(newer)));
  play.clock.advance(29_000);
  await settle();
  expect((await story(play)).includes('group.ended')).toBe(false);
  play.clock.advance(1_100);
  expect(await passing(play.clock, end)).toEqual({ status: 'completed', output: 'late' });
  await run.close();
});

test('an id that a stopped member had gets an incarnation that the journal has not seen', async () => {
  const process = (machine: typeof caller) =>
    defineProcess('calling', async (ctx) => ctx.group('group', machine, {}).output);
  const play = stage(process(caller), { '*': hold });
  const { run } = await driven(play);
  await tell(run, 'spawn', { id: 'x' });
  await tell(run, 'stop', { id: 'x' });
  await run.close();
  const forgetful = coordinator(caller.provide({}) as typeof caller, {
    version: 'forgetful',
    migrate: [{ from: caller, events: () => undefined }],
  });
  const next = await driven(withCode(play, process(forgetful)));
  await tell(next.run, 'spawn', { id: 'x' });
  const starts = (await story(play, 'group:group', ['member', 'incarnation'])).filter((line) =>
    line.startsWith('attempt.started'),
  );
  expect(starts).toEqual(['attempt.started x 1', 'attempt.started x 2']);
  await next.run.close();
  await verifyRun({ store: play.store, run: 'run', process: process(forgetful) });
});

test('a run of which only the version is known is folded again by its inputs', async () => {
  const play = await begun(first({ version: 'lost' }));
  const newer = second({ migrate: [{ from: 'lost', events: fromEvents.events as never }] });
  const upgraded = withCode(play, collecting(newer));
  const before = await verifyRun({ store: play.store, run: 'run', process: upgraded.process });
  expect(before.groups[0]?.booked).toBeGreaterThan(3);
  expect(await ended(upgraded)).toEqual(judged(['lost']));
  await verifyRun({ store: play.store, run: 'run', process: upgraded.process });
  expect(await finished(upgraded)).toEqual(judged(['lost']));
});
