/**
 * One living group: append → fold → perform → append (DESIGN, "The path of data").
 *
 * Keeps G1 and G2 through its {@link StreamWriter}: an input is folded when it is durable, and only what a folded
 * entry asked for is performed.
 */
import { isTroupeError, TroupeError } from '../error.ts';
import type { JsonValue } from '../json.ts';
import { plainEntry } from '../journal/lazy.ts';
import type { Entry } from '../journal/port.ts';
import type { GateAnswer, Letter, Outcome, Sent } from '../harness/port.ts';
import { actorKeyText } from './address.ts';
import { attemptsOf } from './attempts.ts';
import type { GroupEvents, Push } from './entries.ts';
import type { ActorKey, Effect } from './effect.ts';
import { groupFold, snapshotMaker, streamOf, type GroupFold } from './fold.ts';
import type { GroupContext, GroupOptions, RecordedGroup } from './group-context.ts';
import { gatesOf } from './gates.ts';
import { weightOf, type Ledger } from './ledger.ts';
import { mailOfEffect } from './box.ts';
import { isReadable } from './mail.ts';
import { definitionOf } from './definition.ts';
import { migrated, migrationOf, refuseGoingOn } from './migrate.ts';
import { createdAs, refuseMismatch } from './mismatch.ts';
import { postOf } from './post.ts';
import { signalsOf, type SendSignal } from './signals.ts';
import { streamWriter } from './stream-writer.ts';
import { groupWorktrees } from './worktrees.ts';
import { timers as timersOf, wants as wantsOf } from './system.ts';

/** A group that is driven by this host. */
export interface Group {
  readonly name: string;
  readonly ledger: Ledger;
  readonly fold: GroupFold;
  /**
   * Sends an event to the coordinator; resolves when it is durable and folded. The same `id` twice is one signal.
   * Codes: GROUP_ENDED, RESERVED_EVENT, ENTRY_TOO_LARGE.
   */
  readonly signal: SendSignal;
  /** Sends a letter to a member, the coordinator, or all. Codes: see `post.ts`. */
  send(from: string, letter: Letter & { readonly id: string }): Promise<Sent>;
  /** Answers an open gate, this opening of it where one is said; resolves when whoever asked there has heard. Codes: UNKNOWN_GATE. */
  answer(gate: string, answer: GateAnswer, opening?: string): Promise<void>;
  /** The process's own mark; the same name once. */
  checkpoint(mark: {
    readonly name: string;
    readonly settled: number;
    readonly total: number;
    readonly data?: JsonValue;
  }): Promise<void>;
  /** Ends the group as cancelled, and what goes on of an ended one; resolves when that is recorded. */
  cancel(reason: string): Promise<void>;
  /** Members that are wanted now. */
  wants(): Iterable<ActorKey & { readonly input: unknown }>;
  /** Records an outside orchestrator's outcome. Codes: UNKNOWN_MEMBER. */
  settle(member: string, outcome: Outcome): Promise<void>;
  /** Resolves when it has ended, and so have those of its members that go on in the background. */
  over(): Promise<void>;
  /** Resolves when nothing waits to be written. */
  idle(): Promise<void>;
  /** Writes a snapshot if the fold has moved since the last and is between turns. */
  snapshot(): Promise<void>;
}

/** The version that folds the end of a stream, where one has to be chosen: else its data is not looked at. */
function versionOf({ version }: RecordedGroup, { definition }: GroupOptions): string | undefined {
  if (version === undefined || (definition.previous.length === 0 && definition.migrations.size === 0)) return undefined;
  const { machine, to } = version.data as unknown as Partial<
    GroupEvents['group.created'] & GroupEvents['group.migrated']
  >;
  return (to ?? machine)?.version;
}

/**
 * Opens a group: a new one, or the recorded one, which is taken over from an older version if its machine says so. Codes: GROUP_MISMATCH,
 * NONDETERMINISM, JOURNAL_CORRUPT, MIGRATION_FAILED. `usesSnapshot`: false folds the whole log.
 */
export async function openGroup(
  context: GroupContext,
  options: GroupOptions,
  recorded: RecordedGroup,
  usesSnapshot = true,
): Promise<Group> {
  const { name, definition, input, concurrency, bounds } = options;
  const { journal, epoch, clock, observer } = context;
  const stream = streamOf(name);
  const alarms = new Map<string, () => void>();
  let snapshotSeq = 0;

  let fold: GroupFold | undefined;
  const ignored = (error: unknown, verb: string, seq: number) => {
    const message = `snapshot of ${stream} at ${seq} was ${verb}: ${error instanceof Error ? error.message : String(error)}`;
    observer.notice({ kind: 'snapshot-ignored', message });
  };
  const version = versionOf(recorded, options);
  const used = version === undefined ? definition : definitionOf(definition, version);
  const due = migrationOf(definition, version);
  // What has ended stays with the version that ended it, where that is at hand.
  const rule = due !== undefined && used.version === version && recorded.hasEnded() ? undefined : due;
  const isMigrated = recorded.version?.type === 'group.migrated';
  // What an older version did is only booked where its inputs are folded again, or where its end state is recorded.
  const foldsFrom =
    rule?.events !== undefined ? Number.POSITIVE_INFINITY : isMigrated ? recorded.version?.seq : undefined;
  const saved =
    foldsFrom === Number.POSITIVE_INFINITY || !usesSnapshot
      ? undefined
      : await journal.loadSnapshot(stream, snapshotMaker(used));
  context.tellNotices();
  if (saved !== undefined) {
    try {
      fold = groupFold(definition, name, { snapshot: saved, foldsFrom });
      snapshotSeq = saved.seq;
    } catch (error) {
      ignored(error, 'ignored', saved.seq);
    }
  }
  const state: GroupFold = fold ?? groupFold(definition, name, { foldsFrom });

  const push: Push = (type, data, applied, lost) => {
    // The data of our own event types is JSON: what comes from outside was checked where it came in.
    writer.push(type, data as unknown as JsonValue, applied, lost);
  };
  const writer = streamWriter({
    journal,
    epoch,
    stream,
    clock,
    fold: () => state.stamp(),
    apply(entry) {
      for (const effect of state.apply(entry)) effects.push(effect);
      worktrees.noted(entry);
      observer.entry(entry);
    },
    afterBatch() {
      perform();
      if (isOver()) for (const resolve of overWaiters.splice(0)) resolve();
      if (state.ledger.seq - snapshotSeq >= Math.max(context.snapshotEvery, weightOf(state.ledger))) void snapshot();
    },
    fatal: (error) => context.fatal(error),
  });
  let effects: Effect[] = [];
  const isOver = () => state.ledger.status !== 'active' && state.ledger.goingOn.size === 0;
  const overWaiters: (() => void)[] = [];
  const gates = gatesOf(name, state.ledger, push);
  const post = postOf(context, name, state, (data, applied, failed) => writer.push('message', data, applied, failed));
  const { budget } = options;
  const worktrees = groupWorktrees({ context, group: name, push, ledger: () => state.ledger });
  const attempts = attemptsOf({ context, group: name, concurrency, budget, push, fold: state, post, worktrees, gates });

  /** Of one incarnation: the next one may have set its timer of that name before this one's is cleared. */
  const alarmOf = ({ address, incarnation }: ActorKey, timer: string) => JSON.stringify([address, incarnation, timer]);
  const setAlarm = (address: string, incarnation: number, timer: string, dueAt: number) => {
    const key = alarmOf({ address, incarnation }, timer);
    alarms.get(key)?.();
    const fire = () => {
      alarms.delete(key);
      push('timer.fired', { address, incarnation, timer, dueAt });
    };
    alarms.set(key, context.timers.set(dueAt, fire));
  };

  const performOne = (effect: Effect) => {
    switch (effect.type) {
      case 'invoke':
        attempts.want(effect);
        break;
      case 'cancel':
        attempts.drop(effect, state.ledger.cancelReason ?? 'stopped by the coordinator');
        break;
      case 'setTimer':
        setAlarm(effect.address, effect.incarnation, effect.timer, effect.dueAt);
        break;
      case 'clearTimer': {
        const key = alarmOf(effect, effect.timer);
        alarms.get(key)?.();
        alarms.delete(key);
        break;
      }
      case 'log':
        observer.log(name, effect.address, effect.label, effect.value);
        break;
      case 'deliver':
        arrived(effect);
        break;
      case 'emit':
      case 'deadLetter':
      case 'end':
        record(effect);
        break;
      default:
        effect satisfies never;
    }
  };

  const arrived = (effect: Extract<Effect, { type: 'deliver' }>) => {
    const { address, incarnation, event } = effect;
    if (event['mode'] === undefined) {
      // Waits in the box until it is read: one call for all that came for its reader, one after the other.
      if (called?.address !== address || called.incarnation !== incarnation) attempts.called(effect);
      called = effect;
      return;
    }
    const box = state.mail.get(actorKeyText(effect));
    const mail = box === undefined ? undefined : mailOfEffect(box, effect);
    if (mail !== undefined) attempts.arrived(mail, effect);
  };

  /** Mail of members that are wanted no more will not be read: it becomes dead letters. */
  const buryMail = () => {
    if (state.mail.size === 0 || state.system === undefined) return;
    for (const [key, { mails, isRead }] of state.mail) {
      const first = mails[0];
      if (first === undefined || isReadable(state.system, key, first.to)) continue;
      for (const [place, { effect, to, from, type, body }] of mails.entries()) {
        if (isRead[place] === true || buried.has(effect)) continue;
        buried.add(effect);
        push('letter.dead', {
          to,
          from,
          letter: { type, body },
          reason: 'the member ended before it read this',
          effect,
        });
      }
    }
  };
  const buried = new Set<string>();
  /** The process's own checkpoints on their way, by name, and those that have come. */
  const marking = new Map<string, Promise<Entry>>();

  /** Effects that are performed by recording them. */
  const record = (effect: Extract<Effect, { type: 'deadLetter' | 'emit' | 'end' }>) => {
    if (effect.type === 'end') {
      const { id: _id, type: _type, ...end } = effect;
      for (const callOff of alarms.values()) callOff();
      alarms.clear();
      push('group.ended', end);
    } else if (effect.type === 'deadLetter') {
      const { from, to, event, reason, id } = effect;
      push('letter.dead', { to, from, letter: event, reason, effect: id });
    } else if (effect.event.type === 'troupe.checkpoint') {
      const { type: _type, ...checkpoint } = effect.event;
      // Built by our own action creator `checkpoint`.
      push('checkpoint', {
        ...(checkpoint as unknown as { name: string; settled: number; total: number }),
        effect: effect.id,
      });
    } else if (effect.event.type === 'troupe.gate') {
      gates.open(effect);
    } else {
      push('emitted', { event: effect.event, effect: effect.id });
    }
  };

  /** Whose reader was called last for what is being performed. */
  let called: ActorKey | undefined;
  const perform = () => {
    const asked = effects;
    effects = [];
    called = undefined;
    // Before the group is taken up, what its turns ask for is found in its state.
    if (!isTakenUp) return;
    for (const effect of asked) performOne(effect);
    buryMail();
    leaveGates();
  };
  /** Machines below the coordinator that have asked, and are gone, wait for no answer. */
  const leaveGates = () => {
    if (state.system !== undefined && state.ledger.gates.size > 0) gates.withdraw(state.system);
  };
  let isTakenUp = false;

  /** The version that is recorded is another one, and there is a rule for it: goes on from here with the newest. */
  const takeOver = async () => {
    if (rule === undefined) return;
    if (rule.events === undefined) {
      for (const effect of state.unrecorded()) performOne(effect);
      await writer.idle();
    }
    if (state.ledger.status !== 'active') return refuseGoingOn(definition, state);
    const read = () => recorded.read(1);
    const data = await migrated({ definition, rule, fold: state, isMigrated, read });
    state.foldOn();
    await writer.record('group.migrated', data as unknown as JsonValue);
  };

  const snapshot = async () => {
    if (state.system === undefined || state.ledger.seq === snapshotSeq || !state.isRecorded()) return;
    snapshotSeq = state.ledger.seq;
    try {
      await journal.saveSnapshot(state.snapshot());
    } catch (error) {
      // A run goes on without its snapshots (G9).
      ignored(error, 'not written', snapshotSeq);
    }
  };

  // Replay, then take up what was left.
  try {
    for await (const entries of recorded.read(state.ledger.seq + 1)) {
      for (const lazy of entries) {
        const entry = plainEntry(lazy);
        // Before it is folded: another machine would only diverge.
        if (entry.seq === 1 && !isMigrated) refuseMismatch(createdAs(entry), options);
        writer.replayed(entry);
        state.apply(entry);
        observer.replayed(entry);
      }
    }
  } catch (error) {
    if (fold === undefined || !isTroupeError(error, 'NONDETERMINISM')) throw error;
    // Perhaps it is the snapshot that does not belong here, as after a restore of the journal alone: the journal is enough (G9).
    ignored(new Error('the entries behind it were not written after it'), 'ignored', snapshotSeq);
    return await openGroup(context, options, recorded, false);
  }
  context.ledgers.set(name, state.ledger);
  if (state.ledger.seq === 0) {
    isTakenUp = true;
    const bytes = Buffer.byteLength(JSON.stringify(input));
    if (bytes > context.payloadBytesMax) {
      throw new TroupeError(
        'ENTRY_TOO_LARGE',
        `input of group \`${name}\`: expected at most ${context.payloadBytesMax} bytes of JSON (payloadBytesMax), got ${bytes}; put large data into a file and pass its path.`,
      );
    }
    const machine = { id: definition.id, version: definition.version };
    await writer.record('group.created', { name, machine, input, concurrency, bounds } as unknown as JsonValue);
  } else {
    writer.restored(state.ledger.seq, clock.now());
    refuseMismatch(state.ledger, options);
    await takeOver();
    isTakenUp = true;
    for (const effect of state.unrecorded()) performOne(effect);
    gates.tellAgain();
    const { system } = state;
    if (state.ledger.status === 'active' && system !== undefined) {
      for (const { address, incarnation, timer, dueAt } of timersOf(system))
        setAlarm(address, incarnation, timer, dueAt);
    }
    const wanted = system === undefined ? [] : [...wantsOf(system)];
    attempts.reconcile(wanted);
    const keys = new Set(wanted.map(actorKeyText));
    worktrees.takenUp((key) => keys.has(actorKeyText(key)));
    buryMail();
    leaveGates();
  }

  return {
    name,
    fold: state,
    ledger: state.ledger,
    signal: signalsOf({
      context,
      group: name,
      fold: state,
      record: (data, applied, failed) => writer.push('signal', data as unknown as JsonValue, applied, failed),
    }),
    send: (from, letter) => post.send(from, letter),
    async answer(gate, answer, opening) {
      const isBudget = gates.answer(gate, answer, opening);
      await writer.written();
      if (isBudget) attempts.answered();
    },
    async checkpoint({ name: mark, settled, total, data }) {
      if (state.ledger.checkpoints.some((one) => one.by === 'process' && one.name === mark)) return;
      const extra = data === undefined ? {} : { data };
      const marked =
        marking.get(mark) ?? writer.record('checkpoint', { name: mark, settled, total, ...extra, by: 'process' });
      marking.set(mark, marked);
      await marked;
    },
    async cancel(reason) {
      if (!isOver()) await writer.record('group.cancelled', { reason });
      await writer.written();
    },
    wants: () => (state.system === undefined ? [] : wantsOf(state.system)),
    async settle(member, outcome) {
      const { system } = state;
      const want = system === undefined ? undefined : [...wantsOf(system)].find(({ address }) => address === member);
      if (want === undefined) {
        const known = system === undefined ? [] : [...wantsOf(system)].map(({ address }) => address);
        throw new TroupeError(
          'UNKNOWN_MEMBER',
          `group \`${name}\` waits for no member \`${member}\`; it waits for: ${known.join(', ') || 'nobody'}.`,
        );
      }
      await attempts.settle(want, outcome);
      await writer.written();
    },
    over: () => (isOver() ? Promise.resolve() : new Promise((resolve) => overWaiters.push(resolve))),
    idle: () => writer.idle(),
    snapshot,
  };
}
