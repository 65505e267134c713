import { assign, enqueueActions, sendTo, stopChild } from 'xstate';
import { describe, expect, test } from 'vitest';
import { define, digest, persist, restore, snapshotAt, step, type System } from '../../src/group/step.ts';
import type { JsonValue } from '../../src/json.ts';
import { group, machine, spawn, told, type Loose } from './group-under-test.ts';

describe('a system is a value', () => {
  const counter = machine({
    context: ({ spawn: make }: Loose) => ({ n: 0, ref: make('member', { id: 'first' }), maybe: undefined }),
    on: {
      add: {
        actions: [
          assign({ n: ({ context }: Loose) => context.n + 1 }),
          enqueueActions(({ enqueue, context }: Loose) => enqueue(spawn(`m${context.n}`))),
        ],
      },
      tell: { actions: sendTo(({ context }: Loose) => context.ref, { type: 'note' }) },
      drop: { actions: stopChild(({ context }: Loose) => context.ref) },
    },
  });

  test('an old one can be stepped again, whatever became of it', () => {
    const one = group(counter);
    const old = one.system;
    const text = JSON.stringify(persist(old));
    for (let n = 0; n < 40; n += 1) one.signal('add');
    one.signal('drop');
    const branch = step(old, {
      seq: 2,
      at: 0,
      type: 'signal',
      data: { id: 'x', from: 'out', event: { type: 'tell' } },
    });
    expect(told(branch.effects)).toEqual(['deliver first: note from ""']);
    expect(JSON.stringify(persist(old))).toBe(text);
    expect(told(one.signal('tell').effects)).toEqual(['dead  > first: note (the actor was stopped)']);
  });

  test('written and read it goes on as before: refs in its context, undefined, key order and all', () => {
    const one = group(counter);
    one.signal('add');
    const read = restore(one.definition, JSON.parse(JSON.stringify(persist(one.system))) as JsonValue);
    const context = (system: System) => (snapshotAt(system, '') as Loose).context;
    expect(Object.keys(context(read))).toEqual(Object.keys(context(one.system)));
    const entry = { seq: 9, at: 0, type: 'signal', data: { id: 'x', from: 'out', event: { type: 'tell' } } };
    const [a, b] = [step(one.system, entry), step(read, entry)];
    expect(b.effects).toEqual(a.effects);
    expect(digest(b.system)).toBe(digest(a.system));
  });

  test('one whose context is not JSON is not written: machine, actor and path are named', () => {
    const one = group(
      machine({ context: { list: [] }, on: { go: { actions: assign({ list: () => [{ when: new Date(0) }] }) } } }),
    );
    one.signal('go');
    expect(() => persist(one.system)).toThrow(
      'NOT_JSON: machine `group`: context.list[0].when: expected JSON, got a Date',
    );
  });

  test('one of another machine, format or shape is not read', () => {
    const one = group(counter);
    const written = persist(one.system) as Loose;
    expect(() => restore(define(machine({ id: 'other' })), written)).toThrow('GROUP_MISMATCH');
    expect(() => restore(one.definition, { ...written, format: 99 })).toThrow('JOURNAL_FORMAT');
    expect(() =>
      restore(one.definition, {
        ...written,
        actors: written.actors.map((actor: Loose) => ({ ...actor, src: 'nobody' })),
      }),
    ).toThrow('JOURNAL_CORRUPT');
  });

  test('equal journals give equal digests, different ones different digests', () => {
    const of = (...types: string[]) => {
      const one = group(counter);
      for (const type of types) one.signal(type);
      return digest(one.system);
    };
    expect(of('add', 'tell')).toBe(of('add', 'tell'));
    expect(new Set([of(), of('add'), of('tell'), of('add', 'tell'), of('tell', 'add'), of('drop')]).size).toBe(6);
  });
});
