/** Journals that were kept, and journals of this moment, are paths of today's machines; and what is no path is said in words. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fail, ok, outcomes, protocol, verifyJournals, type JournalModel, type VerifiedJournal } from 'troupe/check';
import { fileStore } from 'troupe/journal';
import type { Entry, JsonValue } from 'troupe';
import { fanOut, race, saga, type SagaInput } from 'troupe/machines';
import { record, recordings } from './journals/record.ts';
import { faulty } from './mutants/faulty.ts';

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
    const said = await changed('saga', (entries) =>
      insert(entries, after('group.created'), 'signal', { id: 's', from: 'outside', event: { type: 'abort' } }),
    );
    expect((await verified(said, sagas())).first?.why).toContain(
      '`outside` says `abort`, which nobody says in the model',
    );
    const off = await changed('saga', (entries) =>
      insert(entries, after('group.created'), 'group.cancelled', { reason: 'x' }),
    );
    expect((await verified(off, sagas())).first?.why).toContain('give it `cancel: true`');
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

// — Journals that were changed —

type Draft = { stream: string; type: string; at: number; data: JsonValue; fold?: string };
const after = (type: string) => (entry: Draft) => entry.type === type;
function insert(entries: Draft[], where: (entry: Draft) => boolean, type: string, data: JsonValue): Draft[] {
  const at = entries.findIndex(where) + 1;
  return [
    ...entries.slice(0, at),
    { stream: 'group:' + groupOf(entries), type, at: entries[at]?.at ?? 0, data },
    ...entries.slice(at),
  ];
}
const groupOf = (entries: readonly Draft[]) =>
  entries.find(({ type }) => type === 'group.created')?.stream.slice(6) ?? '';
let copies = 0;

/** A journal with a run's entries, changed; a later machine has no digests to compare. */
async function changed(name: string, change: (entries: Draft[]) => Draft[], keepsDigests = false): Promise<string> {
  const source = await fileStore({ dir: folder }).open(name);
  const entries: Draft[] = [];
  for await (const batch of source.read())
    for (const { stream, type, at, data, fold } of batch as readonly Entry[])
      entries.push({ stream, type, at, data, ...(fold === undefined || !keepsDigests ? {} : { fold }) });
  await source.close();
  const run = `changed-${(copies += 1)}`;
  const journal = await fileStore({ dir: folder }).open(run, { create: true });
  const { epoch } = await journal.lease();
  const heads = new Map<string, number>();
  for (const { stream, ...event } of change(entries)) {
    const head = heads.get(stream) ?? 0;
    await journal.append(stream, head, epoch, [event]);
    heads.set(stream, head + 1);
  }
  await journal.close();
  return fresh(run);
}

const settled = (member: string, more: object = {}) =>
  ({ member, incarnation: 1, attempt: 1, outcome: { status: 'ok', output: 1 }, ...more }) as JsonValue;

test.each<readonly [string, string, (entries: Draft[]) => Draft[], RegExp]>([
  ['nothing', 'fan-out', (entries) => entries, /^$/],
  [
    'a result of nobody',
    'fan-out',
    (all) => insert(all, after('group.created'), 'member.settled', settled('z')),
    /attempt 1 of member `z` has a result, and had not begun/,
  ],
  [
    'an attempt of nobody',
    'fan-out',
    (all) => insert(all, after('group.created'), 'attempt.started', settled('d')),
    /member `d` is not wanted then; a, b are/,
  ],
  [
    'an attempt twice',
    'fan-out',
    (all) => insert(all, after('attempt.started'), 'attempt.started', settled('a', { attempt: 2 })),
    /attempt 2 of member `a` begins, and attempt 1 is still under way/,
  ],
  [
    'an attempt left out',
    'fan-out',
    (all) =>
      all.map((one) =>
        one.type === 'attempt.started' ? { ...one, data: { ...(one.data as object), attempt: 7 } } : one,
      ),
    /attempt 7 of member `a` begins, and 1 would be the next/,
  ],
  [
    'a timer that nobody set',
    'fan-out',
    (all) => insert(all, after('group.created'), 'timer.fired', { address: '', incarnation: 1, timer: 't', dueAt: 1 }),
    /timer `t` fires, and none is set/,
  ],
  [
    'a timer too early',
    'saga',
    (all) => all.map((one) => (one.type === 'timer.fired' ? { ...one, at: one.at - 1_000 } : one)),
    /timer `\S+` fires \d+ ms too early/,
  ],
  [
    'a gate that nobody opened',
    'escalation',
    (all) => all.filter(({ type }) => type !== 'gate.opened'),
    /gate `g` is answered, and nobody had opened it/,
  ],
  [
    'a checkpoint that nobody asked for',
    'race',
    (all) => insert(all, after('group.created'), 'checkpoint', { name: 'x', settled: 0, total: 1, effect: '1:9' }),
    /checkpoint `x` is recorded, which the machine does not ask for then/,
  ],
  [
    'a checkpoint that was never written',
    'fan-out',
    (all) => all.filter(({ type }) => type !== 'checkpoint'),
    /the group has ended, and what the machine asked for in entry \d+ \(troupe\.checkpoint\) was never recorded/,
  ],
  [
    'another end',
    'race',
    (all) =>
      all.map((one) => (one.type === 'group.ended' ? { ...one, data: { status: 'completed', output: 'me' } } : one)),
    /the group is completed with "me"; by the machine it is completed with \{.*"winner":"b"\}/,
  ],
  [
    'an end too early',
    'race',
    (all) => insert(all, after('group.created'), 'group.ended', { status: 'completed', output: 1 }),
    /by the machine it is active/,
  ],
  [
    'two ends',
    'race',
    (all) => [...all, ...all.filter(({ type }) => type === 'group.ended')],
    /the group ends, and had ended before/,
  ],
  ['no beginning', 'race', (all) => all.filter(({ type }) => type !== 'group.created'), /no group of machine `race`/],
])('%s in the journal of %s', async (_what, name, change, why) => {
  const result = await verified(await changed(name, change), machineOf(name));
  expect(result.first?.why ?? (result.isPath ? '' : result.message)).toMatch(why);
  expect(result.isPath).toBe(why.source === '^$');
});

test('another digest than the machine comes to', async () => {
  const file = await changed(
    'race',
    (all) =>
      all.map((one) =>
        one.fold === undefined ? one : { ...one, fold: one.fold.replace(/.$/, (last) => (last === '0' ? '1' : '0')) },
      ),
    true,
  );
  expect((await verified(file, machineOf('race'))).first?.why).toMatch(/recorded digest/);
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
