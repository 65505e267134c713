/**
 * Messages and answers for a run that no host drives: entries are appended without the machines, as a host would have,
 * and the next host folds them.
 */
import { systemClock, type Clock } from '../clock.ts';
import { TroupeError } from '../error.ts';
import { coordinatorName, parentAddress, rootAddress } from '../group/address.ts';
import { gatesThatWait, openingOf, tellingOf } from '../group/askers.ts';
import type { GroupEvents } from '../group/entries.ts';
import { streamOf } from '../group/fold.ts';
import { payloadBytesMaxDefault } from '../group/host-options.ts';
import { runStream } from '../group/host.ts';
import type { GateRecord, Ledger, MemberRecord } from '../group/ledger.ts';
import { nobodyThere, refuseNoLetter, unknownMember } from '../group/post.ts';
import { refuseReserved } from '../group/reserved.ts';
import type { Letter } from '../harness/port.ts';
import { toJson, type JsonValue } from '../json.ts';
import type { Journal, JournalEvent, JournalStore } from '../journal/port.ts';
import { nearest } from '../nearest.ts';
import { engineVersion } from '../version.ts';
import { readRun } from './cancel.ts';
import { refuseNoAnswer, type Answer } from './outside.ts';
import type { RunView } from './run-view.ts';

/** What both need. */
export interface UnattendedOptions {
  readonly store: JournalStore;
  readonly run: string;
  readonly clock?: Clock;
}

/** A gate that waits for its answer; `group` is undefined for one of the run's own. */
export interface OpenGate extends GateRecord {
  readonly group: string | undefined;
  /** Tells this opening of the gate from the next one of its name. */
  readonly opening: string;
}

/** Gates of a run that wait for an answer, the run's own first. */
export function openGatesOf({ gates, groups, end }: RunView): readonly OpenGate[] {
  if (end !== undefined) return [];
  const own = [...gates.values()]
    .filter(({ answer }) => answer === undefined)
    .map((gate) => ({ ...gate, group: undefined, opening: gate.name }));
  return [
    ...own,
    ...[...groups.values()].flatMap((ledger) =>
      gatesThatWait(ledger).map((gate) => ({ ...gate, group: ledger.name, opening: openingOf(gate) })),
    ),
  ];
}

/** The gate that is meant. Codes: UNKNOWN_GATE, naming those that are open; BAD_INPUT when several groups have one of this name. */
export function gateOf(view: RunView, name: string, group: string | undefined): OpenGate {
  const open = openGatesOf(view);
  const meant = open.filter((gate) => gate.name === name && (group === undefined || gate.group === group));
  const [gate, other] = meant;
  const whose = (one: OpenGate) => (one.group === undefined ? 'the run' : `group ${one.group}`);
  if (gate === undefined) {
    const names = open.map((one) => `${one.name} (${whose(one)})`).join(', ');
    const where = group === undefined ? '' : ` in group \`${group}\``;
    throw new TroupeError(
      'UNKNOWN_GATE',
      `run ${view.id} has no open gate \`${name}\`${where}; open gates: ${names || 'none'}.`,
      { run: view.id, gate: name },
    );
  }
  if (other !== undefined && gate.group !== undefined) {
    throw new TroupeError(
      'BAD_INPUT',
      `run ${view.id} has gate \`${name}\` open in several places: ${meant.map(whose).join(', ')}. Say which group.`,
    );
  }
  return gate;
}

/** The group that is meant, ended or not. Codes: UNKNOWN_GROUP with the nearest names. */
export function knownGroupOf(view: RunView, name: string): Ledger {
  const ledger = view.groups.get(name);
  if (ledger !== undefined) return ledger;
  const names = [...view.groups.keys()];
  const near = nearest(name, names);
  const hint = near.length > 0 ? ` Did you mean ${near.map((one) => `\`${one}\``).join(' or ')}?` : '';
  throw new TroupeError(
    'UNKNOWN_GROUP',
    `run ${view.id} has no group \`${name}\`. Groups: ${names.join(', ') || 'none yet'}.${hint}`,
    { run: view.id, group: name, nearest: near },
  );
}

/** The group that is meant, if it takes messages. Codes: UNKNOWN_GROUP with the nearest names, GROUP_ENDED. */
export function groupOf(view: RunView, name: string): Ledger {
  const ledger = knownGroupOf(view, name);
  if (ledger.status !== 'active') {
    throw new TroupeError(
      'GROUP_ENDED',
      `group \`${name}\` of run ${view.id} has ${ledger.status}; it takes no more messages.`,
      { run: view.id, group: name },
    );
  }
  return ledger;
}

/** Members, and the nested coordinators above them: without the machines, those of which nothing was asked yet are not known. */
function namesIn({ members }: Ledger): ReadonlySet<string> {
  const names = new Set<string>(members.keys());
  for (const id of members.keys())
    for (let above = parentAddress(id); above !== undefined && above !== rootAddress; above = parentAddress(above))
      names.add(above);
  return names;
}

const isLiving = ({ status }: MemberRecord) => status !== 'cancelled' && status !== 'completed' && status !== 'failed';

/**
 * Records a message from outside; the same id twice to one recipient is one message. Returns the entry's recipients.
 * Codes: RUN_BUSY when a living host holds the run, RUN_UNKNOWN, UNKNOWN_GROUP, GROUP_ENDED, UNKNOWN_MEMBER, BAD_INPUT, RESERVED_EVENT, NOT_JSON, ENTRY_TOO_LARGE, JOURNAL_IO.
 */
export async function sendUnattended(
  options: UnattendedOptions & { readonly group: string; readonly letter: Letter & { readonly id: string } },
): Promise<readonly string[]> {
  const { group, letter } = options;
  refuseNoLetter(letter);
  const { id, to, type, body = null, inReplyTo, mode } = letter;
  refuseReserved(type);
  const checked = toJson(body, `body of message \`${type}\``);
  const bytes = Buffer.byteLength(JSON.stringify(checked));
  if (bytes > payloadBytesMaxDefault) {
    throw new TroupeError(
      'ENTRY_TOO_LARGE',
      `message \`${type}\` to \`${to}\`: expected at most ${payloadBytesMaxDefault} bytes of JSON, got ${bytes}; put large data into a file and send its path.`,
    );
  }
  return await held(options, async (view, append) => {
    const ledger = groupOf(view, group);
    if (to === coordinatorName) {
      if (ledger.signals.has(id)) return [to];
      const event = { body: checked, from: 'outside', type };
      await append(streamOf(group), ledger.seq, [
        ['signal', { id, from: 'outside', event } satisfies GroupEvents['signal']],
      ]);
      return [to];
    }
    const living = [...ledger.members.values()].filter(isLiving).map((member) => member.id);
    const known = namesIn(ledger);
    if (to !== '*' && !known.has(to)) throw unknownMember(group, to, [...known]);
    const recipients = to === '*' ? living : [to];
    if (recipients.length === 0 && !ledger.messages.has(id)) throw nobodyThere(group, type);
    const unsent = recipients.filter((one) => ledger.messages.get(id)?.includes(one) !== true);
    const extra = { ...(inReplyTo === undefined ? {} : { inReplyTo }), ...(mode === undefined ? {} : { mode }) };
    const entries = unsent.map((one): New => [
      'message',
      { id, from: 'outside', to: one, type, body: checked, ...extra } satisfies GroupEvents['message'],
    ]);
    if (entries.length > 0) await append(streamOf(group), ledger.seq, entries);
    return recipients;
  });
}

/**
 * Records an answer from outside, and what the machine that asked hears of it, in one append. Returns the gate.
 * Codes: RUN_BUSY when a living host holds the run, RUN_UNKNOWN, UNKNOWN_GATE, BAD_INPUT, JOURNAL_IO.
 */
export async function answerUnattended(options: UnattendedOptions & { readonly answer: Answer }): Promise<OpenGate> {
  refuseNoAnswer(options.answer);
  const { gate: name, group, approved, note = '', opening } = options.answer;
  return await held(options, async (view, append, runSeq) => {
    const gate = gateOf(view, name, group);
    if (opening !== undefined && gate.opening !== opening)
      throw new TroupeError(
        'UNKNOWN_GATE',
        `gate \`${name}\` of run ${view.id} was opened again since: look at what is asked now.`,
        { run: view.id, gate: name },
      );
    const answered: New = [
      'gate.answered',
      { name, approved, note, by: 'outside' } satisfies GroupEvents['gate.answered'],
    ];
    if (gate.group === undefined) {
      await append(runStream, runSeq, [answered]);
      return gate;
    }
    const telling = tellingOf(gate, { approved, note, by: 'outside' });
    const heard: readonly New[] = telling === undefined ? [] : [['signal', telling]];
    await append(streamOf(gate.group), view.groups.get(gate.group)?.seq ?? 0, [answered, ...heard]);
    return gate;
  });
}

type New = readonly [type: string, data: unknown];
type Append = (stream: string, seq: number, events: readonly New[]) => Promise<void>;

/** Takes the run, lets `act` append, gives it back. */
async function held<Result>(
  { store, run, clock = systemClock }: UnattendedOptions,
  act: (view: RunView, append: Append, runSeq: number) => Promise<Result>,
): Promise<Result> {
  const journal: Journal = await store.open(run);
  try {
    const { epoch, takenFrom } = await journal.lease();
    const view = await readRun(journal);
    let runSeq = 0;
    for await (const entries of journal.read(runStream)) runSeq += entries.length;
    const append: Append = async (stream, seq, events) => {
      const at = clock.now();
      // Every event has been checked, or is of our own making.
      await journal.append(
        stream,
        seq,
        epoch,
        events.map(([type, data]): JournalEvent => ({ type, at, data: data as JsonValue })),
      );
    };
    if (view.end === undefined) {
      const took = {
        epoch,
        engine: engineVersion,
        ...(takenFrom === undefined ? {} : { takenFrom: { ...takenFrom } }),
      };
      await append(runStream, runSeq, [['epoch.taken', took]]);
      runSeq += 1;
    }
    return await act(view, append, runSeq);
  } finally {
    await journal.close();
  }
}
