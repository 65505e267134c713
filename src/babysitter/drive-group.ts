/**
 * Drives one group of a babysitter run to its end. Its journal is a troupe run of its own in `<run dir>/troupe`, whose id is the group's;
 * its control events go into the run's journal as well.
 */
import { isTroupeError, TroupeError } from '../error.ts';
import type { GroupEnd } from '../group/effect.ts';
import type { HostRules, HostSettings } from '../group/host-options.ts';
import type { Observer } from '../group/observer.ts';
import type { Harnesses } from '../harness/port.ts';
import type { JsonValue } from '../json.ts';
import { fileStore } from '../journal/file.ts';
import type { Entry, JournalStore } from '../journal/port.ts';
import { defineProcess } from '../process/define-process.ts';
import type { RunOptions } from '../process/held-run.ts';
import type { Requests } from '../process/requests.ts';
import { openRun, type Run } from '../process/run.ts';
import type { DeclaredGroup } from './declared.ts';
import { groupEventsIn } from './group-events.ts';
import { journalOf, resultJson, type GroupAbout } from './group-result.ts';
import { mirrorOf } from './mirror.ts';
import { openGates } from './open-gates.ts';
import { rehydrate } from './rehydrate.ts';
import { groupIdOf, inputHashOf } from './run/hash.ts';
import type { EffectResult } from './run/result-file.ts';
import type { RunFolder } from './run/run-folder.ts';
import { spill, unspill } from './run/spill.ts';
import { troupeFolder } from './run/staging.ts';

/** Who performs, and how it is watched. */
export interface Performers {
  readonly harnesses: Harnesses;
  readonly rules: HostRules & { readonly defaultHarness?: string };
  readonly settings: HostSettings;
  readonly observer?: Observer;
  /** Letters to the host of the run of this id. */
  requests?(run: string): Requests;
}

/** What {@link driveGroup} needs. */
export interface DriveGroup extends Performers {
  readonly folder: RunFolder;
  readonly declared: DeclaredGroup;
  /** Stops driving when it is aborted: the group goes on when it is driven again. */
  readonly signal: AbortSignal;
  /** Told of each gate that waits for an answer, in one line. */
  tell?(line: string): void;
}

/** The store of a run directory's own troupe runs. */
export const storeOf = (runDir: string): JournalStore => fileStore({ dir: troupeFolder(runDir) });

/** Where the journal stream of a group is. */
const streamOf = (name: string) => `group:${name}`;

/**
 * Drives a group to its end; its end as the effect's result, or undefined when it was stopped first. A group that has ended is not driven
 * again. Codes: RUN_BUSY (another process drives it), GROUP_MISMATCH, and those of a run's `drive`.
 */
export async function driveGroup(options: DriveGroup): Promise<GroupDriven | undefined> {
  const { folder, declared, harnesses, rules, settings, signal } = options;
  const { name, machine, input } = declared;
  const groupId = groupIdOf(folder.facts.runId, name);
  const about: GroupAbout = { group: name, groupId, inputHash: inputHashOf(input), journal: journalOf(groupId) };
  const store = storeOf(folder.runDir);
  const definition = defineProcess(
    'babysitter.group',
    (ctx) => ctx.group(name, machine, input, declared.options).output,
  );
  const mirror = mirrorOf({
    folder,
    name,
    groupId,
    created: { inputHash: about.inputHash, journal: about.journal },
    spill: (value) => spill(folder.runDir, value),
  });
  const gates = openGates({ group: name, groupId, runDir: folder.runDir, tell: options.tell ?? (() => {}) });
  const take = (entry: Entry) => {
    mirror.take(entry);
    gates.take(entry);
  };
  const requests = options.requests?.(groupId);
  const run: RunOptions = {
    ...settings,
    ...rules,
    store,
    process: definition,
    run: groupId,
    input: { group: name, run: folder.facts.runId, inputHash: about.inputHash },
    harnesses,
    observer: watched(options.observer, take, name),
    ...(requests === undefined ? {} : { requests }),
  };
  if (await isGone(store, groupId)) {
    const events = groupEventsIn(folder.events(), groupId);
    const recorded = recordedEnd(folder, events, about);
    if (recorded !== undefined) return { about, end: recorded };
    if (events.length > 0) await rehydrate(run, name, events, (value) => unspill(folder.runDir, value));
  } else await catchUp(store, groupId, name, take);
  gates.begin();
  const end = await driven(run, about, signal);
  await mirror.flushed();
  return end === undefined ? undefined : { about, end };
}

/** How a group ended. */
export interface GroupDriven {
  readonly about: GroupAbout;
  readonly end: GroupEnd;
}

/** A group's end as its effect's result: a failure is one unless the process wants it as a value. */
export function resultOf({ about, end }: GroupDriven, failure: 'throw' | 'value'): EffectResult {
  const value = resultJson(about, end);
  const metadata = { troupe: { ...about } };
  if (end.status === 'completed' || failure === 'value') return { status: 'ok', value, metadata };
  const why = end.status === 'failed' ? `failed: ${end.error.message}` : `was cancelled: ${end.reason}`;
  return {
    status: 'error',
    error: { name: 'GroupFailed', message: `group \`${about.group}\` ${why}`, data: value },
    metadata,
  };
}

async function driven(options: RunOptions, about: GroupAbout, signal: AbortSignal): Promise<GroupEnd | undefined> {
  if (signal.aborted) return undefined;
  const run = await open(options, about);
  const stop = () => void run.stop('the orchestrator was told to stop').catch(() => {});
  signal.addEventListener('abort', stop, { once: true });
  try {
    const result = await run.drive();
    if (result.status === 'stopped') return undefined;
    if (result.status !== 'failed') return result;
    return await endRecorded(options.store, about, result);
  } finally {
    signal.removeEventListener('abort', stop);
    await run.close();
  }
}

async function open(options: RunOptions, about: GroupAbout): Promise<Run> {
  try {
    return await openRun(options);
  } catch (error) {
    if (!isTroupeError(error, 'BAD_INPUT') || !error.message.includes('was created with input')) throw error;
    throw new TroupeError(
      'GROUP_MISMATCH',
      `group \`${about.group}\` (${about.groupId}) was created with another input than the process passes now. A process must pass the same in each iteration: take what changes from a task's result.`,
      { group: about.group },
      error,
    );
  }
}

/** What the group itself failed of: what the process around it says is about that. */
async function endRecorded(
  store: JournalStore,
  { group, groupId }: GroupAbout,
  otherwise: GroupEnd,
): Promise<GroupEnd> {
  const journal = await store.open(groupId);
  try {
    for await (const entries of journal.read(streamOf(group)))
      for (const { type, data } of entries) if (type === 'group.ended') return data as unknown as GroupEnd;
    return otherwise;
  } finally {
    await journal.close();
  }
}

/** The group's own journal is not there, though the group may have begun. */
async function isGone(store: JournalStore, groupId: string): Promise<boolean> {
  try {
    await (await store.open(groupId)).close();
    return false;
  } catch (error) {
    if (isTroupeError(error, 'RUN_UNKNOWN')) return true;
    throw error;
  }
}

type Take = (entry: Entry) => void;

/** What a host that was killed has not told the run's journal, and what waits for an answer. */
async function catchUp(store: JournalStore, groupId: string, name: string, take: Take): Promise<void> {
  const journal = await store.open(groupId);
  try {
    for await (const entries of journal.read(streamOf(name))) for (const entry of entries) take(entry);
  } finally {
    await journal.close();
  }
}

function recordedEnd(
  { runDir }: RunFolder,
  events: ReturnType<typeof groupEventsIn>,
  about: GroupAbout,
): GroupEnd | undefined {
  const created = events.find(({ type }) => type === 'GROUP_CREATED');
  if (created !== undefined && created.data['inputHash'] !== about.inputHash) {
    throw new TroupeError(
      'GROUP_MISMATCH',
      `group \`${about.group}\` (${about.groupId}) was created with another input than the process passes now (${String(created.eventId)} says ${JSON.stringify(created.data['inputHash'])}, not \`${about.inputHash}\`).`,
      { group: about.group },
    );
  }
  const ended = events.find(({ type }) => type === 'GROUP_ENDED');
  const end = unspill(runDir, ended?.data['end']) as JsonValue | undefined;
  return end as unknown as GroupEnd | undefined;
}

function watched(observer: Observer | undefined, take: Take, name: string): Observer {
  return {
    ...observer,
    entry(entry) {
      if (entry.stream === streamOf(name)) take(entry);
      observer?.entry?.(entry);
    },
  };
}
