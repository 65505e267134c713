import { describe, expect, test } from 'vitest';
import { fileStore, memoryFileSystem, type MemoryFileSystem, type Processes } from '../../src/journal/index.ts';
import { errorOf, event, fakeProcesses, readAll } from './support.ts';

/** A clock whose wake-ups are called by hand. */
function handClock() {
  let calls: (() => void)[] = [];
  return {
    now: () => 1_790_000_000_000,
    wakeAt(_: number, callback: () => void) {
      calls.push(callback);
      return () => void (calls = calls.filter((other) => other !== callback));
    },
    ring() {
      const due = calls;
      calls = [];
      for (const call of due) call();
    },
    waiting: () => calls.length,
  };
}

function setUp() {
  const fs = memoryFileSystem();
  const processes = fakeProcesses();
  const clock = handClock();
  const store = (of: Processes, disk = fs as MemoryFileSystem) =>
    fileStore({ dir: '/data', fs: disk, processes: of, clock, leaseTtlMs: 1000 });
  const epochs = () =>
    fs
      .paths()
      .filter((path) => /\/lease\/\d/.test(path))
      .map((path) => path.split('/').at(-1));
  return { fs, processes, clock, store, epochs };
}

describe('one writer', () => {
  test('the refused one is told host, pid and since when', async () => {
    const { processes, store } = setUp();
    const holder = processes.start();
    await (await store(holder.processes).open('r', { create: true })).lease();
    const error = await errorOf((await store(processes.start().processes).open('r')).lease());
    expect([error.code, error.details]).toEqual([
      'RUN_BUSY',
      { run: 'r', host: 'here', pid: holder.processes.self().pid, since: 1_790_000_000_000 },
    ]);
    expect(error.message).toContain(`held by process ${holder.processes.self().pid} on here since 2026-09-21T`);
  });

  test('a dead holder is taken over at once, and told; the same file goes on', async () => {
    const { fs, processes, store, epochs } = setUp();
    const holder = processes.start();
    const journal = await store(holder.processes).open('r', { create: true });
    await journal.append('run', 0, (await journal.lease()).epoch, [event('a')]);
    holder.kill();
    const next = await store(processes.start().processes).open('r');
    expect(await next.lease()).toMatchObject({
      epoch: 2,
      takenFrom: { host: 'here', pid: holder.processes.self().pid, since: 1_790_000_000_000 },
    });
    expect(epochs()).toEqual(['000002.json']);
    expect(fs.paths().filter((path) => path.includes('/journal'))).toEqual(['/data/runs/r/journal.jsonl']);
    await next.close();
    expect(epochs()).toEqual(['000002.free.json']);
  });

  test('a holder that cannot be looked at is given up when its heartbeat has stopped for the whole term, not before', async () => {
    const { fs, processes, clock, store } = setUp();
    const holder = processes.start();
    const journal = await store(holder.processes).open('r', { create: true });
    const { epoch } = await journal.lease();
    holder.hide();
    const other = await store(processes.start().processes).open('r');
    for (let beat = 0; beat < 3; beat++) {
      fs.advance(900);
      expect((await errorOf(other.lease())).code).toBe('RUN_BUSY');
      clock.ring();
      await journal.append('run', beat, epoch, [event('alive')]);
    }
    fs.advance(1000);
    expect((await errorOf(other.lease())).code).toBe('RUN_BUSY');
    fs.advance(1);
    expect((await other.lease()).epoch).toBe(2);
  });

  test('what an old holder writes after it was given up is sealed off, told, and never read', async () => {
    const { fs, processes, store } = setUp();
    const old = processes.start();
    const journal = await store(old.processes).open('r', { create: true });
    const { epoch } = await journal.lease();
    await journal.append('run', 0, epoch, [event('a')]);
    old.hide();
    fs.advance(1001);
    const next = await store(processes.start().processes).open('r');
    const lease = await next.lease();
    const stale = await errorOf(journal.append('run', 1, epoch, [event('stale', 'x'.repeat(100))]));
    expect(stale.code).toBe('EPOCH_STALE');
    expect(await errorOf(journal.append('run', 1, epoch, [event('stale')]))).toBe(stale);
    expect(await errorOf(journal.lease())).toBe(stale);
    expect(String(fs.peek('/data/runs/r/journal.jsonl'))).toContain('xxxx');
    await next.append('run', 1, lease.epoch, [event('b')]);
    await journal.close();
    expect((await readAll(next)).map((entry) => entry.type)).toEqual(['a', 'b']);
    expect(next.notices()).toMatchObject([{ kind: 'stale-writes', file: 'journal.jsonl' }]);
    await next.append('run', 2, lease.epoch, [event('c')]);
    await next.close();
    const third = await store(processes.start().processes).open('r');
    expect((await third.lease()).epoch).toBe(3);
    expect((await readAll(third)).map((entry) => [entry.seq, entry.type])).toEqual([
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
    ]);
  });

  test('an old holder that writes nothing hears of its successor at its next heartbeat, once', async () => {
    const { fs, processes, clock, store } = setUp();
    const old = processes.start();
    const told: string[] = [];
    const lease = await (await store(old.processes).open('r', { create: true })).lease();
    lease.onLost?.(({ code }) => told.push(code));
    clock.ring();
    // The heartbeat is written before the holder falls silent.
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => void setImmediate(resolve));
    expect(told).toEqual([]);
    old.hide();
    fs.advance(1001);
    const next = await (await store(processes.start().processes).open('r')).lease();
    next.onLost?.(({ code }) => told.push(`next: ${code}`));
    clock.ring();
    clock.ring();
    expect(told).toEqual(['EPOCH_STALE']);
  });

  test('the duty to seal passes on: a successor that died before sealing leaves it to the next one', async () => {
    const { fs, processes, store } = setUp();
    const old = processes.start();
    const journal = await store(old.processes).open('r', { create: true });
    const { epoch } = await journal.lease();
    await journal.append('run', 0, epoch, [event('a')]);
    old.hide();
    fs.advance(1001);
    const second = processes.start();
    const dying: MemoryFileSystem = {
      ...fs,
      link: async (from, to) => {
        if (to.includes('journal-000002')) throw new Error('the process died');
        await fs.link(from, to);
      },
      rename: async () => {
        throw new Error('the process died');
      },
    };
    await (await store(second.processes, dying).open('r')).lease().catch(() => undefined);
    second.kill();
    const third = await store(processes.start().processes).open('r');
    const lease = await third.lease();
    expect(lease.epoch).toBe(3);
    await errorOf(journal.append('run', 1, epoch, [event('stale')]));
    await third.append('run', 1, lease.epoch, [event('b')]);
    expect((await readAll(third)).map((entry) => entry.type)).toEqual(['a', 'b']);
    expect(fs.peek('/data/runs/r/journal-000002.jsonl')).toBeDefined();
  });

  test('an old holder that rolls over while it is being given up and its successor never make the same segment', async () => {
    const { fs, processes, store } = setUp();
    const old = processes.start();
    const small = fileStore({ dir: '/data', fs, processes: old.processes, segmentBytesMax: 200, leaseTtlMs: 1000 });
    const journal = await small.open('r', { create: true });
    const { epoch } = await journal.lease();
    await journal.append('run', 0, epoch, [event('a', 'x'.repeat(200))]);
    old.hide();
    fs.advance(1001);
    let interfere = true;
    const racing: MemoryFileSystem = {
      ...fs,
      link: async (from, to) => {
        if (to.includes('journal-000002') && interfere) {
          interfere = false;
          // The old holder is quicker: it makes segment 2 and writes to it, unacknowledged.
          expect((await errorOf(journal.append('run', 1, epoch, [event('late')]))).code).toBe('EPOCH_STALE');
        }
        await fs.link(from, to);
      },
    };
    const next = await store(processes.start().processes, racing).open('r');
    const lease = await next.lease();
    const entries = await readAll(next);
    await next.append('run', entries.length, lease.epoch, [event('b')]);
    expect((await readAll(next)).at(-1)?.type).toBe('b');
    expect(fs.peek('/data/runs/r/journal-000003.jsonl')).toBeDefined();
  });

  test('who slept while others held the run backs out', async () => {
    const { fs, processes, store, epochs } = setUp();
    await (await store(processes.start().processes).open('r', { create: true })).close();
    let isAwake = false;
    const sleeper: MemoryFileSystem = {
      ...fs,
      open: async (path, mode) => {
        if (mode === 'replace' && !isAwake) {
          isAwake = true;
          // While it slept between looking and linking, two others came, and the second one is there still.
          const first = await store(processes.start().processes).open('r');
          await first.lease();
          await first.close();
          await (await store(processes.start().processes).open('r')).lease();
        }
        return fs.open(path, mode);
      },
    };
    expect((await errorOf((await store(processes.start().processes, sleeper).open('r')).lease())).code).toBe(
      'RUN_BUSY',
    );
    expect(epochs()).toEqual(['000002.json']);
  });

  test('a lost lease folder is no loss: the epoch goes on from the log, and the log is sealed', async () => {
    const { fs, processes, store } = setUp();
    const first = await store(processes.start().processes).open('r', { create: true });
    const { epoch } = await first.lease();
    await first.append('run', 0, epoch, [event('a')]);
    for (const path of fs.paths().filter((name) => name.includes('/lease/'))) await fs.unlink(path);
    const second = await store(processes.start().processes).open('r');
    const lease = await second.lease();
    expect(lease.epoch).toBe(2);
    expect((await errorOf(first.append('run', 1, epoch, [event('stale')]))).code).toBe('EPOCH_STALE');
    await second.append('run', 1, lease.epoch, [event('b')]);
    expect((await readAll(second)).map((entry) => entry.type)).toEqual(['a', 'b']);
  });

  test('a damaged lease file names nobody: it is waited for, then taken over', async () => {
    const { fs, processes, store } = setUp();
    const first = await store(processes.start().processes).open('r', { create: true });
    await first.lease();
    fs.poke('/data/runs/r/lease/000001.json', Buffer.from('{"host'));
    const second = await store(processes.start().processes).open('r');
    expect((await errorOf(second.lease())).code).toBe('RUN_BUSY');
    fs.advance(1001);
    expect((await second.lease()).epoch).toBe(2);
  });

  test('a lease file with a moment beyond every date is told as that of its holder', async () => {
    const { fs, processes, store } = setUp();
    const holder = processes.start();
    await (await store(holder.processes).open('r', { create: true })).lease();
    const content = { ...holder.processes.self(), since: 1e300, mustSeal: false };
    fs.poke('/data/runs/r/lease/000001.json', Buffer.from(`${JSON.stringify(content)}\n`));
    const error = await errorOf((await store(processes.start().processes).open('r')).lease());
    expect([error.code, error.message]).toEqual(['RUN_BUSY', expect.stringContaining(' since +275760-09-13T')]);
  });

  test('closing ends the heartbeat; closing while the lease is taken leaves the run free', async () => {
    const { processes, clock, store, epochs } = setUp();
    const journal = await store(processes.start().processes).open('r', { create: true });
    const taking = errorOf(journal.lease());
    await journal.close();
    expect((await taking).code).toBe('HOST_CLOSED');
    expect([clock.waiting(), epochs()]).toEqual([0, ['000001.free.json']]);
    const other = await store(processes.start().processes).open('r');
    await other.lease();
    expect(clock.waiting()).toBe(1);
    await other.close();
    expect(clock.waiting()).toBe(0);
  });
});
