/** A run that this process holds, before it is driven: taken up or created, and checked to be the run that is meant. */
import type { Clock } from '../clock.ts';
import { isTroupeError, TroupeError } from '../error.ts';
import { payloadBytesMaxDefault, type HostRules, type HostSettings } from '../group/host-options.ts';
import { openHost, runStream, type Host } from '../group/host.ts';
import type { Observer } from '../group/observer.ts';
import { versionOfFunction } from '../group/version.ts';
import type { Harnesses } from '../harness/port.ts';
import { canonical, toJson, type JsonValue } from '../json.ts';
import type { Entry, Journal, JournalStore, Lease } from '../journal/port.ts';
import { engineVersion } from '../version.ts';
import { checkParts, checkRules, refuseWith } from './check-config.ts';
import type { Process } from './define-process.ts';
import { startPass, type Pass } from './pass.ts';
import type { Requests } from './requests.ts';
import type { RunCreated, RunEnd } from './run-view.ts';

/** What a run is opened with. */
export interface RunOptions extends HostSettings, HostRules {
  /** Where runs are kept. */
  readonly store: JournalStore;
  /** The process; its name must be the recorded one when the run exists. */
  readonly process: Process<never, unknown>;
  /** Id of the run: letters, digits, `.`, `_`, `-`. A run of this id that has not ended is taken up. */
  readonly run: string;
  /** Input of a new run; plain JSON, default null. When the run exists it must be the recorded one, or left out. */
  readonly input?: unknown;
  /** The process file, recorded so that `troupe resume` finds it again. */
  readonly file?: string;
  /** The folder that commands without one of their own run in, recorded so that `troupe resume` uses it again. */
  readonly cwd?: string;
  /** Who performs invocations, by name. */
  readonly harnesses: Harnesses;
  /** Harness of invocations that name none and need nothing. */
  readonly defaultHarness?: string;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  readonly observer?: Observer;
  /** Letters from other processes; looked at every 200 ms. Default: none are taken. */
  readonly requests?: Requests;
}

/** The least that a bound of the host may be. */
const least = {
  concurrency: 1,
  snapshotEvery: 1,
  payloadBytesMax: 0,
  inboxMax: 0,
  mailboxMax: 0,
  messagesPerMinuteMax: 0,
  progressEveryMs: 0,
  interruptionsMax: 0,
  groupsMax: 0,
} as const satisfies Partial<Record<keyof HostSettings, number>>;

/** Throws BAD_INPUT where a part is missing, for a bound that nothing meets, or that nothing is over, and for rules that say nothing. */
function refuseOdd(options: RunOptions): void {
  const refuse = refuseWith('BAD_INPUT', 'openRun');
  checkParts(options, refuse);
  for (const [name, min] of Object.entries(least)) {
    const value = options[name as keyof typeof least];
    if (value === undefined || value >= min) continue;
    throw new TroupeError('BAD_INPUT', `openRun: expected \`${name}\` to be a number >= ${min}, got \`${value}\`.`);
  }
  checkRules(options, '', refuse);
}

/** Opens the run's journal, or creates it; another host may do so at the same moment. */
async function openOrCreate({ store, run }: RunOptions): Promise<Journal> {
  for (;;) {
    try {
      return await store.open(run);
    } catch (error) {
      if (!isTroupeError(error, 'RUN_UNKNOWN')) throw error;
    }
    try {
      return await store.open(run, { create: true });
    } catch (error) {
      if (!isTroupeError(error, 'RUN_EXISTS')) throw error;
    }
  }
}

/** Takes the lease and the recorded entries, or creates the run. */
async function take(options: RunOptions): Promise<{ journal: Journal; lease: Lease }> {
  const journal = await openOrCreate(options);
  try {
    return { journal, lease: await journal.lease() };
  } catch (error) {
    await journal.close();
    throw error;
  }
}

/** Throws BAD_INPUT when the recorded run is another process's, or has another input. */
function refuseOther(facts: RunCreated, options: RunOptions): void {
  if (facts.process !== options.process.name) {
    throw new TroupeError(
      'BAD_INPUT',
      `run ${options.run} belongs to process \`${facts.process}\`, and was opened with \`${options.process.name}\`. Choose another run id, or pass that process.`,
    );
  }
  if (options.input === undefined) return;
  const recorded = canonical(facts.input);
  const given = canonical(toJson(options.input, 'input of the run'));
  if (recorded !== given) {
    throw new TroupeError(
      'BAD_INPUT',
      `run ${options.run} was created with input ${recorded.slice(0, 200)}, and was opened with ${given.slice(0, 200)}. Leave the input out to go on, or choose another run id.`,
    );
  }
}

/** A run's first entry. */
async function create(host: Host, options: RunOptions): Promise<RunCreated> {
  const input = toJson(options.input ?? null, 'input of the run');
  const bytesMax = options.payloadBytesMax ?? payloadBytesMaxDefault;
  const bytes = Buffer.byteLength(JSON.stringify(input));
  if (bytes > bytesMax) {
    throw new TroupeError(
      'ENTRY_TOO_LARGE',
      `input of run ${options.run}: expected at most ${bytesMax} bytes of JSON (payloadBytesMax), got ${bytes}; put large data into a file and pass its path.`,
    );
  }
  const file = options.file === undefined ? {} : { file: options.file };
  const cwd = options.cwd === undefined ? {} : { cwd: options.cwd };
  const facts: RunCreated = { process: options.process.name, ...file, ...cwd, input, engine: engineVersion };
  await host.record('run.created', facts as unknown as JsonValue);
  return facts;
}

/** A run that is held, before the first pass. */
export interface Opened {
  readonly host: Host;
  /** Undefined only of a run that was cancelled before it was created. */
  readonly facts: RunCreated | undefined;
  readonly entries: readonly Entry[];
  readonly end: RunEnd | undefined;
  attach(pass: Pass): void;
  /** Entries of the run's own gates, recorded before or since. */
  gates(): readonly Entry[];
}

const isGate = ({ stream, type }: Entry) =>
  stream === runStream && (type === 'gate.opened' || type === 'gate.answered');

/** Takes up or creates a run; `performs` is false for an outside orchestrator. */
export async function openHeld(options: RunOptions, performs: boolean): Promise<Opened> {
  refuseOdd(options);
  const { journal, lease } = await take(options);
  let pass: Pass | undefined;
  const early: Entry[] = [];
  const gates: Entry[] = [];
  const applied = (entry: Entry) => {
    if (isGate(entry)) gates.push(entry);
    if (pass === undefined) early.push(entry);
    else pass.deliveries.offer(entry);
  };
  try {
    const {
      store: _store,
      process: _process,
      input: _input,
      file: _file,
      cwd: _cwd,
      requests: _requests,
      ...settings
    } = options;
    const host = await openHost({ ...settings, journal, lease, performs, applied });
    const recorded = host.recorded.find(({ stream, type }) => stream === runStream && type === 'run.created');
    let facts = recorded?.data as unknown as RunCreated | undefined;
    if (facts !== undefined) refuseOther(facts, options);
    const ended = host.recorded.find(({ stream, type }) => stream === runStream && type === 'run.ended');
    if (ended !== undefined)
      return {
        host,
        facts,
        entries: host.recorded,
        end: ended.data as unknown as RunEnd,
        attach: () => {},
        gates: () => [],
      };
    for (const notice of journal.notices()) {
      if (notice.kind !== 'snapshot-ignored') await host.record('journal.repaired', notice as unknown as JsonValue);
    }
    facts ??= await create(host, options);
    const takenFrom = lease.takenFrom === undefined ? {} : { takenFrom: lease.takenFrom };
    await host.record('epoch.taken', {
      epoch: lease.epoch,
      engine: engineVersion,
      process: versionOfFunction(options.process.run),
      ...takenFrom,
    } as unknown as JsonValue);
    return {
      host,
      facts,
      gates: () => [...host.recorded.filter(isGate), ...gates],
      end: undefined,
      get entries() {
        return [...host.recorded, ...early];
      },
      attach(started) {
        pass = started;
      },
    };
  } catch (error) {
    await journal.close();
    throw error;
  }
}

/** Starts the pass of the process function. */
export function passOver(opened: Opened, options: RunOptions): Pass {
  const started = startPass(opened.host, options.run, opened.entries, (ctx) => {
    // The recorded input is the one that was checked when the run was created.
    return options.process.run(ctx, structuredClone(opened.facts?.input) as never);
  });
  opened.attach(started);
  return started;
}
