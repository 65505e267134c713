/** The whole host, crashed or refused at every file-system call it makes, then opened again and driven to the end. */
import assert from 'node:assert/strict';
import { isTroupeError } from '../../src/index.ts';
import type { Fault } from '../../src/journal/index.ts';
import { worldOf, type World, type WorldOptions } from './small-run.ts';

/** What to do. */
export interface EverywhereOptions {
  /** Every so many positions; default 1: all. */
  readonly stride?: number;
  /** The first position; default 1. */
  readonly from?: number;
}

/** What was done. */
export interface EverywhereReport {
  /** File-system calls of an undisturbed run, by blocking and by asynchronous flushes. */
  readonly calls: readonly number[];
  /** Runs that were disturbed and brought to their end. */
  readonly positions: number;
  /** Of these, runs that went on as if nothing had happened. */
  readonly survived: number;
}

const flushes = [Number.POSITIVE_INFINITY, 0];

interface Flavour {
  readonly name: string;
  fault(call: number): Fault;
  /** The process may live on; the next host is then in the same process. */
  readonly mayLive?: boolean;
  /** What happens to the disk before it is opened again. */
  after?(world: World, call: number): unknown;
}

/** How a process, or the machine under it, dies. */
const deaths: readonly Flavour[] = [
  { name: 'killed before', fault: (call) => ({ type: 'crash', call, when: 'before' }) },
  { name: 'killed after', fault: (call) => ({ type: 'crash', call, when: 'after' }) },
  { name: 'killed inside', fault: (call) => ({ type: 'tear', call, bytes: 1 + ((call * 37) % 150) }) },
  {
    name: 'power cut, all that was not flushed is lost',
    fault: (call) => ({ type: 'crash', call, when: 'before' }),
    after: ({ disk }) => disk.powerCut(),
  },
  {
    name: 'power cut, parts of what was not flushed stay',
    fault: (call) => ({ type: 'crash', call, when: 'after' }),
    after: ({ disk }, call) =>
      disk.powerCut({ keepNames: call % 2 === 0, keepBytes: (_, unsafe) => (call * 53) % (unsafe + 1) }),
  },
  {
    name: 'killed after, and the next host while it takes up the run',
    fault: (call) => ({ type: 'crash', call, when: 'after' }),
    after: ({ host }, call) => host({ type: 'tear', call: 1 + ((call * 31) % 70), bytes: (call * 41) % 200 }),
  },
];

const refusals: readonly Flavour[] = [
  { name: 'EIO once', mayLive: true, fault: (call) => ({ type: 'errno', call, code: 'EIO' }) },
  {
    name: 'ENOSPC from then on',
    mayLive: true,
    fault: (call) => ({ type: 'errno', call, code: 'ENOSPC', sticky: true, bytes: (call * 29) % 90 }),
  },
  {
    name: 'EROFS from then on',
    mayLive: true,
    fault: (call) => ({ type: 'errno', call, code: 'EROFS', sticky: true }),
  },
  { name: 'EACCES once', mayLive: true, fault: (call) => ({ type: 'errno', call, code: 'EACCES' }) },
];

/** How the run ends, and how many calls it makes, when nothing happens. */
async function undisturbed(
  options: WorldOptions,
): Promise<{ readonly end: string; readonly calls: readonly string[] }> {
  const world = worldOf(options);
  const { fs, result, error } = await world.host();
  if (error !== undefined) throw error;
  assert.equal(result?.status, 'completed');
  const calls = [...fs.calls()];
  return { end: await world.finish(), calls };
}

async function everywhere(
  flavours: readonly Flavour[],
  { stride = 1, from = 1 }: EverywhereOptions,
  judge: (world: World, flavour: Flavour, call: number) => Promise<boolean>,
): Promise<EverywhereReport> {
  const counts: number[] = [];
  let positions = 0;
  let survived = 0;
  for (const blockBelowMs of flushes) {
    const { end, calls } = await undisturbed({ name: `undisturbed-${blockBelowMs}-${stride}`, blockBelowMs });
    counts.push(calls.length);
    for (const [index, flavour] of flavours.entries()) {
      for (let call = from + ((index * 5) % stride); call <= calls.length; call += stride) {
        const name = `${blockBelowMs}-${index}-${call}`;
        const world = worldOf({ name, blockBelowMs, dies: flavour.mayLive !== true || call % 3 !== 0 });
        try {
          if (await judge(world, flavour, call)) survived += 1;
          await flavour.after?.(world, call);
          await world.check();
          assert.equal(await world.finish(), end, 'the end differs from the undisturbed one');
        } catch (error) {
          const what = `${flavour.name} call ${call} of ${calls.length}, \`${calls[call - 1]}\`, blockBelowMs ${blockBelowMs}`;
          throw new Error(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
        }
        positions += 1;
      }
    }
  }
  return { calls: counts, positions, survived };
}

/** Crashes at every call, in six flavours. Rejects with the position that did not hold. */
export function crashEverywhere(options: EverywhereOptions = {}): Promise<EverywhereReport> {
  return everywhere(deaths, options, async (world, { fault }, call) => {
    const { fs, result, isStuck } = await world.host(fault(call));
    assert.ok(fs.crashed() || result !== undefined, 'the host neither crashed nor ended');
    assert.ok(!isStuck, 'the host is stuck');
    return !fs.crashed();
  });
}

/** System errors at every call, in four flavours: either the run is none the worse, or it stops with JOURNAL_IO. */
export function refuseEverywhere(options: EverywhereOptions = {}): Promise<EverywhereReport> {
  return everywhere(refusals, options, async (world, { fault }, call) => {
    const { result, error, isStuck } = await world.host(fault(call));
    assert.ok(!isStuck, 'the host is stuck');
    if (error !== undefined && !isTroupeError(error, 'JOURNAL_IO')) throw error;
    return result !== undefined && error === undefined;
  });
}
