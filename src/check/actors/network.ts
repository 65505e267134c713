/**
 * What is in flight. `ordered`: a queue per sender and receiver, of which only the first can be taken. `bag`: any can be taken, and
 * is taken once. `set`: any can be taken, and stays (at-least-once delivery without end).
 */
import { Sequences } from '../engine/sequences.ts';

/** How messages travel. */
export type NetworkKind = 'bag' | 'ordered' | 'set';

/** Contents of a network, each kept once. A content is a list of envelope numbers in one canonical order. */
export class Network {
  readonly kind: NetworkKind;
  readonly contents: Sequences = new Sequences();
  /** The number of the empty network. */
  readonly empty: number;
  private readonly channelOf: (envelope: number) => number;
  /** Lists of envelopes that are sent together. */
  private readonly lists: Sequences;
  private scratch: Int32Array = new Int32Array(64);
  private length = 0;

  constructor(kind: NetworkKind, lists: Sequences, channelOf: (envelope: number) => number) {
    this.kind = kind;
    this.lists = lists;
    this.channelOf = channelOf;
    this.empty = this.contents.idOf([]);
  }

  /** Can the envelope at `at` be taken now, in a content that begins at `start` of the `pool` of contents? Equal ones in a bag are one. */
  isDeliverable(pool: Int32Array, start: number, at: number): boolean {
    if (at === start) return true;
    const before = pool[at - 1] as number;
    const here = pool[at] as number;
    return this.kind === 'ordered' ? this.channelOf(before) !== this.channelOf(here) : before !== here;
  }

  /** The content after the envelope at `place` (-1: none) was taken and the list `sent` was sent. On a set nothing is taken. */
  after(content: number, place: number, sent: number): number {
    const isTaken = place >= 0 && this.kind !== 'set';
    const { lists } = this;
    const start = lists.startOf(sent);
    const end = lists.endOf(sent);
    if (!isTaken && start === end) return content;
    this.load(content, isTaken ? place : -1);
    for (let at = start; at < end; at += 1) this.put(lists.pool[at] as number);
    return this.contents.idOf(this.scratch, this.length);
  }

  /** The content after the envelope at `place` was lost. */
  without(content: number, place: number): number {
    this.load(content, place);
    return this.contents.idOf(this.scratch, this.length);
  }

  private load(content: number, left: number): void {
    const { contents } = this;
    const start = contents.startOf(content);
    const end = contents.endOf(content);
    if (end - start + 64 > this.scratch.length) this.scratch = new Int32Array((end - start) * 2 + 64);
    const { scratch } = this;
    const { pool } = contents;
    let length = 0;
    for (let at = start; at < end; at += 1) if (at - start !== left) scratch[length++] = pool[at] as number;
    this.length = length;
  }

  private put(envelope: number): void {
    if (this.length === this.scratch.length) {
      const larger = new Int32Array(this.length * 2);
      larger.set(this.scratch);
      this.scratch = larger;
    }
    const { scratch } = this;
    let place = this.length;
    if (this.kind === 'ordered') {
      const channel = this.channelOf(envelope);
      while (place > 0 && this.channelOf(scratch[place - 1] as number) > channel) place -= 1;
    } else {
      while (place > 0 && (scratch[place - 1] as number) > envelope) place -= 1;
      if (this.kind === 'set' && place > 0 && scratch[place - 1] === envelope) return;
    }
    for (let index = this.length; index > place; index -= 1) scratch[index] = scratch[index - 1] as number;
    scratch[place] = envelope;
    this.length += 1;
  }
}
