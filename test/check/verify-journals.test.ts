/** Journals that were kept, and journals of this moment, are paths of today's machines; and what is no path is said in words. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { log } from 'xstate';
import { fail, ok, outcomes, protocol, verifyJournals } from 'troupe/check';
import type { GroupState, JournalModel, VerifiedJournal } from 'troupe/check';
import { fanOut, race, saga, type SagaInput } from 'troupe/machines';
import { after, changed, draftsOf, insert, written } from './journals/change.ts';
import { record, recordings } from './journals/record.ts';
import { faulty } from './mutants/faulty.ts';
import { begun, collecting, ended, fromEvents, fromState, withCode } from '../support/upgrading.ts';
import { second } from '../support/versions.ts';

const kept = fileURLToPath(new URL('journals', import.meta.url));
const names = Object.keys(recordings);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'troupe-journals-'));
  const suffix = process.env['TROUPE_RECORD'];
  for (const name of names) {
    const text = await record(name, folder);
    if (suffix !== undefined) await writeFile(join(kept, `${name}.${suffix}.jsonl`), text);
  }
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const machineOf = (name: string) => (recordings[name] as (typeof recordings)[string]).coordinator as JournalModel;
const fresh = (name: string) => join(folder, 'runs', name);
async function verified(file: string, model: JournalModel): Promise<VerifiedJournal> {
  const [one, ...others] = await verifyJournals(file, model);
  if (one === undefined || others.length > 0) throw new Error(`${file} is not one journal`);
  return one;
}

test.each(names)('%s: journals that were kept are paths of the machine as it is today', async (name) => {
  const results = await verifyJournals(join(kept, `${name}.*.jsonl`), machineOf(name));
  expect(results.map(({ message, isPath }) => [isPath, message])).toEqual(
    results.map(({ message }) => [true, expect.stringContaining('are a path of the model') && message]),
  );
  expect(results.length).toBeGreaterThan(0);
  for (const { groups } of results) expect(groups[0]?.entries).toBeGreaterThan(5);
});

test('no journal that was kept is left out', async () => {
  const files = (await readdir(kept)).filter((file) => file.endsWith('.jsonl'));
  expect(new Set(files.map((file) => basename(file).split('.')[0]))).toEqual(new Set(names));
});

test.each(names)('%s: a run of this moment is one, and all its digests are the same', async (name) => {
  const result = await verified(fresh(name), machineOf(name));
  expect(result).toMatchObject({ isPath: true, run: name, first: undefined, groups: [{ name, isSameVersion: true }] });
  expect(result.groups[0]?.digests).toBeGreaterThan(3);
});

const fine = outcomes(ok(), fail(), fail('overloaded'));
/** A protocol of its machine, with other members than were recorded: bounds and input are not compared. */
const sagas = (more: object = {}) =>
  protocol({
    coordinator: saga,
    input: { steps: [{ id: 'x' }] } as SagaInput,
    members: { '*': fine },
    properties: { always: { oneAtATime: (s) => s.wanted.length <= 1 } },
    ...more,
  }) as unknown as JournalModel;

describe('a protocol', () => {
  test('is what the run may do, and its properties hold after every entry', async () => {
    expect(await verified(fresh('saga'), sagas())).toMatchObject({ isPath: true });
    const never = sagas({
      properties: {
        always: { neverUndoes: (s: { readonly wanted: readonly string[] }) => !s.wanted.includes('a/undo') },
      },
    });
    const { first, message } = await verified(fresh('saga'), never);
    expect(first?.why).toBe('after it property `neverUndoes` does not hold');
    expect(message).toMatch(/group `saga`, entry \d+ \(member\.settled\) is not a step of machine `saga`/);
  });

  test('does not know of outcomes, messages and cancelling that are not in it', async () => {
    const sure = sagas({ members: { 'c': outcomes(ok()), '*': fine } });
    expect((await verified(fresh('saga'), sure)).first).toMatchObject({
      type: 'member.settled',
      why: 'member `c` fails (class `failed`), which the model does not let it do: add it to `members`',
    });
    const said = await changed(folder, 'saga', (entries) =>
      insert(entries, after('group.created'), 'signal', { id: 's', from: 'outside', event: { type: 'abort' } }),
    );
    expect((await verified(said, sagas())).first?.why).toContain(
      '`outside` says `abort`, which nobody says in the model',
    );
    const off = await changed(folder, 'saga', (entries) =>
      insert(entries, after('group.created'), 'group.cancelled', { reason: 'x' }),
    );
    expect((await verified(off, sagas())).first?.why).toContain('give it `cancel: true`');
  });

  test('is asked of a group that was cancelled, too, whose coordinator is gone', async () => {
    const file = await changed(folder, 'saga', (entries) => {
      const begun = entries.slice(0, entries.findIndex(after('attempt.started')) + 1);
      const cancelled = insert(begun, after('attempt.started'), 'group.cancelled', { reason: 'x' });
      return insert(cancelled, after('group.cancelled'), 'group.ended', { status: 'cancelled', reason: 'x' });
    });
    const always = {
      asksNobody: (s: GroupState) => s.status === 'active' || s.wanted.length === 0,
      isNowhereElse: (s: GroupState) => s.value !== 'elsewhere' && !s.matches('elsewhere'),
    };
    expect(await verified(file, sagas({ cancel: true, properties: { always } }))).toMatchObject({ isPath: true });
  });
});

describe('a machine that changed', () => {
  test('and still does all that was done is no other path, though its digests are others', async () => {
    const renamed = faulty(race, {
      guards: {},
      actions: {},
      states: (states) => void ((states['racing'] as { tags?: string }).tags = 'open'),
    });
    expect(await verified(fresh('race'), renamed as JournalModel)).toMatchObject({
      isPath: true,
      groups: [{ isSameVersion: false, digests: 0 }],
      message: expect.stringContaining('by another version of the machine') as string,
    });
  });

  test('and numbers otherwise what it asks for is no other path, either', async () => {
    const actions = ['noteResult', 'stopSettled', 'spawnNext', 'say', 'markProgress'];
    const talks = faulty(fanOut, {
      states: ({ working }) => void ((working?.on ?? {})['xstate.done.actor.*'] = { actions }),
      more: { say: log('a result') },
    });
    expect(await verified(fresh('fan-out'), talks as unknown as JournalModel)).toMatchObject({
      isPath: true,
      groups: [{ isSameVersion: false }],
    });
  });

  test('and no longer does is told by the first entry that is no step', async () => {
    const early = faulty(fanOut, {
      guards: {
        allSettled: ({ context }: { readonly context: { readonly settled: number } }) => context.settled === 3,
      },
    });
    const { first } = await verified(fresh('fan-out'), early as unknown as JournalModel);
    expect(first).toMatchObject({ type: 'attempt.started', why: 'member `c` is not wanted then; nobody is' });
    const forgets = faulty(saga, { states: ({ doing }) => void ((doing?.on ?? {})['xstate.error.actor.*'] = 'done') });
    const undone = await verified(fresh('saga'), forgets as unknown as JournalModel);
    expect(undone.first).toMatchObject({
      type: 'attempt.started',
      why: 'member `b/undo` is not wanted then; nobody is',
    });
  });
});

describe.each([
  ['from its state', fromState],
  ['by folding its inputs again', fromEvents],
])('a group that was taken over %s', (_how, rule) => {
  test('is a path: of both versions, or, where only the new one is at hand, from the takeover on', async () => {
    const play = await begun();
    const newer = second({ migrate: [rule] });
    await ended(withCode(play, collecting(newer)));
    const file = await written(folder, await draftsOf(play.store, 'run', true));
    const both = await verified(file, newer as JournalModel);
    expect(both).toMatchObject({ isPath: true, first: undefined });
    const alone = await verified(file, second() as JournalModel);
    expect(alone).toMatchObject({ isPath: true, first: undefined, groups: [{ isSameVersion: true }] });
    expect(alone.groups[0]?.booked).toBeGreaterThan(3);
    expect(alone.groups[0]?.digests).toBeGreaterThan(1);
    const never = await written(
      folder,
      (await draftsOf(play.store, 'run', false)).filter(({ type }) => type !== 'group.migrated'),
    );
    expect((await verified(never, second() as JournalModel)).isPath).toBe(false);
  });
});

describe('files', () => {
  test('a damaged one is a result that says where', async () => {
    const text = await readFile(join(fresh('race'), 'journal.jsonl'), 'utf8');
    const lines = text.split('\n');
    const damaged = join(folder, 'damaged.jsonl');
    await writeFile(damaged, lines.with(4, (lines[4] ?? '').replace('"attempt"', '"attempd"')).join('\n'));
    const result = await verified(damaged, machineOf('race'));
    expect(result).toMatchObject({ isPath: false, groups: [] });
    expect(result.message).toMatch(/JOURNAL_CORRUPT|checksum/);
  });

  test('none, or one that is no journal, is an error; so is no group of the machine a result', async () => {
    await expect(verifyJournals(join(kept, 'nothing-*.jsonl'), machineOf('race'))).rejects.toThrow(
      /BAD_INPUT.*no such file/,
    );
    await expect(verifyJournals(fileURLToPath(import.meta.url), machineOf('race'))).rejects.toThrow(
      /BAD_INPUT.*to be a journal/,
    );
    expect((await verified(fresh('race'), machineOf('quorum'))).message).toContain('no group of machine `quorum`');
    const all = await verifyJournals([fresh('race'), fresh('race'), join(folder, 'runs', 'ra*')], machineOf('race'));
    expect(all.map(({ run }) => run)).toEqual(['race']);
  });
});
