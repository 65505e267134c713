/**
 * A recorded run folded again without a lease, a harness or a clock of its own: the process function is run over what
 * is recorded, so that its machines and names are at hand, and every group is folded in full. Performs nothing (G5).
 */
import { TroupeError } from '../error.ts';
import { streamOf } from '../group/fold.ts';
import type { GroupOptions } from '../group/group-context.ts';
import type { Group } from '../group/group.ts';
import { isForProcess, runStream, type Host } from '../group/host.ts';
import { foldAll, type Replayed } from './fold-all.ts';
import type { Entry, Journal } from '../journal/port.ts';
import type { Process } from './define-process.ts';
import { drained } from './drained.ts';
import { startPass } from './pass.ts';
import type { RunCreated } from './run-view.ts';

/** Turns of the event loop that the process function is given to open its recorded groups. */
const turnsMax = 20_000;

/**
 * Folds all groups of a run that its process opens. Codes: NONDETERMINISM, GROUP_MISMATCH, JOURNAL_CORRUPT,
 * JOURNAL_FORMAT, PROCESS_INVALID (a recorded group that the process does not open), and what opening groups throws. `fold`: how a group is folded.
 */
export async function replayRun(
  journal: Journal,
  process: Process<never, unknown>,
  fold: typeof foldAll = foldAll,
): Promise<readonly Replayed[]> {
  const streams = new Map<string, Entry[]>();
  const forProcess: Entry[] = [];
  for await (const entries of journal.read()) {
    for (const entry of entries) {
      const stream = streams.get(entry.stream);
      if (stream === undefined) streams.set(entry.stream, [entry]);
      else stream.push(entry);
      if (isForProcess(entry)) forProcess.push(entry);
    }
  }
  const created = forProcess.find(({ type }) => type === 'run.created')?.data as unknown as RunCreated | undefined;
  if (created === undefined) return [];
  if (created.process !== process.name) {
    throw new TroupeError(
      'PROCESS_INVALID',
      `run ${journal.run} belongs to process \`${created.process}\`, and was replayed with \`${process.name}\`.`,
    );
  }

  const replayed = new Map<string, Replayed>();
  const groups = new Map<string, Group>();
  let fail: (error: unknown) => void = () => {};
  const failure = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failure.catch(() => {});
  const never = <Value>() => new Promise<Value>(() => {});

  const open = async (options: GroupOptions): Promise<Group> => {
    const entries = streams.get(streamOf(options.name));
    // A group that is not recorded yet: the process goes no further than the journal.
    if (entries === undefined) return never();
    const one = fold(options, entries);
    replayed.set(options.name, one);
    const { ledger } = one.fold;
    /** What was sent and is not recorded: refused by a group that had ended, or never come to. Other refusals are noted in the run's stream. */
    const unsent = (): Promise<never> =>
      ledger.status === 'active'
        ? never()
        : Promise.reject(new TroupeError('GROUP_ENDED', `group \`${options.name}\` has ${ledger.status}.`));
    const group: Group = {
      name: options.name,
      fold: one.fold,
      ledger,
      signal: (_event, { id }) => (ledger.signals.has(id) ? Promise.resolve() : unsent()),
      send: (_from, { id }) => (ledger.messages.has(id) ? Promise.resolve({ id }) : unsent()),
      answer: never,
      checkpoint: ({ name }) =>
        ledger.checkpoints.some((mark) => mark.by === 'process' && mark.name === name) ? Promise.resolve() : never(),
      cancel: () => (ledger.status === 'active' || ledger.goingOn.size > 0 ? never() : Promise.resolve()),
      wants: () => [],
      settle: never,
      over: never,
      idle: () => Promise.resolve(),
      snapshot: () => Promise.resolve(),
    };
    groups.set(options.name, group);
    return group;
  };
  const opening = new Map<string, Promise<Group>>();
  const last = forProcess.at(-1)?.at ?? 0;
  const host: Host = {
    journal,
    clock: { now: () => last, wakeAt: () => () => {} },
    epoch: 0,
    recorded: forProcess,
    stretches: new Map(),
    recordedGroups: new Set(),
    open(options) {
      const known = opening.get(options.name) ?? open(options);
      opening.set(options.name, known);
      return known;
    },
    group: (name) => groups.get(name),
    groups: () => groups.values(),
    allOpened: never,
    seal: () => {},
    record: never,
    wakeAt: () => () => {},
    nextDueAt: () => undefined,
    failure,
    fail,
    hasFailed: () => false,
    idle: () => Promise.resolve(),
    stop: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  const pass = startPass(host, journal.run, forProcess, (ctx) =>
    process.run(ctx, structuredClone(created.input) as never),
  );
  await Promise.race([pass.deliveries.quiet(), failure]);
  const isMissing = (stream: string) => stream !== runStream && !replayed.has(stream.slice(streamOf('').length));
  // A process function that also reads files and the like takes a moment longer than its deliveries.
  for (let turn = 0; turn < turnsMax && [...streams.keys()].some(isMissing); turn += 1)
    await Promise.race([drained(), failure]);
  await Promise.race([
    Promise.all([...opening].filter(([name]) => streams.has(streamOf(name))).map(([, one]) => one)),
    failure,
  ]);

  const missing = [...streams.keys()].filter(isMissing);
  if (missing.length > 0) {
    throw new TroupeError(
      'PROCESS_INVALID',
      `process \`${process.name}\` did not open what run ${journal.run} has recorded: ${missing.join(', ')}. Replay with the process file that wrote the journal.`,
    );
  }
  return [...replayed.values()];
}
