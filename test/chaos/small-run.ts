/** A small run in this process, on a disk in memory and a clock that jumps: what is crashed at every file-system call. */
import assert from 'node:assert/strict';
import { fanOut } from '../../machines/index.ts';
import { fn } from '../../src/harness/index.ts';
import {
  canonical,
  defineProcess,
  isTroupeError,
  openRun,
  readRun,
  verifyRun,
  type Entry,
  type JournalStore,
  type JsonValue,
  type Run,
  type RunResult,
} from '../../src/index.ts';
import {
  faultyFileSystem,
  fileStore,
  memoryFileSystem,
  type Fault,
  type FaultyFileSystem,
  type MemoryFileSystem,
  type Processes,
} from '../../src/journal/index.ts';
import { virtualClock } from '../../src/check/simulation/virtual-clock.ts';

/** Two groups, one of which is cancelled by the process; retries, a failure, checkpoints, a task, a sleep. */
export const smallProcess = defineProcess('small', async (ctx) => {
  const work = ctx.group('work', fanOut, {
    members: [
      { id: 'plain', harness: 'fn' },
      { id: 'retried', harness: 'fn', retry: { attempts: 3, minMs: 5, on: ['overloaded'] } },
      { id: 'fails', harness: 'fn' },
      { id: 'slow', harness: 'fn', input: 30 },
    ],
    concurrency: 2,
    checkpointEvery: 2,
  });
  const endless = ctx.group('endless', fanOut, { members: [{ id: 'forever', harness: 'fn' }] });
  const task = await ctx.task('task', { harness: 'fn', input: 'asked' });
  await ctx.sleepUntil(ctx.now() + 10);
  const done = await work.output;
  await endless.cancel('the work is done');
  const cancelled = await endless.output.catch((error: unknown) => (isTroupeError(error) ? error.code : String(error)));
  return { task, done, cancelled, endless: endless.status() };
});

/** Members that are settled: each once. `endless/forever` never is. */
const settledOnce = ['task/task', 'work/fails', 'work/plain', 'work/retried', 'work/slow'];

/** A disk and the processes that used it, one after the other. */
export interface World {
  readonly disk: MemoryFileSystem;
  /** Starts a host process on the disk and drives the run until it ends, fails, or is dead. */
  host(fault?: Fault): Promise<HostRun>;
  /** What any host acknowledged, `stream:seq` → the entry as canonical JSON. */
  readonly acknowledged: ReadonlyMap<string, string>;
  /** With no host alive: nothing acknowledged is lost, verify passes. */
  check(): Promise<readonly Entry[]>;
  /** Drives the run to its end with a host that nothing happens to; returns its end as canonical JSON. */
  finish(): Promise<string>;
}

/** How a host's life went. */
export interface HostRun {
  readonly fs: FaultyFileSystem;
  readonly result: RunResult | undefined;
  readonly error: Error | undefined;
  /** Neither ended nor failed, and nothing would ever happen again. */
  readonly isStuck: boolean;
}

/** Habits of the world's hosts. */
export interface WorldOptions {
  readonly name: string;
  /** 0: every flush through the asynchronous calls; Infinity: all that can be through the blocking ones. */
  readonly blockBelowMs: number;
  /** False: the next host runs in the same process as the one before, which is through with the run but lives. */
  readonly dies?: boolean;
}

const asError = (thrown: unknown) => (thrown instanceof Error ? thrown : new Error(String(thrown)));

/** Turns of the event loop without a file-system call after which nothing but time can go on. */
const quietTurns = 12;

/** Makes an empty world. Worlds of one process need names of their own. */
export function worldOf({ name, blockBelowMs, dies = true }: WorldOptions): World {
  const disk = memoryFileSystem();
  const clock = virtualClock();
  const acknowledged = new Map<string, string>();
  const alive = new Set<number>();
  let pid = 100;
  const run = 'small';
  const processesOf = (own: number): Processes => ({
    self: () => ({ host: 'here', pid: own, bootId: 'boot', pidNamespace: 'pids', startedAt: `${own}` }),
    liveness: (of) => (alive.has(of.pid) ? 'alive' : 'dead'),
  });
  const options = { dir: `/${name}`, clock, blockBelowMs, segmentBytesMax: 3_000 };
  const reader: JournalStore = fileStore({ ...options, fs: disk, processes: processesOf(1) });

  const harness = fn(
    (task, { signal, attempt }) => {
      switch (task.member) {
        case 'forever':
          return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined)));
        case 'fails':
          // Without a stack: it differs from one turn of the event loop to the next.
          throw Object.assign(new Error('no good'), { stack: undefined });
        case 'slow':
          return new Promise((resolve) => {
            clock.wakeAt(clock.now() + 30, () => resolve('slept'));
            signal.addEventListener('abort', () => resolve(undefined));
          });
        case 'retried':
          // Fails at its own first attempt, whatever host makes it: at most twice in all.
          if (attempt === 1) throw Object.assign(new Error('busy'), { class: 'overloaded' });
          return 'at last';
        default:
          return { did: task.member, asked: task.input ?? null };
      }
    },
    { clock },
  );

  const open = (fs: FaultyFileSystem, own: number): Promise<Run> =>
    openRun({
      store: fileStore({ ...options, fs, processes: processesOf(own) }),
      process: smallProcess,
      run,
      harnesses: { fn: harness },
      clock,
      snapshotEvery: 5,
      observer: {
        entry(entry) {
          // A dead process acknowledges nothing to anybody.
          if (!fs.crashed()) acknowledged.set(`${entry.stream}:${entry.seq}`, canonical(entry as unknown as JsonValue));
        },
      },
    });

  const host: World['host'] = async (fault) => {
    if (dies || pid === 100) pid += 1;
    const own = pid;
    alive.clear();
    alive.add(own);
    const fs = faultyFileSystem(disk, fault);
    let result: RunResult | undefined;
    let failure: Error | undefined;
    let isOver = false;
    const live = async () => {
      let opened: Run | undefined;
      try {
        opened = await open(fs, own);
        result = await opened.drive();
      } catch (error) {
        failure = asError(error);
      }
      // Closing may fail on the same trouble; the run has been driven as far as it goes.
      await opened?.close().catch((error: unknown) => {
        failure ??= asError(error);
      });
      isOver = true;
    };
    void live();
    let isStuck = false;
    for (let calls = 0, quiet = 0, jumps = 0; !isOver && !fs.crashed();) {
      await new Promise(setImmediate);
      quiet = fs.calls().length === calls ? quiet + 1 : 0;
      calls = fs.calls().length;
      if (quiet < quietTurns) continue;
      jumps += 1;
      if (!clock.jump() || jumps > 1_000) {
        isStuck = true;
        break;
      }
      quiet = 0;
    }
    alive.clear();
    if (!dies) alive.add(own);
    return { fs, result, error: failure, isStuck };
  };

  const check = async (): Promise<readonly Entry[]> => {
    const entries: Entry[] = [];
    if ((await reader.list()).includes(run)) {
      const journal = await reader.open(run);
      for await (const batch of journal.read()) entries.push(...batch);
      await journal.close();
      if (entries.length > 0) await verifyRun({ store: reader, run, process: smallProcess });
    }
    const found = new Map(
      entries.map((entry) => [`${entry.stream}:${entry.seq}`, canonical(entry as unknown as JsonValue)]),
    );
    for (const [place, entry] of acknowledged)
      assert.equal(found.get(place), entry, `${place} was acknowledged, and is lost or changed`);
    return entries;
  };

  return {
    disk,
    host,
    acknowledged,
    check,
    async finish() {
      const { result, error, isStuck } = await host();
      assert.ok(!isStuck, 'the run is stuck');
      if (error !== undefined) throw error;
      assert.equal(result?.status, 'completed');
      const entries = await check();
      const settled = entries.flatMap(({ stream, type, data }) =>
        type === 'member.settled'
          ? [`${stream.slice('group:'.length)}/${(data as { readonly member: string }).member}`]
          : [],
      );
      assert.deepEqual(settled.toSorted(), settledOnce, 'each invocation is settled once');
      const marks = entries
        .filter(({ type }) => type === 'checkpoint')
        .map(({ data }) => (data as { readonly name: string }).name);
      assert.deepEqual(marks, ['checkpoint 1', 'checkpoint 2']);
      const journal = await reader.open(run);
      const view = await readRun(journal);
      await journal.close();
      assert.deepEqual(view.end, result);
      for (const { name: group, members } of view.groups.values()) {
        for (const { id, status } of members.values())
          assert.ok(!['running', 'queued', 'waiting'].includes(status), `${group}/${id} is ${status} at the end`);
      }
      return canonical(result as unknown as JsonValue);
    },
  };
}
