/** The arrays under the engine are exact: they answer as maps of texts do, whatever collides, grows or is widened. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PairMap } from '../../../src/check/engine/pair-map.ts';
import { Sequences } from '../../../src/check/engine/sequences.ts';
import { States } from '../../../src/check/engine/states.ts';
import { Network } from '../../../src/check/actors/network.ts';

/** Few different numbers, so that parts are shared and hashes of neighbours differ in little. */
const item = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 2 ** 31 - 1 }));

test('states: a vector is found again if and only if every part of it is the same', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.array(fc.array(item, { minLength: 6, maxLength: 6 })),
      (width, vectors) => {
        const states = new States(width, false);
        const known = new Map<string, number>();
        for (const [index, all] of vectors.entries()) {
          const vector = Int32Array.from(all.slice(0, width));
          const before = known.get(vector.join());
          const number = states.add(vector, vector, index - 1, index * 7);
          if (before === undefined) {
            expect(number).toBe(known.size);
            known.set(vector.join(), number);
            expect([states.parentOf(number), states.actionOf(number)]).toEqual([index - 1, index * 7]);
          } else expect(number).toBe(-before - 1);
        }
        expect(states.count).toBe(known.size);
        const read = new Int32Array(width);
        for (const [text, number] of known) {
          states.read(number, read);
          expect(read.join()).toBe(text);
        }
      },
    ),
  );
});

test('states: many thousands, across chunks and rehashes, before and after they were widened', () => {
  for (const isSymmetric of [false, true]) {
    const states = new States(3, isSymmetric);
    const vectorOf = (index: number, width: number) =>
      Int32Array.from({ length: width }, (_, at) => (at < 3 ? (index >> (at * 5)) & 31 : 0));
    const count = 20_000;
    for (let index = 0; index < count; index += 1) {
      const vector = vectorOf(index, 3);
      expect(states.add(vector, vector, index - 1, index)).toBe(index);
    }
    states.widen(5);
    const read = new Int32Array(5);
    for (let index = 0; index < count; index += 97) {
      const vector = vectorOf(index, 5);
      expect(states.add(vector, vector, 0, 0)).toBe(-index - 1);
      states.read(index, read);
      expect(read).toEqual(vector);
      expect([states.parentOf(index), states.actionOf(index)]).toEqual([index - 1, index]);
    }
    const longer = Int32Array.from([0, 0, 0, 0, 1]);
    expect(states.add(longer, longer, 5, 6)).toBe(count);
  }
});

test('states: whatever part they differ in, and however their hashes fall, none is taken for another', () => {
  for (const part of [0, 1, 2]) {
    const states = new States(3, false);
    const vector = new Int32Array(3);
    for (let value = 0; value < 100_000; value += 1) {
      vector[part] = value;
      if (states.add(vector, vector, 0, 0) !== value) throw new Error(`part ${part}: ${value} was taken for another`);
    }
    expect(states.count).toBe(100_000);
  }
});

test('sequences: each is kept once, whatever its length', () => {
  fc.assert(
    fc.property(fc.array(fc.array(item, { maxLength: 12 })), (lists) => {
      const sequences = new Sequences();
      const known = new Map<string, number>();
      for (const list of lists) {
        const id = sequences.idOf(list);
        expect(id).toBe(known.get(list.join()) ?? known.size);
        known.set(list.join(), id);
      }
      for (const [text, id] of known) expect(sequences.read(id).join()).toBe(text);
    }),
  );
  const many = new Sequences();
  for (let index = 0; index < 5_000; index += 1) expect(many.idOf([index, index % 7, index >> 3])).toBe(index);
  for (let index = 0; index < 5_000; index += 1) expect(many.idOf([index, index % 7, index >> 3])).toBe(index);
});

test('pairs: as a map of texts', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(item, item, item)), (triples) => {
      const pairs = new PairMap(1);
      const known = new Map<string, number>();
      for (const [a, b, value] of triples) {
        expect(pairs.get(a, b)).toBe(known.get(`${a} ${b}`) ?? -1);
        if (known.has(`${a} ${b}`)) continue;
        pairs.set(a, b, value);
        known.set(`${a} ${b}`, value);
      }
      for (const [a, b] of triples) expect(pairs.get(a, b)).toBe(known.get(`${a} ${b}`));
    }),
  );
});

test('networks: as lists that are sorted, or kept in order per channel', () => {
  const step = fc.record({ sent: fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 4 }), take: fc.nat(20) });
  fc.assert(
    fc.property(fc.constantFrom('bag', 'ordered', 'set'), fc.array(step, { maxLength: 12 }), (kind, steps) => {
      const lists = new Sequences();
      lists.idOf([]);
      const channelOf = (envelope: number) => envelope % 3;
      const network = new Network(kind, lists, channelOf);
      let content = network.empty;
      let naive: readonly number[] = [];
      const arrange = (items: readonly number[]) => {
        if (kind === 'ordered') return items.toSorted((a, b) => channelOf(a) - channelOf(b));
        const sorted = items.toSorted((a, b) => a - b);
        return kind === 'set' ? [...new Set(sorted)] : sorted;
      };
      for (const { sent, take } of steps) {
        const place = naive.length === 0 ? -1 : take % naive.length;
        const taken = place >= 0 && kind !== 'set' ? naive.filter((_, index) => index !== place) : naive;
        naive = arrange([...taken, ...sent]);
        content = network.after(content, place, lists.idOf(sent));
        const { contents } = network;
        expect([...contents.read(content)]).toEqual(naive);
        const start = contents.startOf(content);
        const free = naive.filter((_, index) => network.isDeliverable(contents.pool, start, start + index));
        expect(free).toEqual(
          kind === 'ordered'
            ? naive.filter((one, index) => naive.findIndex((other) => channelOf(other) === channelOf(one)) === index)
            : [...new Set(naive)],
        );
      }
    }),
  );
});
