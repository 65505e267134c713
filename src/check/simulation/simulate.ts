/**
 * A whole run in a simulated world: the real host, the real format of the file journal on a disk in memory, a clock that jumps, and
 * chance with one seed. Hosts are killed at any call of the file system, disks fail, results are slow, late or lost, clocks are set.
 * The same seed gives the same world.
 *
 * Whatever goes wrong, what was acknowledged is kept, nothing is settled or ends twice, and the journal replays to what was recorded;
 * what else must hold is for the caller to look for in the result. The idea is FoundationDB's and TigerBeetle's: the system runs as it
 * is, and its world is ours.
 */
import { TroupeError, isTroupeError } from '../../error.ts';
import type { Attempt, Harness, Outcome } from '../../harness/port.ts';
import { fail, failureClasses, ok } from '../../harness/outcome.ts';
import { faultyFileSystem, type Fault, type FaultyFileSystem } from '../../journal/faulty-fs.ts';
import { fileStore } from '../../journal/file.ts';
import { memoryFileSystem } from '../../journal/memory-fs.ts';
import type { Entry } from '../../journal/port.ts';
import type { Processes } from '../../journal/process-identity.ts';
import { drained } from '../../process/drained.ts';
import { openRun, type Run, type RunResult } from '../../process/run.ts';
import { readRun } from '../../process/cancel.ts';
import type { RunView } from '../../process/run-view.ts';
import { verifyRun } from '../../process/verify.ts';
import type { Simulated, SimulateOptions } from './options.ts';
import { brokenPromise } from './promises.ts';
import { randomOf, type Random } from './random.ts';
import { virtualClock } from './virtual-clock.ts';

const run = 'simulated';
/** Event-loop turns without a call of the file system after which nothing happens but by the clock. */
const quietTurns = 12;
/**
 * Simulated time without an entry after which nothing more will come of it, ms, besides what the clock may have been set back by; a lease's
 * sign of life goes on for ever.
 */
const idleMsMax = 300_000;
/** Hosts after the last fault: one goes on after another until the run ends. */
const calmHostsMax = 6;
/** Calls of the file system after which a fault strikes at the latest. */
const callsMax = 160;

/**
 * Simulates a run. Throws when a promise is broken, with the seed in the message; what the process or its machines throw for the author
 * to mend is thrown as it is (MACHINE_UNSUPPORTED, NONDETERMINISM …). Codes besides: LIMIT for a run of more than `entriesMax` entries.
 */
export async function simulate(options: SimulateOptions): Promise<Simulated> {
  try {
    return await world(options);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const sentence = `simulation with seed \`${options.seed}\`: ${why}`;
    if (isTroupeError(error)) {
      const plain = why.startsWith(`${error.code}: `) ? why.slice(error.code.length + 2) : why;
      throw new TroupeError(error.code, `simulation with seed \`${options.seed}\`: ${plain}`, error.details, error);
    }
    throw new Error(sentence, { cause: error });
  }
}

async function world(options: SimulateOptions): Promise<Simulated> {
  const { seed, process, input = null, faults = {}, entriesMax = 20_000 } = options;
  const { kills = 3, powerCuts = true, diskErrors = 1, clockJumpMs = 600_000 } = faults;
  const random = randomOf(seed);
  const disk = memoryFileSystem();
  const clock = virtualClock();
  const beganMs = clock.now();
  const alive = new Set<number>();
  const acknowledged = new Map<string, string>();
  let performed = 0;
  let pid = 100;

  const processesOf = (own: number): Processes => ({
    self: () => ({ host: 'simulated', pid: own, bootId: 'boot', pidNamespace: 'pids', startedAt: `${own}` }),
    liveness: (of) => (alive.has(of.pid) ? 'alive' : 'dead'),
  });
  const storeOf = (fs: FaultyFileSystem | typeof disk, own: number) =>
    fileStore({
      dir: '/simulated',
      clock,
      fs,
      processes: processesOf(own),
      // Small, so that segments change and both ways of flushing are gone.
      segmentBytesMax: 20_000,
      blockBelowMs: random.pick([0, Number.POSITIVE_INFINITY]),
    });

  /** One host: until the run ends, it dies, its disk fails, or nothing goes on without the world. */
  const host = async (fault: Fault | undefined): Promise<RunResult | 'broken' | 'killed' | 'waits'> => {
    pid += 1;
    alive.clear();
    alive.add(pid);
    const fs = faultyFileSystem(disk, fault);
    let opened: Run | undefined;
    let result: RunResult | undefined;
    let failure: unknown;
    let isOver = false;
    let movedMs = clock.now();
    const harness = harnessOf(options, clock, () => (performed += 1));
    const live = async () => {
      try {
        opened = await openRun({
          snapshotEvery: 20,
          ...options.options,
          harnesses: { ...options.options?.harnesses, simulated: harness },
          defaultHarness: options.options?.defaultHarness ?? 'simulated',
          store: storeOf(fs, pid),
          process,
          run,
          input,
          clock,
          observer: {
            entry({ stream, seq, data }) {
              movedMs = clock.now();
              if (!fs.crashed()) acknowledged.set(`${stream}:${seq}`, JSON.stringify(data));
            },
          },
        });
        result = await opened.drive();
      } catch (error) {
        failure = error;
      }
      await opened?.close().catch(() => {});
      isOver = true;
    };
    void live();
    const isTooLong = () => acknowledged.size > entriesMax;
    // Also where it never comes to rest: what takes no time is not waited for.
    for (let calls = 0, quiet = 0; !isOver && !fs.crashed() && !isTooLong();) {
      await drained();
      const now = fs.calls().length;
      quiet = now === calls ? quiet + 1 : 0;
      calls = now;
      if (quiet < quietTurns) continue;
      quiet = 0;
      const isIdle = clock.now() - movedMs > idleMsMax + 2 * clockJumpMs;
      // A long sleep, or a timer, is not the outside's.
      if ((isIdle && !clock.waitsLong(idleMsMax)) || !clock.jump()) break;
    }
    alive.clear();
    if (fs.crashed()) {
      if (powerCuts && random.below(2) === 0)
        disk.powerCut({ keepBytes: (_path, unsafe) => random.below(unsafe + 1), keepNames: random.below(2) === 0 });
      return 'killed';
    }
    if (isOver && failure === undefined) return result ?? 'waits';
    if (isTroupeError(failure, 'JOURNAL_IO')) return 'broken';
    if (failure !== undefined) throw failure as Error;
    const ending = opened?.close().catch(() => {});
    for (let turn = 0; turn < 80; turn += 1) await drained();
    await Promise.race([ending, drained()]);
    if (isTooLong()) throw new TroupeError('LIMIT', `the run has more than ${entriesMax} entries.`);
    return 'waits';
  };

  const setClock = () => {
    if (clockJumpMs > 0) clock.shift(Math.round((random.next() * 2 - 1) * clockJumpMs));
  };
  let hosts = 0;
  let killed = 0;
  let broken = 0;
  let result: RunResult | 'broken' | 'killed' | 'waits' = 'killed';
  const next = async (fault: Fault | undefined): Promise<RunResult | 'broken' | 'killed' | 'waits'> => {
    hosts += 1;
    const came = await host(fault);
    if (came === 'killed') killed += 1;
    if (came === 'broken') broken += 1;
    setClock();
    return came;
  };
  const plan = shuffled(random, [
    ...Array.from({ length: random.below(kills + 1) }, () => killOf(random)),
    ...Array.from({ length: random.below(diskErrors + 1) }, () => errorOf(random)),
  ]);
  for (const fault of plan) if (typeof result === 'string') result = await next(fault);

  let view: RunView | undefined;
  let entries: readonly Entry[] = [];
  const look = async () => {
    alive.clear();
    const journal = await storeOf(disk, 1).open(run);
    const all: Entry[] = [];
    for await (const batch of journal.read()) all.push(...batch);
    entries = all;
    view = await readRun(journal);
    await journal.close();
  };
  for (let calm = 0; calm < calmHostsMax && typeof result === 'string'; calm += 1) {
    result = await next(undefined);
    if (result !== 'waits') continue;
    await look();
    if (view === undefined || !(await answerGates(view))) break;
  }
  await look();

  /** Answers the open gates as somebody would who comes by later. False when there is none. */
  async function answerGates(known: RunView): Promise<boolean> {
    const open = [
      ...[...known.gates.values()].map((gate) => ({ gate, group: undefined })),
      ...[...known.groups.values()].flatMap(({ name, status, gates }) =>
        status === 'active' ? [...gates.values()].map((gate) => ({ gate, group: name })) : [],
      ),
    ].filter(({ gate }) => gate.answer === undefined);
    if (open.length === 0) return false;
    hosts += 1;
    pid += 1;
    alive.add(pid);
    const { answerUnattended } = await import('../../process/unattended.ts');
    for (const { gate, group } of open) {
      const named = { gate: gate.name, ...(group === undefined ? {} : { group }) };
      const approved = options.answer?.(named, random) ?? random.below(4) > 0;
      await answerUnattended({ store: storeOf(disk, pid), run, answer: { ...named, approved, note: '' }, clock });
    }
    alive.clear();
    return true;
  }

  const why = brokenPromise(entries, acknowledged);
  if (why !== undefined) throw new Error(why);
  await verifyRun({ store: storeOf(disk, 1), run, process });
  const { end } = view as unknown as RunView;
  return {
    seed,
    status: end?.status ?? 'waiting',
    ...(end?.status === 'completed' ? { output: end.output } : {}),
    entries,
    hosts,
    killed,
    diskErrors: broken,
    performed,
    tookMs: clock.now() - beganMs,
  };
}

function killOf(random: Random): Fault {
  const call = 1 + random.below(callsMax);
  return random.below(3) === 0
    ? { type: 'tear', call, bytes: random.below(200) }
    : { type: 'crash', call, when: random.pick(['before', 'after'] as const) };
}

function errorOf(random: Random): Fault {
  const code = random.pick(['EIO', 'ENOSPC', 'EACCES']);
  return {
    type: 'errno',
    call: 1 + random.below(callsMax),
    code,
    sticky: random.below(2) === 0,
    bytes: random.below(100),
  };
}

function shuffled<Value>(random: Random, values: readonly Value[]): readonly Value[] {
  return values
    .map((value) => ({ value, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}

/** Performs attempts in simulated time; of one key always alike. */
function harnessOf(
  { seed, outcome = usually, play, faults = {} }: SimulateOptions,
  clock: ReturnType<typeof virtualClock>,
  begun: () => void,
): Harness {
  const { slowMs = 10_000, late = 0.2 } = faults;
  return {
    // A program that crashes by chance says nothing of its harness.
    hasCircuit: false,
    async perform(attempt: Attempt): Promise<Outcome> {
      begun();
      const random = randomOf(`${seed} ${attempt.key}`);
      const isLate = random.next() < late;
      await play?.(attempt, random);
      await new Promise<void>((resolve) => {
        const callOff = clock.wakeAt(clock.now() + Math.round(random.next() ** 2 * slowMs), resolve);
        const stop = () => {
          if (isLate) return;
          callOff();
          resolve();
        };
        if (attempt.signal.aborted) stop();
        else attempt.signal.addEventListener('abort', stop, { once: true });
      });
      if (attempt.signal.aborted && !isLate) return { status: 'cancelled', reason: 'told to stop' };
      return outcome(attempt, random);
    },
  };
}

function usually(attempt: Pick<Attempt, 'member'>, random: Random): Outcome {
  return random.below(5) > 0
    ? ok(`${attempt.member} ${random.below(3)}`)
    : fail(random.pick(failureClasses), 'by chance');
}
