/**
 * One living group: append → fold → perform → append (DESIGN, "The path of data").
 *
 * Keeps G1 and G2 through its {@link StreamWriter}: an input is folded when it is durable, and only what a folded
 * entry asked for is performed.
 */
import { TroupeError } from '../error.ts';
import type { JsonValue } from '../json.ts';
import type { Entry } from '../journal/port.ts';
import type { Outcome } from '../harness/port.ts';
import { attemptsOf } from './attempts.ts';
import type { Push } from './entries.ts';
import type { ActorKey, Effect, EventObject } from './effect.ts';
import { groupFold, snapshotMaker, streamOf, type GroupFold } from './fold.ts';
import type { GroupContext, GroupOptions } from './group-context.ts';
import { bytesOver } from './json-bytes.ts';
import type { Ledger } from './ledger.ts';
import { createdAs, refuseMismatch } from './mismatch.ts';
import { refuseReserved } from './reserved.ts';
import { streamWriter } from './stream-writer.ts';
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
  signal(event: EventObject, from: { readonly id: string; readonly from: string }): Promise<void>;
  /** Ends the group as cancelled; resolves when that is recorded. No-op on an ended group. */
  cancel(reason: string): Promise<void>;
  /** Members that are wanted now. */
  wants(): Iterable<ActorKey & { readonly input: unknown }>;
  /** Records an outside orchestrator's outcome. Codes: UNKNOWN_MEMBER. */
  settle(member: string, outcome: Outcome): Promise<void>;
  /** Resolves when nothing waits to be written. */
  idle(): Promise<void>;
  /** Writes a snapshot if the fold has moved since the last and is between turns. */
  snapshot(): Promise<void>;
}

/** Opens a group: a new one, or the one that `recorded` (its stream, in batches) tells of. Codes: GROUP_MISMATCH, NONDETERMINISM, JOURNAL_CORRUPT. */
export async function openGroup(
  context: GroupContext,
  options: GroupOptions,
  recorded: (fromSeq: number) => AsyncIterable<readonly Entry[]>,
): Promise<Group> {
  const { name, definition, input, concurrency, bounds } = options;
  const { journal, epoch, clock, observer } = context;
  const stream = streamOf(name);
  const alarms = new Map<string, () => void>();
  let snapshotSeq = 0;
  let waitingSignals = 0;

  let fold: GroupFold | undefined;
  const ignored = (error: unknown, verb: string, seq: number) => {
    const message = `snapshot of ${stream} at ${seq} was ${verb}: ${error instanceof Error ? error.message : String(error)}`;
    observer.notice({ kind: 'snapshot-ignored', message });
  };
  const saved = await journal.loadSnapshot(stream, snapshotMaker(definition));
  context.tellNotices();
  if (saved !== undefined) {
    try {
      fold = groupFold(definition, name, saved);
      snapshotSeq = saved.seq;
    } catch (error) {
      ignored(error, 'ignored', saved.seq);
    }
  }
  const state: GroupFold = fold ?? groupFold(definition, name);

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
      observer.entry(entry);
    },
    afterBatch() {
      perform();
      if (state.ledger.seq - snapshotSeq >= context.snapshotEvery) void snapshot();
    },
    fatal: (error) => context.fatal(error),
  });
  let effects: Effect[] = [];
  const attempts = attemptsOf({ context, group: name, concurrency, push, ledger: () => state.ledger });

  const setAlarm = (address: string, incarnation: number, timer: string, dueAt: number) => {
    const key = JSON.stringify([address, timer]);
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
        const key = JSON.stringify([effect.address, effect.timer]);
        alarms.get(key)?.();
        alarms.delete(key);
        break;
      }
      case 'log':
        observer.log(name, effect.address, effect.label, effect.value);
        break;
      case 'emit':
      case 'deliver':
      case 'deadLetter':
      case 'end':
        record(effect);
        break;
      default:
        effect satisfies never;
    }
  };

  /** Effects that are performed by recording them. */
  const record = (effect: Extract<Effect, { type: 'deadLetter' | 'deliver' | 'emit' | 'end' }>) => {
    if (effect.type === 'end') {
      const { id: _id, type: _type, ...end } = effect;
      for (const callOff of alarms.values()) callOff();
      alarms.clear();
      push('group.ended', end);
    } else if (effect.type === 'deliver') {
      const { from, address, event, id } = effect;
      push('letter.dead', { to: address, from, letter: event, reason: 'the harness takes no messages', effect: id });
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
    } else {
      push('emitted', { event: effect.event, effect: effect.id });
    }
  };

  const perform = () => {
    const asked = effects;
    effects = [];
    for (const effect of asked) performOne(effect);
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
  for await (const entries of recorded(state.ledger.seq + 1)) {
    for (const entry of entries) {
      // Before it is folded: another machine would only diverge.
      if (entry.seq === 1) refuseMismatch(createdAs(entry), options);
      writer.replayed(entry);
      state.apply(entry);
      observer.replayed(entry);
    }
  }
  if (state.system === undefined) {
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
    for (const effect of state.unrecorded()) performOne(effect);
    const { system } = state;
    if (state.ledger.status === 'active') {
      for (const { address, incarnation, timer, dueAt } of timersOf(system))
        setAlarm(address, incarnation, timer, dueAt);
    }
    attempts.reconcile(wantsOf(system));
  }

  /** Signals on their way, by id. */
  const sending = new Map<string, Promise<unknown>>();

  return {
    name,
    fold: state,
    ledger: state.ledger,
    async signal(event, { id, from }) {
      refuseReserved(event.type);
      if (state.ledger.signals.has(id)) return;
      const under = sending.get(id);
      if (under !== undefined) {
        await under;
        return;
      }
      // The fold knows before the entry of the end is durable.
      const status = state.system?.end?.status ?? state.ledger.status;
      if (status !== 'active') {
        const hasEnded = status === 'cancelled' ? 'was cancelled' : `has ${status}`;
        throw new TroupeError(
          'GROUP_ENDED',
          `group \`${name}\` ${hasEnded}; it takes no more signals, and \`${event.type}\` was not sent.`,
        );
      }
      // An event is plain JSON by its type.
      const bytes = bytesOver(event as unknown as JsonValue, context.payloadBytesMax);
      if (bytes !== undefined) {
        throw new TroupeError(
          'ENTRY_TOO_LARGE',
          `signal \`${event.type}\` to group \`${name}\`: expected at most ${context.payloadBytesMax} bytes of JSON (payloadBytesMax), got ${bytes}; put large data into a file and send its path.`,
        );
      }
      if (waitingSignals >= context.inboxMax) {
        throw new TroupeError(
          'LIMIT',
          `group \`${name}\`: expected at most ${context.inboxMax} signals to wait for the journal (inboxMax), and \`${event.type}\` is one more; wait for earlier ones to be acknowledged.`,
        );
      }
      waitingSignals += 1;
      const sent = new Promise<void>((resolve, reject) => {
        const left = () => {
          waitingSignals -= 1;
          sending.delete(id);
        };
        const applied = () => {
          left();
          resolve();
        };
        const failed = (error: unknown) => {
          left();
          // The journal's own error, passed on.
          reject(error as Error);
        };
        writer.push('signal', { id, from, event }, applied, failed);
      });
      sending.set(id, sent);
      await sent;
    },
    async cancel(reason) {
      if (state.ledger.status === 'active') await writer.record('group.cancelled', { reason });
      await writer.idle();
    },
    wants: () => (state.system === undefined ? [] : wantsOf(state.system)),
    async settle(member, outcome) {
      const { system } = state;
      const want = system === undefined ? undefined : [...wantsOf(system)].find(({ address }) => address === member);
      if (want === undefined) {
        const known = [...wantsOf(state.system as never)].map(({ address }) => address);
        throw new TroupeError(
          'UNKNOWN_MEMBER',
          `group \`${name}\` waits for no member \`${member}\`; it waits for: ${known.join(', ') || 'nobody'}.`,
        );
      }
      attempts.settle(want, outcome);
      await writer.idle();
    },
    idle: () => writer.idle(),
    snapshot,
  };
}
