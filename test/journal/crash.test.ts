/**
 * Crash between any two file-system calls, power loss included. Every case is known by its fault and by what the disk kept: both are in the
 * message of a failure, and replay it.
 */
import { describe, expect, test } from 'vitest';
import {
  faultyFileSystem,
  fileStore,
  memoryFileSystem,
  type Fault,
  type MemoryFileSystem,
} from '../../src/journal/index.ts';
import { checkAfterwards, liveOnce, newWork, openStore, type Work } from './scenario.ts';
import { event, fakeProcesses, readAll, type FakeProcess } from './support.ts';

/** What is on the disk after the crash: everything written (kill -9), only what was flushed (power loss), or something between. */
const losses: Readonly<Record<string, (fs: MemoryFileSystem) => void>> = {
  'all is kept': () => undefined,
  'what was not flushed is lost': (fs) => fs.powerCut(),
  'half of the bytes not flushed is lost, names are kept': (fs) =>
    fs.powerCut({ keepBytes: (_, unsafe) => unsafe >> 1, keepNames: true }),
};

type Prepare = (work: Work, fs: MemoryFileSystem, processes: ReturnType<typeof fakeProcesses>) => Promise<void>;

interface Scene {
  readonly name: string;
  /** Puts a disk into the state in which the crash happens; a healthy host's work. */
  readonly prepare?: Prepare;
  readonly create: boolean;
}

const lived: Prepare = async (work, fs, processes) => liveOnce(work, fs, processes.start().processes, true);

/** A host that died with a torn end, or of which nobody knows whether it lives. */
const died =
  (end: (host: FakeProcess, fs: MemoryFileSystem) => void): Prepare =>
  async (work, fs, processes) => {
    const host = processes.start();
    const faulty = faultyFileSystem(fs);
    const calls = faulty.calls();
    faulty.inject({ type: 'tear', call: await lastWrite(), bytes: 150 });
    await liveOnce(work, faulty, host.processes, true);
    expect(calls.length).toBeGreaterThan(0);
    end(host, fs);
  };

/** The call by which the last append of a host's life is written. */
async function lastWrite(): Promise<number> {
  const counting = faultyFileSystem(memoryFileSystem());
  await liveOnce(newWork(), counting, fakeProcesses().start().processes, true);
  return (
    counting
      .calls()
      .findLastIndex((call) => call.startsWith('write') && call.includes('/journal') && !call.includes('draft')) + 1
  );
}

const scenes: readonly Scene[] = [
  { name: 'a run created and written to', create: true },
  { name: 'a run gone on with after a clean end', create: false, prepare: lived },
  { name: 'a torn end repaired', create: false, prepare: died((host) => host.kill()) },
  {
    name: 'a run taken from a holder that may still live',
    create: false,
    prepare: died((host, fs) => {
      host.hide();
      fs.advance(1001);
    }),
  },
];

/** One case: the scene, a fault in it, a loss; what was wrong afterwards. */
async function play(scene: Scene, fault: Fault, loss: string): Promise<readonly string[]> {
  const disk = memoryFileSystem();
  const processes = fakeProcesses();
  const work = newWork();
  if (scene.prepare) {
    await scene.prepare(work, disk, processes);
    work.created = true;
  }
  const host = processes.start();
  await liveOnce(work, faultyFileSystem(disk, fault), host.processes, scene.create);
  host.kill();
  if (fault.type !== 'errno') losses[loss]?.(disk);
  // Long enough for a holder nobody can look at to be given up.
  disk.advance(1001);
  const problems = await checkAfterwards(work, disk, processes.start().processes);
  return problems.map((problem) => `${problem}: ${JSON.stringify(fault)}, ${loss}`);
}

async function callsOf(scene: Scene): Promise<readonly string[]> {
  const disk = memoryFileSystem();
  const processes = fakeProcesses();
  const work = newWork();
  if (scene.prepare) await scene.prepare(work, disk, processes);
  const counting = faultyFileSystem(disk);
  await liveOnce(work, counting, processes.start().processes, scene.create);
  return counting.calls();
}

describe.each(scenes)('$name', (scene) => {
  test('undisturbed, everything is acknowledged', async () => {
    const disk = memoryFileSystem();
    const processes = fakeProcesses();
    const work = newWork();
    await scene.prepare?.(work, disk, processes);
    const before = work.acknowledged.length;
    await liveOnce(work, disk, processes.start().processes, scene.create);
    expect(work.acknowledged.length - before).toBe(8);
    expect(await checkAfterwards(work, disk, processes.start().processes)).toEqual([]);
  });

  test.each(Object.keys(losses))(
    'a crash between any two calls, and inside any write, loses nothing acknowledged: %s',
    async (loss) => {
      const calls = await callsOf(scene);
      expect(calls.length).toBeGreaterThan(80);
      const problems: string[] = [];
      for (let call = 1; call <= calls.length; call++) {
        const isWrite = calls[call - 1]?.startsWith('write') === true;
        const faults: readonly Fault[] = [
          // After a call is before the next one.
          { type: 'crash', call, when: call === calls.length ? 'after' : 'before' },
          ...(isWrite ? [1, 150].map((bytes): Fault => ({ type: 'tear', call, bytes })) : []),
        ];
        for (const fault of faults) problems.push(...(await play(scene, fault, loss)));
      }
      expect(problems).toEqual([]);
    },
  );

  test('ENOSPC or EIO at any call, once or from then on, loses nothing acknowledged and is never silent', async () => {
    const calls = await callsOf(scene);
    const problems: string[] = [];
    for (let call = 1; call <= calls.length; call++) {
      problems.push(...(await play(scene, { type: 'errno', call, code: 'ENOSPC', bytes: 90 }, 'the process goes on')));
      problems.push(...(await play(scene, { type: 'errno', call, code: 'EIO', sticky: true }, 'the process goes on')));
    }
    expect(problems).toEqual([]);
  });
});

test('what the next host has read survives a power loss, whatever became of the flushes before it', async () => {
  for (const [scene, end] of [
    [scenes[0], (host: FakeProcess) => host.kill()],
    [scenes[1], (host: FakeProcess) => host.hide()],
  ] as const) {
    if (scene === undefined) continue;
    const calls = await callsOf(scene);
    for (let call = 1; call <= calls.length; call++) {
      const disk = memoryFileSystem();
      const processes = fakeProcesses();
      await scene.prepare?.(newWork(), disk, processes);
      const host = processes.start();
      // A flush that fails leaves its bytes to be seen, though they are not on the disk; so does kill -9.
      const fault: Fault =
        calls[call - 1]?.startsWith('datasync') === true
          ? { type: 'errno', call, code: 'EIO' }
          : { type: 'crash', call, when: 'after' };
      await liveOnce(newWork(), faultyFileSystem(disk, fault), host.processes, scene.create);
      end(host);
      disk.advance(1001);
      const next = processes.start();
      const journal = await openStore(disk, next.processes)
        .open('r')
        .catch(() => undefined);
      if (journal === undefined) continue;
      await journal.lease();
      const seen = await readAll(journal);
      disk.powerCut();
      expect([fault, await readAll(await openStore(disk, next.processes).open('r'))]).toEqual([fault, seen]);
    }
  }
});

test('what the next host appends to a segment survives a power loss, whatever became of the name of the segment before', async () => {
  let reached = 0;
  for (let call = 1; ; call++) {
    const disk = memoryFileSystem();
    const processes = fakeProcesses();
    const host = processes.start();
    const faulty = faultyFileSystem(disk, { type: 'crash', call, when: 'after' });
    await liveOnce(newWork(), faulty, host.processes, true);
    if (!faulty.crashed()) break;
    host.kill();
    const next = processes.start();
    const journal = await openStore(disk, next.processes)
      .open('r')
      .catch(() => undefined);
    if (journal === undefined) continue;
    const { epoch } = await journal.lease();
    const before = await readAll(journal, 'run');
    await journal.append('run', before.length, epoch, [event('acknowledged')]);
    const seen = await readAll(journal);
    disk.powerCut();
    expect([call, await readAll(await openStore(disk, next.processes).open('r'))]).toEqual([call, seen]);
    reached += 1;
  }
  expect(reached).toBeGreaterThan(50);
});

test('a flush that failed, of more than a batch, leaves nothing that the next host reads and a power loss forgets', async () => {
  const disk = memoryFileSystem();
  const processes = fakeProcesses();
  /** Bytes of the log that are written and not flushed, from and to; the system forgets them when a flush fails, and still shows them. */
  let dirty: [number, number][] = [];
  let onDisk = Buffer.alloc(0);
  let isFailing = false;
  const log = '/data/runs/r/journal.jsonl';
  const flushed = (): void => {
    const pages = dirty;
    dirty = [];
    // At the last flush of the append.
    if (isFailing && (disk.peek(log)?.length ?? 0) > 5000) throw Object.assign(new Error('EIO'), { code: 'EIO' });
    const shown = disk.peek(log) ?? Buffer.alloc(0);
    const next = Buffer.alloc(shown.length);
    onDisk.copy(next);
    for (const [from, to] of pages) shown.copy(next, from, from, to);
    onDisk = next;
  };
  const forgetful: MemoryFileSystem = {
    ...disk,
    async open(path, mode) {
      const file = await disk.open(path, mode);
      if (path !== log || mode === 'read') return file;
      const put = (position: number | undefined, bytes: Uint8Array) => {
        const from = position ?? disk.peek(log)?.length ?? 0;
        dirty.push([from, from + bytes.length]);
      };
      return {
        ...file,
        write(bytes, position) {
          put(position, bytes);
          return file.write(bytes, position);
        },
        writeSync(bytes) {
          put(undefined, bytes);
          return file.writeSync(bytes);
        },
        datasync: async () => flushed(),
        datasyncSync: flushed,
      };
    },
  };
  const storeOf = (host: FakeProcess) =>
    fileStore({ dir: '/data', fs: forgetful, processes: host.processes, batchBytesMax: 1000 });
  const first = await storeOf(processes.start()).open('r', { create: true });
  onDisk = Buffer.from(disk.peek(log) ?? '');
  const { epoch } = await first.lease();
  await first.append('run', 0, epoch, [event('short')]);
  isFailing = true;
  await expect(first.append('run', 1, epoch, [event('long', 'x'.repeat(5000))])).rejects.toMatchObject({
    code: 'JOURNAL_IO',
  });
  await first.close();
  isFailing = false;
  const second = await storeOf(processes.start()).open('r');
  const lease = await second.lease();
  const { length } = await readAll(second);
  await second.append('run', length, lease.epoch, [event('after')]);
  expect(onDisk.equals(disk.peek(log) ?? Buffer.alloc(0))).toBe(true);
});
