/**
 * Journals of real runs against a machine, the one that wrote them or a newer one: are they ways of the model? What re-executing the
 * new machine alone cannot show, a change that is right in itself and breaks what has begun, only journals that were kept can.
 */
import { isTroupeError } from '../error.ts';
import type { AnyStateMachine } from 'xstate';
import type { Coordinator } from '../group/coordinator.ts';
import { define, definitionOf, type Definition } from '../group/definition.ts';
import type { GroupEvents } from '../group/entries.ts';
import { groupFold } from '../group/fold.ts';
import type { Entry } from '../journal/port.ts';
import { asked } from './checkable.ts';
import type { Protocol } from './protocol.ts';
import { allowing } from './recorded/allowed.ts';
import { recordedState } from './recorded/group-state.ts';
import { filesOf, readJournal } from './recorded/read-journals.ts';

/** The first entry that is not a step of the model. */
export interface FirstOff {
  readonly stream: string;
  readonly seq: number;
  readonly type: string;
  /** In words. */
  readonly why: string;
}

/** One group of a journal. */
export interface VerifiedGroup {
  readonly name: string;
  /** The machine version that the journal names. */
  readonly recorded: string;
  /** It is the version at hand (or one that that one knows), after every takeover too: its digests were compared. */
  readonly isSameVersion: boolean;
  readonly entries: number;
  /** Recorded digests that the replay met. */
  readonly digests: number;
  /** Entries that could only be read: another version wrote them, which is not at hand, before this one took the group over. */
  readonly booked: number;
}

/** One journal. */
export interface VerifiedJournal {
  readonly file: string;
  readonly run: string;
  /** Every entry of the machine's groups is a step that was possible where it stands, and every property held after it. */
  readonly isPath: boolean;
  /** One sentence: what was proven, or what the first entry is that is no step. */
  readonly message: string;
  readonly groups: readonly VerifiedGroup[];
  readonly first: FirstOff | undefined;
}

/** What may be verified against. */
export type JournalModel = Coordinator<never, unknown> | Protocol<never, never>;

/**
 * Reads journals (files, or folders of runs; `*` stands for any text in a name) and replays in each the groups of the machine. Where
 * the version is the same, recorded digests are compared (G6). With a protocol, its world is compared too: outcomes by kind, messages, cancelling;
 * and its `always` hold after every entry. Its bounds and its input are not: real runs may be larger. Nothing is written.
 * Codes: BAD_INPUT (no such file, no journal), MACHINE_UNSUPPORTED. A damaged journal is a result, not an error.
 */
export async function verifyJournals(
  files: string | readonly string[],
  model: JournalModel,
): Promise<readonly VerifiedJournal[]> {
  const paths = await filesOf(typeof files === 'string' ? [files] : files);
  const results: VerifiedJournal[] = [];
  for (const path of paths) results.push(await verifyOne(path, model));
  return results;
}

async function verifyOne(file: string, model: JournalModel): Promise<VerifiedJournal> {
  const protocol = 'options' in model && 'open' in model ? (model as unknown as Protocol) : undefined;
  const definition = define((protocol?.options.coordinator ?? model) as AnyStateMachine);
  let run = '';
  const streams = new Map<string, Entry[]>();
  try {
    const journal = await readJournal(file);
    run = journal.run;
    for (const entry of journal.entries) {
      if (!entry.stream.startsWith('group:')) continue;
      const stream = streams.get(entry.stream);
      if (stream === undefined) streams.set(entry.stream, [entry]);
      else stream.push(entry);
    }
  } catch (error) {
    if (!isTroupeError(error) || error.code === 'BAD_INPUT') throw error;
    return { file, run, isPath: false, message: `${file}: ${error.message}`, groups: [], first: undefined };
  }
  const groups: VerifiedGroup[] = [];
  for (const [stream, entries] of streams) {
    const [created] = entries;
    if (created?.type !== 'group.created') continue;
    if ((created.data as unknown as GroupEvents['group.created']).machine.id !== definition.id) continue;
    const { group, first } = verifyGroup(stream, entries, definition, protocol);
    groups.push(group);
    if (first === undefined) continue;
    const message = `${file}: group \`${group.name}\`, entry ${first.seq} (${first.type}) is not a step of machine \`${definition.id}\`: ${first.why}.`;
    return { file, run, isPath: false, message, groups, first };
  }
  if (groups.length === 0) {
    const message = `${file}: no group of machine \`${definition.id}\` is in it.`;
    return { file, run, isPath: false, message, groups, first: undefined };
  }
  const count = groups.reduce((sum, { entries }) => sum + entries, 0);
  const digests = groups.reduce((sum, one) => sum + one.digests, 0);
  const compared = groups.every(({ isSameVersion }) => isSameVersion)
    ? `${digests} digests are the same`
    : 'by another version of the machine';
  return {
    file,
    run,
    isPath: true,
    message: `${file}: ${count} entries are a path of the model, ${compared}.`,
    groups,
    first: undefined,
  };
}

interface Judged {
  readonly group: VerifiedGroup;
  readonly first: FirstOff | undefined;
}

function verifyGroup(
  stream: string,
  entries: readonly Entry[],
  definition: Definition,
  protocol: Protocol | undefined,
): Judged {
  const { name, machine } = (entries[0] as Entry).data as unknown as GroupEvents['group.created'];
  const isAtHand = (version: string) => definitionOf(definition, version).version === version;
  const judgedFrom = firstJudged(entries, machine.version, isAtHand);
  let isSame = judgedFrom === 1 && isAtHand(machine.version);
  let isSameVersion = isSame;
  const fold = groupFold(definition, name, { foldsFrom: judgedFrom });
  const allow = allowing(fold, protocol?.options);
  let digests = 0;
  let seq = 0;
  const end = (why: string | undefined, type = ''): Judged => ({
    group: { name, recorded: machine.version, isSameVersion, entries: entries.length, digests, booked: judgedFrom - 1 },
    first: why === undefined ? undefined : { stream, seq, type, why },
  });
  for (const entry of entries) {
    if (entry.seq !== seq + 1) return end(`entry ${seq + 1} is missing`, entry.type);
    seq = entry.seq;
    try {
      // Another version's digests are of another machine.
      const compared = isSame ? entry : withoutDigest(entry);
      const allowed = allow(compared);
      if (seq < judgedFrom) {
        fold.apply(compared);
        continue;
      }
      if ('why' in allowed) return end(allowed.why, entry.type);
      fold.apply(allowed.entry);
      if (isSame && entry.fold !== undefined) digests += 1;
      if (entry.type === 'group.migrated') {
        // From here on it is another version's.
        isSame = isAtHand((entry.data as unknown as GroupEvents['group.migrated']).to.version);
        isSameVersion = isSame && (isSameVersion || seq === judgedFrom);
      }
    } catch (error) {
      if (isTroupeError(error) && error.code === 'BAD_INPUT') return end(error.message, entry.type);
      return end(error instanceof Error ? error.message : String(error), entry.type);
    }
    const broken = brokenBy(fold, protocol);
    if (broken !== undefined) return end(`after it property \`${broken}\` does not hold`, entry.type);
  }
  const missing = fold.ledger.status === 'active' ? undefined : fold.unrecorded()[0];
  if (missing === undefined) return end(undefined);
  const what = missing.type === 'emit' ? missing.event.type : missing.type;
  return end(
    `the group has ended, and what the machine asked for in entry ${missing.id.split(':')[0]} (${what}) was never recorded`,
    entries.at(-1)?.type,
  );
}

/** Seq of the first entry that a version at hand can fold: 1, or that of a takeover from one that is not at hand. */
function firstJudged(entries: readonly Entry[], created: string, isAtHand: (version: string) => boolean): number {
  let version = created;
  let from = 1;
  for (const entry of entries) {
    if (entry.type !== 'group.migrated') continue;
    if (!isAtHand(version)) from = entry.seq;
    version = (entry.data as unknown as GroupEvents['group.migrated']).to.version;
  }
  return from;
}

function brokenBy(fold: ReturnType<typeof groupFold>, protocol: Protocol | undefined): string | undefined {
  const always = Object.entries(protocol?.properties.always ?? {});
  if (always.length === 0) return undefined;
  const state = recordedState(fold);
  if (state === undefined) return undefined;
  return always.find(([name, holds]) => !asked(name, holds, state as never))?.[0];
}

function withoutDigest({ v, stream, seq, epoch, type, at, data }: Entry): Entry {
  return { v, stream, seq, epoch, type, at, data };
}
