/**
 * Drives a babysitter run: a pass of its process, everything that it waits for at once, each result committed as it comes, the next pass.
 * Nothing waits for its siblings. Whatever this process was doing when it was killed, the next one goes on with.
 */
import { isoText, type Clock } from '../clock.ts';
import { isTroupeError, TroupeError } from '../error.ts';
import type { JsonValue } from '../json.ts';
import { breakpointOf, type Breakpoint, type BreakpointAnswer } from './breakpoint.ts';
import { hearingGroups, type DeclaredGroup, type DeclaredGroups } from './declared.ts';
import { driveGroup, resultOf, type GroupDriven, type Performers } from './drive-group.ts';
import { openEffects } from './effects-run.ts';
import { groupKind } from './group.ts';
import { invocationOf } from './invocation-of.ts';
import { passesOf } from './passes.ts';
import { outputFrom, writeInputs, writtenBy } from './run/effect-files.ts';
import type { Action, Iterated, LoadedSdk } from './run/load-sdk.ts';
import type { EffectResult } from './run/result-file.ts';
import type { RunFolder } from './run/run-folder.ts';
import type { ProcessFunction } from './run/guard-file.ts';

/** What {@link babysit} needs. */
export interface BabysitOptions extends Performers {
  readonly folder: RunFolder;
  readonly sdk: LoadedSdk;
  /** The run's process function; under a guard where the SDK needs one. */
  readonly body: ProcessFunction;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told what happens, in one line each. */
  tell?(line: string): void;
  /**
   * Told of each breakpoint that is waited for. What it returns is called once, when nothing is asked any more: with the answer, whoever
   * gave it, or without one when the effect was resolved in another way. Not called when the drive ends before.
   */
  breakpoint?(asked: Breakpoint): (answer?: BreakpointAnswer) => void;
}

/** How driving ended. */
export type Babysat =
  | { readonly status: 'completed'; readonly output: JsonValue }
  | { readonly status: 'failed'; readonly error: unknown }
  | { readonly status: 'stopped'; readonly inFlight: number };

/** How long to wait for a group that another process drives, and for a run that waits for nothing, before looking again, ms. */
const busyMs = 500;
const emptyMs = 20;
/** How often to look whether somebody else has resolved what is under way here, or ended the run, ms. */
const lookEveryMs = 1_000;

/**
 * Drives the run until it ends or `signal` is aborted. A run that has ended is not iterated again: babysitter would record a second end.
 * Codes: RUN_BUSY, NO_HARNESS (an effect that nobody here can perform; the run is as it was), BAD_INPUT (a process that babysitter would
 * mix up the results of), JOURNAL_CORRUPT, GROUP_MISMATCH, and those of hosts.
 */
export async function babysit(options: BabysitOptions): Promise<Babysat> {
  const { folder, signal, clock } = options;
  const tell = options.tell ?? (() => {});
  for (const file of await folder.mend()) tell(`removed journal/${file}, which a writer that was killed has left`);
  const ended = endOf(folder);
  if (ended !== undefined) return ended;

  const effects = await openEffects(folder, options, clock);
  const passes = passesOf(options);
  const declared: DeclaredGroups = new Map();
  const inFlight = new Map<string, Promise<void>>();
  const groups = new Map<string, Promise<GroupDriven | undefined>>();
  const waves = new Map<string, Wave>();
  let commits = Promise.resolve();
  let wake = () => {};
  let moved = new Promise<void>((resolve) => (wake = resolve));
  let failed: { readonly error: unknown } | undefined;
  const stop = new AbortController();
  const halt = () => {
    stop.abort();
    wake();
  };
  signal.addEventListener('abort', halt, { once: true });
  if (signal.aborted) halt();

  const commit = (action: Action, result: EffectResult): Promise<void> => {
    commits = commits.then(async () => {
      const isNew = await folder.commit(action.effectId, result);
      const how = result.status === 'ok' ? 'ok' : `error: ${result.error.message}`;
      tell(`${nameOf(action)}  ${isNew ? how : 'was resolved by somebody else; that stands'}`);
    });
    return commits;
  };
  const start = (action: Action): void => {
    const performing = inWave(waves, action, () => perform(action))
      .then(async (result) => {
        if (result !== undefined) await commit(action, result);
      })
      .catch((error: unknown) => {
        failed ??= { error };
      })
      .finally(() => {
        if (!stop.signal.aborted) inFlight.delete(action.effectId);
        wake();
      });
    inFlight.set(action.effectId, performing);
  };

  const perform = async (action: Action): Promise<EffectResult | undefined> => {
    if (stop.signal.aborted) return undefined;
    const about = metadataOf(action);
    const own = about === undefined ? undefined : declared.get(about.name);
    if (about !== undefined && own !== undefined) {
      tell(`${nameOf(action)}  is driven: ${about.journal}`);
      const driven = await groupOf(own);
      return driven === undefined ? undefined : resultOf(driven, about.failure);
    }
    if (action.kind === groupKind)
      throw new TroupeError('BAD_INPUT', `${nameOf(action)}: expected a group of troupe's \`group\`, got another one.`);
    if (action.kind === 'breakpoint') return await asked(action);
    const names = Object.keys(options.harnesses);
    const wanted = invocationOf(action, { names, defaultHarness: options.rules.defaultHarness, runDir: folder.runDir });
    if ('refusal' in wanted)
      throw new TroupeError(
        'NO_HARNESS',
        `${nameOf(action)} cannot be performed: ${wanted.refusal}. The run is as it was.`,
      );
    if (wanted.note !== undefined) tell(`${nameOf(action)}  ${wanted.note}`);
    if (wanted.inputs !== undefined) writeInputs(folder.runDir, wanted.inputs);
    tell(`${nameOf(action)}  is performed`);
    const result = await effects.perform(action.effectId, wanted.invocation);
    if (action.kind !== 'node' || result.status !== 'ok') return result;
    return { ...result, value: writtenBy(folder.runDir, action.effectId, wanted.outputFile, result.value) };
  };

  /** One driving of each group, whatever the number of effects that ask for it. */
  const groupOf = (group: DeclaredGroup): Promise<GroupDriven | undefined> => {
    const known = groups.get(group.name) ?? driven(group);
    groups.set(group.name, known);
    return known;
  };

  /** Waits for another process that drives it (`troupe run-effect`), and takes it from there. */
  const driven = async (group: DeclaredGroup): Promise<GroupDriven | undefined> => {
    for (let isTold = false; ; isTold = true) {
      try {
        return await driveGroup({ ...options, declared: group, signal: stop.signal });
      } catch (error) {
        if (!isTroupeError(error, 'RUN_BUSY')) throw error;
        if (!isTold) tell(`group ${group.name}  is driven by another process: ${error.message}`);
      }
      await pause(busyMs);
      if (stop.signal.aborted) return undefined;
    }
  };
  const pause = (ms: number) => new Promise<void>((resolve) => void clock.wakeAt(clock.now() + ms, resolve));

  /** What to call when a breakpoint is asked no more, by its effect. */
  const asking = new Map<string, (answer?: BreakpointAnswer) => void>();
  const askNoMore = (effectId: string, answer?: BreakpointAnswer): void => {
    asking.get(effectId)?.(answer);
    asking.delete(effectId);
  };
  const asked = async (action: Action): Promise<EffectResult> => {
    const about = breakpointOf(action, folder.runDir);
    const { gate, question, payload, command } = about;
    tell(`${nameOf(action)}  waits for an answer: ${command}`);
    const answering = effects.ask(gate, question, payload);
    asking.set(action.effectId, options.breakpoint?.(about) ?? (() => {}));
    const answer = await answering;
    askNoMore(action.effectId, answer);
    const { approved, note } = answer;
    return { status: 'ok', value: { approved, response: note, feedback: note } };
  };

  const turn = async (): Promise<Babysat | undefined> => {
    const result = await hearingGroups(declared, () => passes.next(commits));
    if (result.status !== 'waiting') return over(result);
    const wanted = new Set(result.nextActions.map(({ effectId }) => effectId));
    for (const effectId of asking.keys()) if (!wanted.has(effectId)) askNoMore(effectId);
    // Those first that were asked for first.
    for (const action of result.nextActions) {
      if (inFlight.has(action.effectId)) continue;
      if (action.kind === 'sleep') sleep(action);
      else start(action);
    }
    return undefined;
  };
  const alarms: (() => void)[] = [];
  const sleep = (action: Action): void => {
    const until = action.schedulerHints?.sleepUntilEpochMs ?? 0;
    tell(`${nameOf(action)}  until ${isoText(until)}`);
    // Needs no result: a pass after that moment goes on by itself.
    const slept = new Promise<void>((resolve) => {
      const over = () => {
        inFlight.delete(action.effectId);
        wake();
        resolve();
      };
      alarms.push(clock.wakeAt(until + 1, over, { isMoment: true }));
    });
    inFlight.set(action.effectId, slept);
  };
  // Nobody tells of what `task:post` or `run:iterate` of babysitter's has recorded.
  let stopLooking = () => {};
  const lookOn = (): void => {
    stopLooking = clock.wakeAt(clock.now() + lookEveryMs, () => {
      if (isMovedElsewhere()) wake();
      lookOn();
    });
  };
  const isMovedElsewhere = (): boolean => {
    try {
      const { effects: known, end } = folder.index();
      const resolved = [...inFlight.keys()].filter(
        (effectId) => (known.get(effectId)?.status ?? 'pending') !== 'pending',
      );
      for (const effectId of resolved) inFlight.delete(effectId);
      return resolved.length > 0 || end !== undefined;
    } catch {
      return false; // Under repair, perhaps; otherwise the next who reads it says so.
    }
  };
  const over = (result: Exclude<Iterated, { readonly status: 'waiting' }>): Babysat => {
    if (result.status === 'completed') return { status: 'completed', output: (result.output ?? null) as JsonValue };
    return { status: 'failed', error: result.error ?? { name: result.status, message: result.status } };
  };

  try {
    lookOn();
    for (;;) {
      moved = new Promise<void>((resolve) => (wake = resolve));
      if (failed !== undefined) throw failed.error;
      if (stop.signal.aborted) return { status: 'stopped', inFlight: inFlight.size };
      const end = endOf(folder) ?? (await Promise.race([turn(), effects.failure]));
      if (end !== undefined) {
        if (inFlight.size > 0) tell(`the run has ended with ${inFlight.size} effects under way; they are stopped`);
        return end;
      }
      if (inFlight.size === 0) {
        // A sleep that is over by one clock and not yet by the other.
        await pause(emptyMs);
        continue;
      }
      await Promise.race([moved, effects.failure]);
      await commits;
    }
  } finally {
    signal.removeEventListener('abort', halt);
    stop.abort();
    for (const callOff of alarms) callOff();
    stopLooking();
    await Promise.allSettled(groups.values());
    await commits.catch(() => {});
    await effects.close('the orchestrator ends');
  }
}

/** How a run that has ended did; its output is in a file of its own. */
function endOf(folder: RunFolder): Babysat | undefined {
  const { end } = folder.index();
  if (end === undefined) return undefined;
  if (end.type === 'RUN_FAILED') return { status: 'failed', error: end.data['error'] ?? null };
  const { outputRef: ref } = end.data;
  const outputRef = typeof ref === 'string' ? ref : undefined;
  return { status: 'completed', output: outputFrom(folder.runDir, outputRef, null) };
}

const nameOf = ({ kind, label, effectId }: Action) => `${kind} ${label ?? effectId}`;

interface About {
  readonly name: string;
  readonly journal: string;
  readonly failure: 'throw' | 'value';
}

function metadataOf({ taskDef }: Action): About | undefined {
  const { group } = (taskDef['metadata'] ?? {}) as { readonly group?: About & { readonly inputHash?: string } };
  return group !== undefined && typeof group.inputHash === 'string' ? group : undefined;
}

/** Effects that one `parallel.all` asked for, with a bound on how many are under way. */
interface Wave {
  running: number;
  readonly queue: (() => void)[];
}

async function inWave<Result>(waves: Map<string, Wave>, action: Action, work: () => Promise<Result>): Promise<Result> {
  const { parallelGroupId, maxConcurrency, background } = action.schedulerHints ?? {};
  if (maxConcurrency === undefined || !(maxConcurrency >= 1) || background === true) return await work();
  // The id changes with what is pending, the bound does not: siblings of one bound and label are told apart by neither, so they share one.
  const key = `${parallelGroupId === undefined ? action.effectId : 'parallel'} ${maxConcurrency}`;
  const wave = waves.get(key) ?? { running: 0, queue: [] };
  waves.set(key, wave);
  if (wave.running >= maxConcurrency) await new Promise<void>((resolve) => wave.queue.push(resolve));
  else wave.running += 1;
  try {
    return await work();
  } finally {
    const next = wave.queue.shift();
    if (next === undefined) wave.running -= 1;
    else next();
  }
}
