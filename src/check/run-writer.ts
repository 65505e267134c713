/**
 * What happens in a protocol, written as a run: what a host would have written, had the world behaved like that. Entries are folded by
 * the real fold as they are written, with the digests that a host stamps.
 */
import { toJson, type JsonValue } from '../json.ts';
import { defaultBounds } from '../group/bounds.ts';
import { coordinatorName, rootAddress } from '../group/address.ts';
import { leftGates, openedBy, tellingOf } from '../group/askers.ts';
import { define } from '../group/definition.ts';
import type { Effect, GroupEnd } from '../group/effect.ts';
import { groupFold, streamOf, type GroupFold } from '../group/fold.ts';
import { interruption } from '../group/interruption.ts';
import { timers, wants } from '../group/step.ts';
import type { Outcome } from '../harness/port.ts';
import type { Journal, JournalStore } from '../journal/port.ts';
import { engineVersion } from '../version.ts';
import type { Step } from './checkable.ts';
import type { Protocol } from './protocol.ts';

/** When the story begins, so that one counterexample is always the same: 2026-01-01 UTC, in ms since 1970. */
const beginsAt = 1_767_225_600_000;
const harness = 'model';

type Told = { readonly [name: string]: JsonValue };
interface Result {
  readonly incarnation: number;
  readonly attempt: number;
  readonly outcome: Exclude<Outcome, { readonly status: 'cancelled' }>;
}

/** A run being written: each step of a trace becomes the entries that a host would have written. */
export class RunWriter {
  /** Entries of all streams so far. */
  entries = 0;
  private readonly protocol: Protocol;
  private readonly store: JournalStore;
  private readonly run: string;
  private readonly fold: GroupFold;
  private journal: Journal | undefined;
  private epoch = 0;
  private at = beginsAt;
  private runSeq = 0;
  private messages = 0;

  constructor(protocol: Protocol, store: JournalStore, run: string) {
    this.protocol = protocol;
    this.store = store;
    this.run = run;
    this.fold = groupFold(define(protocol.options.coordinator), protocol.name);
  }

  /** Creates the run; `file`: the process file that is recorded in it. Codes: RUN_EXISTS. */
  async open(file: string | undefined): Promise<void> {
    this.journal = await this.store.open(this.run, { create: true });
    this.epoch = (await this.journal.lease()).epoch;
    const created = { process: this.protocol.name, ...(file === undefined ? {} : { file }), input: null };
    await this.tell('run.created', { ...created, engine: engineVersion });
    await this.tell('epoch.taken', { epoch: this.epoch, engine: engineVersion });
  }

  /** Lets go of the run. */
  async close(): Promise<void> {
    await this.journal?.close();
  }

  /** What a host writes when this happens. Codes: NONDETERMINISM. */
  async take(step: Step): Promise<void> {
    const { type, text, isFault } = step;
    const member = step.from ?? step.at;
    if (isFault === true)
      await this.write('check.fault', { fault: type, text, ...(type === 'host crashed' ? {} : { member }) });
    const data = (step.data ?? {}) as Told;
    switch (type) {
      case 'begin':
        return this.begin();
      case 'settled':
      case 'settled again':
      case 'told late':
        return this.settle(member, data as unknown as Result);
      case 'retried':
        return this.retry(member, data as unknown as Result);
      case 'sent':
        return this.send(member, data);
      case 'timer':
        return this.fire(data);
      case 'message':
        return this.hear(member, data);
      case 'gate':
        return this.answer(data);
      case 'cancelled':
        return this.write('group.cancelled', { reason: 'cancelled' });
      case 'host crashed':
        return this.takeOver();
      default:
      // What a member does by itself is in no journal.
    }
  }

  private async begin(): Promise<void> {
    const { coordinator, input } = this.protocol.options;
    const { id, version } = define(coordinator);
    await this.write('group.created', {
      name: this.protocol.name,
      machine: { id, version },
      input: toJson(input ?? null, 'input'),
      concurrency: 256,
      bounds: defaultBounds as unknown as JsonValue,
    });
  }

  private async settle(member: string, { incarnation, attempt, outcome }: Result): Promise<void> {
    await this.write('member.settled', { member, incarnation, attempt, outcome: outcome as unknown as JsonValue });
  }

  private async retry(member: string, { incarnation, attempt, outcome }: Result): Promise<void> {
    if (outcome.status !== 'error') return;
    const error = outcome.error as unknown as JsonValue;
    await this.write('attempt.failed', { member, incarnation, attempt, error, class: outcome.class, retryAt: this.at });
    await this.write('attempt.started', { member, incarnation, attempt: attempt + 1, harness });
  }

  private async send(from: string, { to, type, body }: Told): Promise<void> {
    const { system } = this.fold;
    const id = `message ${(this.messages += 1)}`;
    const all = system === undefined ? [] : wants(system).map(({ address }) => address);
    const recipients =
      to === '*' ? all.filter((one) => one !== from) : [to === coordinatorName ? rootAddress : (to as string)];
    for (const recipient of recipients)
      await this.write('message', { id, from, to: recipient, type: type as string, body: body ?? null });
  }

  private async fire({ address, incarnation, timer }: Told): Promise<void> {
    const { system } = this.fold;
    const pending = system === undefined ? [] : timers(system);
    const found = pending.find(
      (one) => one.address === address && one.incarnation === incarnation && one.timer === timer,
    );
    if (found === undefined) return;
    this.at = Math.max(this.at, found.dueAt);
    await this.write('timer.fired', found as unknown as JsonValue);
  }

  private async hear(from: string, event: Told): Promise<void> {
    const id = `message ${(this.messages += 1)}`;
    const { type, body } = event;
    if (from === 'outside') await this.write('signal', { id, from, event });
    else await this.write('message', { id, from, to: rootAddress, type: type as string, body: body ?? null });
  }

  private async answer({ gate, approved }: Told): Promise<void> {
    const answer = { approved: approved as boolean, note: '', by: 'outside' };
    const asked = this.fold.ledger.gates.get(gate as string);
    await this.write('gate.answered', { name: gate as string, ...answer });
    const telling = asked === undefined ? undefined : tellingOf(asked, answer);
    if (telling !== undefined) await this.write('signal', telling as unknown as JsonValue);
  }

  /** The host dies; the next one takes the lease, replays, and makes again what was under way. */
  private async takeOver(): Promise<void> {
    await this.journal?.close();
    this.journal = await this.store.open(this.run);
    this.epoch = (await this.journal.lease()).epoch;
    await this.tell('epoch.taken', { epoch: this.epoch, engine: engineVersion });
    const { system, ledger } = this.fold;
    for (const { address: member, incarnation, input } of system === undefined ? [] : wants(system)) {
      const record = ledger.members.get(member);
      if (record?.status !== 'running' || record.incarnation !== incarnation || input.restartable === false) continue;
      const { attempt } = record;
      const error = interruption(member, attempt) as unknown as JsonValue;
      await this.write('attempt.failed', { member, incarnation, attempt, error, class: 'crashed', retryAt: this.at });
      await this.write('attempt.started', { member, incarnation, attempt: attempt + 1, harness });
    }
  }

  // — As the host's loop: append, fold, perform, append —

  /** An entry of the group's stream, with all that it entails. Codes: NONDETERMINISM. */
  async write(type: string, data: JsonValue): Promise<void> {
    const { fold } = this;
    const stamp = fold.stamp();
    this.at += 1;
    const event = { type, at: this.at, data, ...(stamp === undefined ? {} : { fold: stamp }) };
    const journal = this.journal as Journal;
    const [entry] = await journal.append(streamOf(this.protocol.name), fold.ledger.seq, this.epoch, [event]);
    this.entries += 1;
    if (entry === undefined) return;
    const effects = fold.apply(entry);
    for (const effect of effects) await this.perform(effect);
    const { system, ledger } = fold;
    const [left] = system === undefined ? [] : leftGates(ledger.gates.values(), system);
    // One after the other: this one's entry comes by here, too.
    if (left !== undefined) await this.write('gate.withdrawn', { ...left });
  }

  private async perform(effect: Effect): Promise<void> {
    switch (effect.type) {
      case 'invoke': {
        const { address: member, incarnation } = effect;
        return this.write('attempt.started', { member, incarnation, attempt: 1, harness });
      }
      case 'cancel': {
        const { address: member, incarnation } = effect;
        const record = this.fold.ledger.members.get(member);
        if (record?.status !== 'running' || record.incarnation !== incarnation) return;
        return this.write('attempt.cancelled', {
          member,
          incarnation,
          attempt: record.attempt,
          reason: 'stopped by the coordinator',
        });
      }
      case 'deadLetter': {
        const { from, to, event, reason, id } = effect;
        return this.write('letter.dead', { to, from, letter: event, reason, effect: id });
      }
      case 'emit': {
        const { type, ...rest } = effect.event;
        if (type === 'troupe.checkpoint') return this.write('checkpoint', { ...rest, effect: effect.id });
        if (type === 'troupe.gate') return this.write('gate.opened', openedBy(effect) as unknown as JsonValue);
        return this.write('emitted', { event: effect.event, effect: effect.id });
      }
      case 'end': {
        const { id: _id, type: _type, ...end } = effect;
        return this.write('group.ended', end as unknown as JsonValue & GroupEnd);
      }
      default:
    }
  }

  /** An entry of the process's own stream. */
  private async tell(type: string, data: JsonValue): Promise<void> {
    this.at += 1;
    await (this.journal as Journal).append('run', this.runSeq, this.epoch, [{ type, at: this.at, data }]);
    this.runSeq += 1;
    this.entries += 1;
  }
}
