/** What is no path is found, whatever is wrong with it: journals of real runs in which one thing is changed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { outcomes, ok, protocol, verifyJournals, type JournalModel } from 'troupe/check';
import type { JsonValue } from 'troupe';
import { quorum } from 'troupe/machines';
import { after, changed, edited, insert, type Draft } from './journals/change.ts';
import { record, recordings } from './journals/record.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'troupe-journals-'));
  for (const name of ['escalation', 'fan-out', 'nested', 'quorum', 'race', 'saga']) await record(name, folder);
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const machineOf = (name: string) => (recordings[name] as (typeof recordings)[string]).coordinator as JournalModel;
async function found(file: string, model: JournalModel): Promise<{ readonly isPath: boolean; readonly why: string }> {
  const [{ first, message, isPath } = { first: undefined, message: 'none', isPath: false }] = await verifyJournals(
    file,
    model,
  );
  return { isPath, why: first?.why ?? (isPath ? '' : message) };
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
    (all) => edited(all, 'attempt.started', { attempt: 7 }),
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
    'a timer set for another time',
    'saga',
    (all) => edited(all, 'timer.fired', { dueAt: 7 }),
    /timer `\S+` fires as due at 7, and is set for \d+/,
  ],
  [
    'an attempt that fails before it begins',
    'fan-out',
    (all) =>
      insert(
        all,
        after('group.created'),
        'attempt.failed',
        settled('a', { error: { name: 'E', message: 'e' }, class: 'failed', retryAt: 1 }),
      ),
    /attempt 1 of member `a` fails, and had not begun/,
  ],
  [
    'a result of another attempt than the one under way',
    'fan-out',
    (all) => {
      const first = all.findIndex(after('member.settled'));
      const one = all[first] as Draft;
      return all.with(first, { ...one, data: { ...(one.data as object), attempt: 2 } as JsonValue });
    },
    /attempt 2 of member `a` has a result, and had not begun; attempt 1 is under way/,
  ],
  [
    'a place in the queue for nobody',
    'fan-out',
    (all) => insert(all, after('group.created'), 'attempt.queued', settled('z', { harness: 'x' })),
    /member `z` is not wanted then; a, b are/,
  ],
  [
    'a letter to nobody',
    'fan-out',
    (all) =>
      insert(all, after('group.created'), 'letter.dead', {
        to: 'z',
        from: '',
        letter: null,
        reason: 'gone',
        effect: '1:7',
      }),
    /a dead letter to `z` is recorded, which the machine does not ask for then/,
  ],
  [
    'something emitted that was not',
    'fan-out',
    (all) => insert(all, after('group.created'), 'emitted', { event: { type: 'note' }, effect: '1:7' }),
    /`note` is recorded, which the machine does not ask for then/,
  ],
  [
    'another checkpoint than was asked for',
    'fan-out',
    (all) => edited(all, 'checkpoint', { settled: 99 }),
    /checkpoint `checkpoint 1` is recorded, which the machine does not ask for then/,
  ],
  [
    'a second beginning',
    'race',
    (all) => insert(all, after('group.created'), 'group.created', all.find(after('group.created'))?.data ?? null),
    /a group begins with group\.created, once, and with nothing else/,
  ],
  [
    'a gate that nobody opened',
    'escalation',
    (all) => all.filter(({ type }) => type !== 'gate.opened'),
    /gate `g` is answered, and nobody had opened it/,
  ],
  [
    'the gate of a nested machine that nobody opened',
    'nested',
    (all) => all.filter(({ type }) => type !== 'gate.opened'),
    /gate `fix\/g` is answered, and nobody had opened it/,
  ],
  [
    'the gate of a nested machine as another one’s',
    'nested',
    (all) => edited(all, 'gate.opened', { name: 'c/g', by: 'c' }),
    /gate `c\/g` is recorded, which the machine does not ask for then/,
  ],
  [
    'a gate that is withdrawn while its machine waits there',
    'nested',
    (all) => insert(all, after('gate.opened'), 'gate.withdrawn', { name: 'fix/g', by: 'fix', incarnation: 1 }),
    /gate `fix\/g` is withdrawn, and `fix` still waits there/,
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
  const result = await found(await changed(folder, name, change), machineOf(name));
  expect(result.why).toMatch(why);
  expect(result.isPath).toBe(why.source === '^$');
});

test('another digest than the machine comes to', async () => {
  const file = await changed(
    folder,
    'race',
    (all) =>
      all.map((one) =>
        one.fold === undefined ? one : { ...one, fold: one.fold.replace(/.$/, (last) => (last === '0' ? '1' : '0')) },
      ),
    true,
  );
  expect((await found(file, machineOf('race'))).why).toMatch(/recorded digest/);
});

test('a message that no member of the model sends', async () => {
  const model = protocol({ coordinator: quorum, input: { members: [{ id: 'a' }] }, members: { '*': outcomes(ok()) } });
  const data = { id: 'm', from: 'a', to: '', type: 'hello', body: null };
  const file = await changed(folder, 'quorum', (all) => insert(all, after('attempt.started'), 'message', data));
  expect((await found(file, model as unknown as JournalModel)).why).toContain('`a` says `hello`, which nobody says');
  const talks = protocol({ ...model.options, messages: [{ from: 'a', type: 'hello' }] } as never);
  expect(await found(file, talks as unknown as JournalModel)).toEqual({ isPath: true, why: '' });
});
