import { assign, emit, log, sendTo } from 'xstate';
import { describe, expect, test } from 'vitest';
import { checkpoint } from '../../src/group/coordinator.ts';
import { actors, snapshotAt, status } from '../../src/group/step.ts';
import { group, machine, spawn, type Loose } from './group-under-test.ts';

describe('messages and signals', () => {
  const talk = machine({
    context: { heard: [] },
    entry: [spawn('a')],
    on: { finding: { actions: assign({ heard: ({ context, event }: Loose) => [...context.heard, event] }) } },
  });

  test('a message is heard as a plain event with type, from, body and id', () => {
    const one = group(talk);
    one.fold('message', { id: 'm1', from: 'a', to: '', type: 'finding', body: { line: 3 } });
    expect(snapshotAt(one.system, '')).toMatchObject({
      context: { heard: [{ type: 'finding', from: 'a', body: { line: 3 }, id: 'm1' }] },
    });
  });

  test('a message to a member is delivered to its harness', () => {
    const one = group(talk);
    one.fold('message', { id: 'm1', from: 'b', to: 'a', type: 'hint', body: 'look' });
    expect(one.last.effects).toMatchObject([
      {
        type: 'deliver',
        address: 'a',
        incarnation: 1,
        from: 'b',
        event: { type: 'hint', from: 'b', body: 'look', id: 'm1' },
      },
    ]);
  });

  test('a message to nobody is a dead letter', () => {
    const one = group(talk);
    one.fold('message', { id: 'm1', from: 'b', to: 'z', type: 'hint', body: null });
    expect(one.effects).toEqual(['dead b > z: hint (no such actor)']);
  });

  test.each(['xstate.done.actor.a', 'troupe.settled', 'xstate.stop'])('nobody can send %s from outside', (type) => {
    const one = group(talk);
    const before = actors(one.system);
    one.signal(type, { output: 'forged' });
    expect(one.effects).toEqual([`dead out > : ${type} (the event type is the engine’s own)`]);
    expect(actors(one.system)).toEqual(before);
  });

  test.each([
    ['at once', {}],
    ['later', { delay: 5, id: 'forgery' }],
  ])('a coordinator cannot settle its member by sending it the event %s', (_when, options) => {
    const settled = { type: 'troupe.settled', outcome: { status: 'ok', output: 1 } };
    const one = group(
      machine({
        entry: spawn('a'),
        on: { forge: { actions: sendTo('a', settled as Loose, options as Loose) } },
      }),
    );
    one.signal('forge');
    expect(status(one.system)).toMatchObject({ status: 'failed', error: { code: 'RESERVED_EVENT' } });
    expect(one.effects).toEqual(['cancel a#1', 'end failed']);
  });

  test.each([
    ['at once', {}],
    ['later', { delay: 5, id: 'reply' }],
  ])('a machine that sends to what is no actor %s fails', (_when, options) => {
    const reply = sendTo(({ event }: Loose) => event.to, { type: 'reply' } as Loose, options as Loose);
    const one = group(machine({ on: { ask: { actions: reply } } }));
    one.signal('ask', { to: { id: 'a' } });
    expect(status(one.system)).toMatchObject({
      status: 'failed',
      error: { message: 'machine `group`: unable to send `reply`: the receiver is not an actor of this group' },
    });
  });

  test('what is not for the actors returns the same system', () => {
    const one = group(talk);
    const before = one.system;
    expect(one.fold('attempt.queued', { member: 'a', incarnation: 1, attempt: 1, harness: 'x' })).toEqual({
      system: before,
      effects: [],
      derived: [],
    });
    expect(one.system).toBe(before);
  });
});

describe('what leaves the group', () => {
  test('a machine that emits null fails, as a live one does: the host has no event to record', () => {
    const one = group(machine({ on: { note: { actions: emit(({ event }: Loose) => event.note) } } }));
    one.signal('note', { note: { type: 'heard' } });
    expect(one.effects).toEqual(['emit {"type":"heard"}']);
    one.signal('note', { note: null });
    expect(one.effects).toEqual(['end failed']);
    expect(status(one.system)).toMatchObject({
      status: 'failed',
      error: { message: 'machine `group`: an event to emit must be an object with a type, got null' },
    });
  });

  test('checkpoints, emits and logs, in their order', () => {
    const one = group(
      machine({
        context: { n: 2 },
        entry: [
          log('starting'),
          checkpoint(({ context }: Loose) => ({ name: 'half', settled: context.n, total: 4 })) as Loose,
          emit({ type: 'note', n: 1 }),
        ],
      }),
    );
    expect(one.effects).toEqual([
      'log "starting"',
      'emit {"name":"half","settled":2,"total":4,"type":"troupe.checkpoint"}',
      'emit {"type":"note","n":1}',
    ]);
  });

  test('is JSON, or its actor fails', () => {
    const one = group(machine({ on: { go: { actions: emit({ type: 'note', at: new Date(0) } as Loose) } } }));
    one.signal('go');
    expect(status(one.system)).toMatchObject({
      error: { message: 'NOT_JSON: machine `group`: emitted event.at: expected JSON, got a Date' },
    });
  });
});
