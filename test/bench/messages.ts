/** Messages between members beside signals to the coordinator, many members that talk, and routing decisions. */
import { setTimeout as pause } from 'node:timers/promises';
import { fanOut } from '../../machines/fan-out.ts';
import type { Attempt } from '../../src/harness/port.ts';
import type { Harness, JournalStore, Letter, Outcome } from '../../src/index.ts';
import { route, type RouteQuestion } from '../../src/harness/route.ts';
import { fileStore, memoryStore } from '../../src/journal/index.ts';
import { defineProcess } from '../../src/process/define-process.ts';
import { openRun } from '../../src/process/run.ts';
import { inTurns, rowOf, type Bench } from './measure/row.ts';
import { inFolder } from './measure/work-folder.ts';
import { desk } from './work/desk.ts';

/** Runs a group of talking members to its end; returns how long `talk` says it took, ms. */
async function talking(
  store: JournalStore,
  ids: readonly string[],
  talk: (attempt: Attempt) => Promise<void>,
): Promise<number> {
  const harness: Harness = {
    async perform(attempt): Promise<Outcome> {
      await talk(attempt);
      return { status: 'ok', output: null };
    },
  };
  const process = defineProcess('talk', async (ctx) => {
    await ctx.group('group', fanOut, { members: ids.map((id) => ({ id, harness: 'talk' })), concurrency: 256 }).output;
  });
  const options = { mailboxMax: 100_000, messagesPerMinuteMax: 10_000_000, concurrency: 2_000 };
  const run = await openRun({ store, process, run: 'talk', harnesses: { talk: harness }, ...options });
  const startedMs = performance.now();
  const end = await run.drive();
  const tookMs = performance.now() - startedMs;
  await run.close();
  if (end.status !== 'completed') throw new Error(`the run has ${end.status}`);
  return tookMs;
}

/** `sender` sends `count` letters to `reader`, so many at once, and the reader reads them all; messages per second. */
async function streamOf(store: JournalStore, count: number, inFlight: number): Promise<number> {
  let tookMs = 0;
  await talking(store, ['sender', 'reader'], async ({ member, mailbox }) => {
    if (member === 'reader') {
      for (let read = 0; read < count;) read += (await mailbox.inbox({ waitMs: 60_000, max: 1_000 })).length;
      return;
    }
    // The reader is there when it is known.
    while (mailbox.members().length < 2) await pause(1);
    let next = 0;
    const letterOf = (index: number): Letter => ({
      to: 'reader',
      type: 'note',
      body: `note ${index}: the second reader agrees with the first`,
      id: `note-${index}`,
    });
    const startedMs = performance.now();
    const loop = async () => {
      while (next < count) {
        next += 1;
        await mailbox.send(letterOf(next));
      }
    };
    await Promise.all(Array.from({ length: inFlight }, loop));
    tookMs = performance.now() - startedMs;
  });
  return count / (tookMs / 1_000);
}

/** The same number of signals to the coordinator from outside, so many at once; signals per second. */
async function signalsOf(store: JournalStore, count: number, inFlight: number): Promise<number> {
  const process = defineProcess('signals', async (ctx) => {
    await ctx.group('group', desk, { members: 1, harness: 'waits' }).output;
  });
  const waits: Harness = {
    perform: ({ signal }) =>
      new Promise((resolve) =>
        signal.addEventListener('abort', () => resolve({ status: 'cancelled', reason: 'closed' })),
      ),
  };
  const run = await openRun({ store, process, run: 'signals', harnesses: { waits } });
  const end = run.drive();
  while (true) {
    try {
      await run.signal('group', { type: 'ready' }, { id: 'ready' });
      break;
    } catch {
      await pause(1);
    }
  }
  let next = 0;
  const startedMs = performance.now();
  const loop = async () => {
    while (next < count) {
      next += 1;
      const event = { type: 'note', text: `note ${next}: the second reader agrees with the first` };
      await run.signal('group', event, { id: `note-${next}` });
    }
  };
  await Promise.all(Array.from({ length: inFlight }, loop));
  const tookMs = performance.now() - startedMs;
  await run.signal('group', { type: 'close' }, { id: 'close' });
  await end;
  await run.close();
  return count / (tookMs / 1_000);
}

/** The bench. */
export const messages: Bench = ({ smoke, row }) =>
  inFolder(async (dir) => {
    let runs = 0;
    const next = () => fileStore({ dir: `${dir}/${(runs += 1)}` });
    const rounds = smoke ? 1 : 5;
    const count = smoke ? 500 : 10_000;
    const target = { atLeast: 0.8 };
    const rivalName = 'signals that the coordinator notes';

    const durable = await inTurns(rounds, {
      ours: () => streamOf(next(), count, 64),
      signals: () => signalsOf(next(), count, 64),
    });
    const about = { name: 'messages member to member, 64 in flight', unit: 'messages/s', rivalName, target };
    row(rowOf({ ...about, level: 'D2' }, durable.ours, durable.signals));
    // Tens of milliseconds each: more of them, for a steadier median.
    const memory = await inTurns(rounds * 5, {
      ours: () => streamOf(memoryStore(), count, 64),
      signals: () => signalsOf(memoryStore(), count, 64),
    });
    row(rowOf({ ...about, name: `${about.name}, in memory`, level: 'D0' }, memory.ours, memory.signals));

    const size = smoke ? 20 : 1_000;
    const ids = Array.from({ length: size }, (_, index) => `m${index}`);
    const ring = await inTurns(smoke ? 1 : 3, {
      wall: () =>
        talking(next(), ids, async ({ member, mailbox }) => {
          for (let index = 0; index < 10; index += 1) {
            await mailbox.send({ to: 'coordinator', type: 'note', body: index, id: `${member}-${index}` });
          }
        }),
    });
    row(
      rowOf(
        {
          name: `${size} members, 10 messages each`,
          unit: 'ms',
          level: 'D2',
          note: 'spawn, 10 messages to the coordinator, settle; 256 at a time',
        },
        ring.wall,
        [],
      ),
    );

    const question = (index: number): RouteQuestion => ({
      member: 'm',
      invocation: { needs: ['code-review'], prefer: index % 3 === 0 ? ['h7'] : [] },
      harnesses: Array.from({ length: 10 }, (_, number) => ({
        name: `h${number}`,
        capabilities: number % 2 === 1 ? ['code', 'code-review'] : ['code'],
        running: (index + number) % 5,
        concurrency: 4,
        openUntil: undefined,
      })) as unknown as RouteQuestion['harnesses'],
      defaultHarness: undefined,
      fallback: undefined,
      order: index,
      failures: [],
    });
    const questions = Array.from({ length: 1_000 }, (_, index) => question(index));
    const decisions = await inTurns(rounds, {
      routing() {
        const startedMs = performance.now();
        const times = smoke ? 1 : 100;
        for (let time = 0; time < times; time += 1) for (const one of questions) route(one);
        return (times * questions.length) / ((performance.now() - startedMs) / 1_000);
      },
    });
    row(
      rowOf(
        { name: 'routing decisions', unit: 'decisions/s', level: 'D0', note: '10 harnesses, 5 of which match' },
        decisions.routing,
        [],
      ),
    );
  });
