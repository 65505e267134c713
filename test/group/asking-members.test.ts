/** What a running member asks of its group besides mail: gates, its session, and the books of what it spends. */
import { describe, expect, test } from 'vitest';
import { defineProcess, verifyRun, type Harness, type JsonValue, type Outcome } from 'troupe';
import type { Attempt } from 'troupe/harness';
import { fanOut } from 'troupe/machines';
import { gatesOf } from '../../src/group/gates.ts';
import { emptyLedger } from '../../src/group/ledger.ts';
import { entriesOf } from '../support/dying-store.ts';
import { passing, settle } from '../support/hand-clock.ts';
import { driven, finished, killed, open, stage, type Stage } from '../support/running.ts';

type Perform = (attempt: Attempt) => Promise<Outcome>;

const playing = (perform: Perform, invocation: { readonly [name: string]: JsonValue } = {}): Stage => {
  const process = defineProcess(
    'asking',
    (ctx) => ctx.group('group', fanOut, { members: [{ id: 'a', harness: 'agent', ...invocation }] }).output,
  );
  const agent: Harness = { perform };
  return stage(process, {}, { harnesses: { agent, other: agent } });
};
const ok = (output: JsonValue = null, usage = {}): Outcome => ({ status: 'ok', output, usage });
const failing = (usage = {}): Outcome => ({
  status: 'error',
  class: 'crashed',
  error: { name: 'Error', message: 'died' },
  usage,
});

const dataOf = async (play: Stage, type: string) =>
  (await entriesOf(play.store)).filter((entry) => entry.type === type).map(({ data }) => data);

describe('a gate of a running member', () => {
  const question = { name: 'shell', question: 'May it run `ls`?', data: { tool: 'shell' } };
  const asks: Perform = async (attempt) => ok({ ...(await attempt.gate(question)) });

  test('is an entry, is answered from outside, and the member hears the answer', async () => {
    const play = playing(asks);
    const { run, end } = await driven(play);
    expect(await dataOf(play, 'gate.opened')).toEqual([{ ...question, name: 'a/shell', by: 'a', incarnation: 1 }]);
    await run.answer({ group: 'group', gate: 'a/shell', approved: true, note: 'fine' });
    expect(await end).toMatchObject({
      output: { results: [{ output: { approved: true, note: 'fine', by: 'outside' } }] },
    });
    await run.close();
    await verifyRun({ store: play.store, run: 'run', process: play.process });
  });

  test('asked again, by this attempt or the next, it is the same question with the same answer', async () => {
    const heard: boolean[] = [];
    const play = playing(
      async (attempt) => {
        const both = await Promise.all([attempt.gate(question), attempt.gate(question)]);
        heard.push(...both.map(({ approved }) => approved), (await attempt.gate(question)).approved);
        return attempt.attempt === 1 ? failing() : ok();
      },
      { retry: { attempts: 2 } },
    );
    const { run, end } = await driven(play);
    await run.answer({ gate: 'a/shell', approved: true, note: '' });
    expect(await passing(play.clock, end)).toMatchObject({ status: 'completed' });
    expect(heard).toEqual([true, true, true, true, true, true]);
    expect(await dataOf(play, 'gate.opened')).toHaveLength(1);
    await run.close();
  });

  test('survives its host at every append: opened once, answered once, heard', async () => {
    for (let atAppend = 1; atAppend < 40; atAppend += 1) {
      const play = playing(asks);
      const died = await killed(play, { atAppend, isWritten: atAppend % 2 === 0 }).catch(() => 'stuck');
      play.store.abandon('run');
      const run = await open(play);
      const end = run.drive();
      await settle();
      await run.answer({ gate: 'a/shell', approved: false, note: 'no' });
      expect(await end).toMatchObject({ output: { results: [{ output: { approved: false } }] } });
      await run.close();
      expect(await dataOf(play, 'gate.opened')).toHaveLength(1);
      if (died === 'stuck') return;
    }
    throw new Error('the host never got as far as the gate');
  });

  test('is withdrawn when its member ends, and nobody waits for it', async () => {
    let refused: unknown;
    const play = playing(async (attempt) => {
      attempt.gate(question).catch((error: unknown) => (refused = error));
      await settle();
      return ok();
    });
    const { run, end } = await driven(play);
    expect(await end).toMatchObject({ status: 'completed' });
    await expect(run.answer({ gate: 'a/shell', approved: true, note: '' })).rejects.toThrow('UNKNOWN_GATE');
    expect(refused).toMatchObject({ code: 'CANCELLED' });
    await run.close();
  });

  test('of another incarnation is another question', () => {
    const ledger = emptyLedger('group');
    const gate = { name: 'a/shell', question: '?', openedAt: 0, by: 'a', incarnation: 1 };
    ledger.gates.set('a/shell', { ...gate, answer: { approved: true, note: '', by: 'outside', at: 1 } });
    const pushed: string[] = [];
    const gates = gatesOf('group', ledger, (type) => void pushed.push(type));
    const heard: number[] = [];
    for (const incarnation of [1, 2])
      gates.ask({ address: 'a', incarnation }, { name: 'shell', question: '?' }, () => void heard.push(incarnation));
    expect([heard, pushed]).toEqual([[1], ['gate.opened']]);
  });
});

describe('the session of an attempt', () => {
  test('is charged with what was spent in it only', async () => {
    const found: unknown[] = [];
    const play = playing(
      async (attempt) => {
        found.push(attempt.previousSessionSpent.tokens);
        if (attempt.attempt === 1) await attempt.session('the one');
        return attempt.attempt < 3 ? failing({ tokens: attempt.attempt * 10 }) : ok();
      },
      { retry: { attempts: 3 } },
    );
    expect(await finished(play)).toMatchObject({ status: 'completed' });
    expect(found).toEqual([0, 10, 10]);
  });

  test('is durable before it resolves, and the next attempt by the same harness finds it; another harness does not', async () => {
    const found: unknown[] = [];
    const play = playing(
      async (attempt) => {
        expect(attempt.previousSessionData).toEqual(attempt.previousSession === undefined ? undefined : { pid: 7 });
        found.push([attempt.previousSession, attempt.previousSessionSpent, attempt.spentBefore]);
        await attempt.session(`session-${attempt.attempt}`, { pid: 7 });
        const recorded = await dataOf(play, 'attempt.session');
        expect(recorded.at(-1)).toMatchObject({ session: `session-${attempt.attempt}`, data: { pid: 7 } });
        attempt.progress({ usage: { tokens: 5 } });
        return attempt.attempt < 4 ? failing({ tokens: 10, costUsd: 1 }) : ok(null, { tokens: 1 });
      },
      { retry: { attempts: 4 }, fallback: { crashed: ['other'] } },
    );
    expect(await finished(play)).toMatchObject({ status: 'completed' });
    const none = { tokens: 0, costUsd: 0 };
    expect(found.slice(0, 2)).toEqual([
      [undefined, none, none],
      [undefined, none, { tokens: 10, costUsd: 1 }],
    ]);
    expect(found.slice(2)).toEqual([
      ['session-1', { tokens: 10, costUsd: 1 }, { tokens: 20, costUsd: 2 }],
      ['session-3', { tokens: 10, costUsd: 1 }, { tokens: 30, costUsd: 3 }],
    ]);
  });

  test('an attempt that its host took with it is followed by one that knows its session', async () => {
    const found: (string | undefined)[] = [];
    const play = playing(async (attempt) => {
      found.push(attempt.previousSession);
      if (attempt.previousSession !== undefined) return ok();
      await attempt.session('the one');
      return new Promise<Outcome>(() => {});
    });
    await driven(play);
    play.store.abandon('run');
    expect(await finished(play)).toMatchObject({ status: 'completed' });
    expect(found).toEqual([undefined, 'the one']);
  });
});

describe('what an attempt tells of its spending', () => {
  const later = async ({ clock }: Stage) => {
    clock.advance(5_000);
    await settle();
  };

  test('counts while it runs, once, and again nothing when it ends or its host dies', async () => {
    const books: unknown[] = [];
    const play = playing(
      async (attempt) => {
        books.push(attempt.spentBefore);
        attempt.progress({ usage: { tokens: 30, costUsd: 0.5 } });
        await later(play);
        attempt.progress({ usage: { tokens: 40, costUsd: 0.5 } });
        await later(play);
        if (attempt.attempt === 1) return new Promise<Outcome>(() => {});
        return attempt.attempt === 2 ? failing({ tokens: 41, costUsd: 0.5 }) : ok(null, { tokens: 40 });
      },
      { retry: { attempts: 3 } },
    );
    await driven(play);
    await settle();
    play.store.abandon('run');
    expect(await finished(play)).toMatchObject({ status: 'completed' });
    expect(books).toEqual([
      { tokens: 0, costUsd: 0 },
      { tokens: 40, costUsd: 0.5 },
      { tokens: 81, costUsd: 1 },
    ]);
  });
});

test('questions of two members are two gates, whatever slashes there are in names', () => {
  const opened: string[] = [];
  const gates = gatesOf(
    'group',
    emptyLedger('group'),
    (_type, data) => void opened.push((data as { name: string }).name),
  );
  gates.ask({ address: 'a', incarnation: 1 }, { name: 'b/c', question: 'May a?' }, () => {});
  gates.ask({ address: 'a/b', incarnation: 1 }, { name: 'c', question: 'May b?' }, () => {});
  expect(opened).toEqual(['a/b/c', 'a%2Fb/c']);
});

test.each<[string, (attempt: Attempt, data: JsonValue) => Promise<unknown>]>([
  ['a checkpoint', ({ mailbox }, data) => mailbox.checkpoint({ name: 'half', settled: 1, total: 2, data })],
  ['a question', ({ gate }, data) => gate({ name: 'shell', question: 'May it?', data })],
  ['a session', ({ session }, data) => session('s1', data)],
])('what cannot be recorded of %s is refused to who said it, and stops nobody else', async (_what, says) => {
  const codes: unknown[] = [];
  const play = playing(async (attempt) => {
    for (const data of [1n as unknown as JsonValue, 'x'.repeat(2_000)])
      await says(attempt, data).catch(({ code }: { readonly code: string }) => codes.push(code));
    return ok();
  });
  expect(await finished(play, { payloadBytesMax: 1_000 })).toMatchObject({ status: 'completed' });
  expect(codes).toEqual(['NOT_JSON', 'ENTRY_TOO_LARGE']);
});
