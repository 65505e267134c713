/**
 * A group's stream folded: the actor system, the ledger, and which asked-for records still miss their entry.
 * The live host, replay, `troupe verify` and time travel fold through this one door (G5), and every digest that was
 * recorded is compared on the way (G6).
 */
import { TroupeError } from '../error.ts';
import { toJson, type JsonValue } from '../json.ts';
import type { Entry, Snapshot } from '../journal/port.ts';
import { definitionOf, type Definition } from './definition.ts';
import type { Effect } from './effect.ts';
import type { GroupEvents } from './entries.ts';
import { ledgerFromJson, ledgerToJson } from './ledger-json.ts';
import { emptyLedger, foldLedger, type Ledger } from './ledger.ts';
import { foldMail, mailFromJson, mailToJson, type Mailboxes } from './mail.ts';
import { persist, restore } from './persist.ts';
import { progressRun, type ProgressRun } from './progress-run.ts';
import { start, step } from './step.ts';
import { digest, type System } from './system.ts';
import { takeOver } from './taken-over.ts';
import { upgradeOf } from './upgrade.ts';

/** A fold under way. */
export interface GroupFold {
  readonly stream: string;
  /** The version that folds: the one that the stream names, where it is at hand. */
  readonly definition: Definition;
  /** Owned by the fold; read only. */
  readonly ledger: Ledger;
  /** Undefined before `group.created`, and while entries are only booked. */
  readonly system: System | undefined;
  /** What was delivered to members and not read. Owned by the fold; read only. */
  readonly mail: Mailboxes;
  /** Folds one entry; returns what it asks the world to do. Codes: NONDETERMINISM. */
  apply(entry: Entry): readonly Effect[];
  /** From the next entry on, which is a `group.migrated`, it folds again. */
  foldOn(): void;
  /** `<seq>:<digest>`, to be stamped on the next append; undefined before the first entry. */
  stamp(): string | undefined;
  /** Effects that are performed by recording them, and whose entry has not come yet, in order. */
  unrecorded(): readonly Effect[];
  /** True when {@link unrecorded} is empty. */
  isRecorded(): boolean;
  /** A snapshot of the fold, only while nothing is unrecorded. Codes: NOT_JSON. */
  snapshot(): Snapshot;
}

/** Who makes (and may read) snapshots of this machine's groups. */
export function snapshotMaker(definition: Definition): string {
  return `fold/4 ${definition.id}@${definition.version}`;
}

const noEffects: readonly Effect[] = [];

const isRecorded = (effect: Effect) => effect.type === 'emit' || effect.type === 'deadLetter' || effect.type === 'end';

/** Stream of the group `name`. */
export function streamOf(name: string): string {
  return `group:${name}`;
}

/** From where a fold begins. */
export interface FoldFrom {
  readonly snapshot?: Snapshot | undefined;
  /** Entries before this seq are only booked in the ledger, not folded by a machine: a `group.migrated` follows that says the state. */
  readonly foldsFrom?: number | undefined;
}

/** The fold of an empty stream, or of what a snapshot remembers. Codes: whatever a foreign or damaged snapshot throws. */
export function groupFold(newest: Definition, name: string, from: FoldFrom = {}): GroupFold {
  const { snapshot } = from;
  let { foldsFrom = 0 } = from;
  const stream = streamOf(name);
  let definition = [newest, ...newest.previous].find((one) => snapshotMaker(one) === snapshot?.maker) ?? newest;
  let ledger = emptyLedger(name);
  let system: System | undefined;
  let mail: Mailboxes = new Map();
  /** By id, in the order in which they were asked for. */
  const unrecorded = new Map<string, Effect>();

  if (snapshot !== undefined) {
    const {
      system: systemData,
      ledger: ledgerData,
      mail: mailData,
    } = snapshot.data as { system: JsonValue; ledger: JsonValue; mail: JsonValue };
    mail = mailFromJson(mailData);
    if (foldsFrom <= snapshot.seq + 1) system = restore(definition, systemData);
    ledger = ledgerFromJson(ledgerData);
  }

  /** Progress in a row waits here until somebody looks at the system. */
  let told: ProgressRun | undefined;
  const current = (): System | undefined => {
    if (told !== undefined) system = told.end();
    told = undefined;
    return system;
  };
  const applyToSystem = (entry: Entry): readonly Effect[] => {
    if (system !== undefined && entry.type === 'member.progress') {
      told ??= progressRun(system);
      told.add(entry.seq, entry.data as unknown as GroupEvents['member.progress']);
      return noEffects;
    }
    const before = current();
    let effects: readonly Effect[];
    if (before === undefined) {
      if (entry.type !== 'group.created') {
        throw new TroupeError(
          'JOURNAL_CORRUPT',
          `group \`${name}\`: expected entry 1 to be group.created, got ${entry.type}.`,
          { stream },
        );
      }
      const { input, bounds, machine } = entry.data as unknown as GroupEvents['group.created'];
      definition = definitionOf(newest, machine.version);
      // A copy: what is recorded stays as it is, also where the machine keeps its input and changes it in place.
      const own = toJson(input, 'input');
      ({ system, effects } = start(definition, { seq: entry.seq, at: entry.at, input: own, bounds }));
    } else {
      ({ system, effects } = step(before, entry));
    }
    return effects;
  };

  const stampOf = (folded: System | undefined) =>
    folded === undefined ? undefined : `${ledger.seq}:${digest(folded)}`;
  const stamp = () => stampOf(current());

  const diverged = (entry: Entry, found: string | undefined): TroupeError => {
    const { version } = ledger.machine;
    const unread = 'something it reads is not in the journal (a clock, a random number, the environment)';
    const isDeclared = upgradeOf(definition.machine).version !== undefined;
    const versions =
      version === definition.version
        ? isDeclared
          ? `The machine's declared version is the same (${version}): ${unread}, or it changed and its version did not (give it another one then).`
          : `The machine's version is the same (${version}): ${unread}, or a function that it calls changed.`
        : `The machine changed since entry 1 (version ${version} → ${definition.version}).`;
    const details = {
      stream,
      seq: entry.seq - 1,
      expected: entry.fold,
      found,
      recordedVersion: version,
      version: definition.version,
    };
    return new TroupeError(
      'NONDETERMINISM',
      `group \`${name}\`, entry ${entry.seq - 1}: recorded digest ${entry.fold}, folded ${found ?? 'nothing'}. ${versions} Nothing is lost: pin the old machine (\`coordinator(machine, { previous: [old] })\`), take its groups over with \`migrate\`, or fork the run before that entry: its position, for \`troupe fork --at\`, stands first in \`troupe log --group\`.`,
      details,
    );
  };

  /** The machine of another version goes on, from the state in the entry; what the old one asked for and is not recorded is void. */
  const taken = (entry: Entry): readonly Effect[] => {
    told = undefined;
    unrecorded.clear();
    const { to, mail: mailData } = entry.data as unknown as GroupEvents['group.migrated'];
    definition = definitionOf(newest, to.version);
    mail = mailFromJson(mailData);
    const next = takeOver(newest, stream, entry);
    system = next.system;
    return next.effects;
  };

  /** An entry that was asked for has come. */
  const noteRecorded = (entry: Entry) => {
    const recorded = (entry.data as { readonly effect?: string } | null)?.effect;
    if (recorded !== undefined) unrecorded.delete(recorded);
    if (entry.type !== 'group.ended') return;
    for (const { id, type } of unrecorded.values()) if (type === 'end') unrecorded.delete(id);
  };

  return {
    stream,
    get definition() {
      return definition;
    },
    get ledger() {
      return ledger;
    },
    get system() {
      return current();
    },
    get mail() {
      return mail;
    },
    apply(entry) {
      if (entry.seq < foldsFrom) {
        foldLedger(ledger, entry);
        return noEffects;
      }
      const isTakeover = entry.type === 'group.migrated';
      if (entry.fold !== undefined && !(isTakeover && system === undefined)) {
        const found = stamp();
        if (found !== entry.fold) throw diverged(entry, found);
      }
      const effects = isTakeover ? taken(entry) : applyToSystem(entry);
      foldLedger(ledger, entry);
      foldMail(mail, entry, effects);
      if (unrecorded.size === 0 && effects.length === 0) return effects;
      if (unrecorded.size > 0) noteRecorded(entry);
      for (const effect of effects) if (isRecorded(effect)) unrecorded.set(effect.id, effect);
      return effects;
    },
    foldOn() {
      foldsFrom = 0;
    },
    stamp,
    unrecorded: () => [...unrecorded.values()],
    isRecorded: () => unrecorded.size === 0,
    snapshot() {
      const folded = current();
      if (folded === undefined || unrecorded.size > 0) throw new Error('a snapshot is taken between turns only');
      return {
        stream,
        seq: ledger.seq,
        maker: snapshotMaker(definition),
        // A copy: what is delivered before it is written is none of its.
        data: {
          system: persist(folded),
          ledger: ledgerToJson(ledger),
          mail: mailToJson(mail),
        },
      };
    },
  };
}
