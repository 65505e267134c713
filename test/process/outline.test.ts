/** A run is taken up by the outline that its last host left, and nobody can tell: not the process, not its groups (G6, G9). */
import { describe, expect, test } from 'vitest';
import { assign, setup } from 'xstate';
import { checkpoint, coordinator, defineProcess, openRun, type Run } from 'troupe';
import { fileStore, memoryFileSystem, type FileSystem, type Processes } from 'troupe/journal';
import { fakeProcesses, type FakeProcess } from '../journal/support.ts';
import { handClock, settle, type HandClock } from '../support/hand-clock.ts';

const logbook = coordinator(
  setup({
    types: {} as { context: { notes: number }; events: { type: 'close' } | { type: 'mark' } | { type: 'note' } },
  }).createMachine({
    id: 'logbook',
    context: { notes: 0 },
    on: {
      note: { actions: assign({ notes: ({ context }) => context.notes + 1 }) },
      mark: {
        actions: checkpoint(({ context }) => ({ name: `after ${context.notes}`, settled: 0, total: 0 })),
      },
      close: '.closed',
    },
    initial: 'open',
    states: { open: {}, closed: { type: 'final' } },
    output: ({ context }) => context.notes,
  }),
);

/** At each mark the process sends a note of its own; what it sees, and when, is kept pass by pass. */
function watching() {
  const passes: string[][] = [];
  const process = defineProcess('watching', async (ctx) => {
    const seen: string[] = [];
    passes.push(seen);
    const tell = (text: string) => seen.push(`${ctx.now()} ${text}`);
    const book = ctx.group('book', logbook, null);
    await book.send({ type: 'note' }, { id: 'first' });
    tell('began');
    for await (const mark of book.checkpoints) {
      tell(mark.name);
      await book.send({ type: 'note' }, { id: `own ${mark.name}` });
      tell(`noted ${mark.name}`);
      if (mark.name === 'after 808') {
        // An outsider has sent a signal of this id long ago.
        await book.send({ type: 'note' }, { id: 'note 17' });
        tell('sent what was sent');
      }
    }
    return book.output;
  });
  return { process, passes };
}

const checked = '/data/runs/run/lease/checked.json';

interface Place {
  readonly fs: FileSystem & { peek(path: string): Buffer | undefined };
  readonly clock: HandClock;
  readonly watched: ReturnType<typeof watching>;
  readonly processes?: () => Processes;
}

async function opened({ fs, clock, watched, processes }: Place): Promise<Run> {
  const run = await openRun({
    store: fileStore({ dir: '/data', fs, ...(processes === undefined ? {} : { processes: processes() }) }),
    process: watched.process as never,
    run: 'run',
    harnesses: {},
    clock,
  });
  run.drive().catch(() => {});
  await settle();
  return run;
}

/** Notes from outside, one each ms, and after every hundred of them a mark. */
async function write(run: Run, clock: HandClock, from: number, to: number): Promise<void> {
  for (let note = from; note < to; note += 1) {
    clock.advance(1);
    await run.signal('book', { type: 'note' }, { id: `note ${note}` });
    if (note % 100 !== 99) continue;
    clock.advance(1);
    await run.signal('book', { type: 'mark' }, { id: `mark ${note}` });
    await settle();
  }
  await settle();
}

async function written() {
  const place: Place = { fs: memoryFileSystem(), clock: handClock(), watched: watching() };
  const run = await opened(place);
  await write(run, place.clock, 0, 750);
  await run.close();
  return place;
}

/** The pass comes to see this; it has as many turns of the event loop as it takes. */
async function sees(pass: () => unknown, expected: unknown): Promise<void> {
  await expect.poll(pass, { timeout: 10_000 }).toEqual(expected);
}

const outlineOf = ({ fs }: Pick<Place, 'fs'>) =>
  (JSON.parse(String(fs.peek(checked))) as { outline?: { data: { entries: unknown[] } } }).outline;

describe('a run that is taken up by the outline of its log', () => {
  test('goes on where it was: the process sees the same things at the same times as without', async () => {
    const place = await written();
    const { fs, clock, watched } = place;
    expect(outlineOf(place)?.data.entries.length).toBeLessThan(50);
    const again = await opened(place);
    await sees(() => watched.passes[1], watched.passes[0]);
    expect(watched.passes[0]?.length).toBe(1 + 2 * 7);
    await write(again, clock, 750, 800);
    await again.close();
    await fs.unlink(checked);
    const bare = await opened(place);
    await sees(() => watched.passes[2], watched.passes[1]);
    expect(watched.passes[1]?.at(-1)).toMatch('sent what was sent');
    await bare.close();
    // An outline of an outline's run.
    const last = await opened(place);
    await sees(() => watched.passes[3], watched.passes[1]);
    await last.signal('book', { type: 'close' }, { id: 'close' });
    expect(await last.drive()).toMatchObject({ status: 'completed' });
    await last.close();
  });

  test('folds a group from the log where its snapshots are gone', async () => {
    const place = await written();
    for (const name of await place.fs.readdir('/data/runs/run/snapshots'))
      await place.fs.unlink(`/data/runs/run/snapshots/${name}`);
    const run = await opened(place);
    await sees(() => place.watched.passes[1], place.watched.passes[0]);
    await write(run, place.clock, 750, 760);
    await run.close();
    const again = await opened(place);
    await again.signal('book', { type: 'close' }, { id: 'close' });
    // 760 from outside, the first of the process, and one of its own for each of the seven marks.
    expect(await again.drive()).toMatchObject({ status: 'completed', output: 768 });
    await again.close();
  });

  test('an outline with a flipped bit, or of a log with more behind it, misleads nobody', async () => {
    const place = await written();
    const { fs, watched } = place;
    const left = Buffer.from(fs.peek(checked) ?? '');
    for (let at = 0; at < left.length; at += 211) {
      const damaged = Buffer.from(left);
      damaged[at] = (damaged[at] ?? 0) ^ 4;
      await fs.unlink(checked);
      const file = await fs.open(checked, 'replace');
      await file.write(damaged, 0);
      await file.close();
      const run = await opened(place);
      await sees(() => watched.passes.at(-1), watched.passes[0]);
      await run.close();
    }
    // As a host leaves it that is killed: its entries stand behind what was outlined.
    const run = await opened(place);
    await write(run, place.clock, 750, 800);
    const seen = watched.passes.at(-1);
    await run.close();
    const file = await fs.open(checked, 'replace');
    await file.write(left, 0);
    await file.close();
    const again = await opened(place);
    await sees(() => watched.passes.at(-1), seen);
    await again.close();
  });

  test('its outline is there after a kill too, as of some thousand entries ago', async () => {
    const started: FakeProcess[] = [];
    const machine = fakeProcesses();
    const processes = () => {
      const process = machine.start();
      started.push(process);
      return process.processes;
    };
    const place: Place = { fs: memoryFileSystem(), clock: handClock(), watched: watching(), processes };
    const run = await opened(place);
    await write(run, place.clock, 0, 5_250);
    const kept = outlineOf(place);
    expect(kept?.data.entries.length).toBeGreaterThan(90);
    started[0]?.kill();
    const again = await opened(place);
    await sees(() => place.watched.passes[1], place.watched.passes[0]);
    await again.signal('book', { type: 'close' }, { id: 'close' });
    expect(await again.drive()).toMatchObject({ status: 'completed', output: 5_250 + 1 + 52 });
    await again.close();
    // The next host's goes on from it.
    expect(outlineOf(place)?.data.entries.length).toBeGreaterThan(kept?.data.entries.length ?? 0);
  });
});
