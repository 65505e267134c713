import { assign, emit, enqueueActions, fromTransition, log, raise, sendParent, sendTo, setup, spawnChild, stopChild, cancel, type AnyStateMachine } from 'xstate';
import { describe, expect, test } from 'vitest';
import { defaultBounds, type Bounds } from '../../src/group/bounds.ts';
import { checkpoint } from '../../src/group/coordinator.ts';
import type { Effect } from '../../src/group/effect.ts';
import { member } from '../../src/group/member.ts';
import { actors, define, digest, output, persist, restore, snapshotAt, start, status, step, timers, wants, type Step, type System } from '../../src/group/step.ts';
import type { JsonValue } from '../../src/json.ts';

// Machines here are small and dynamic: their types would be longer than they are.
type Loose = any;
const machine = (config: Loose, parts: Loose = {}) =>
  setup({ ...parts, actors: { member, ...parts.actors } } as Loose).createMachine({ id: 'group', ...config } as Loose) as unknown as AnyStateMachine;

/** A group under test: entries in, the last step out. */
function group(config: AnyStateMachine, { input = null, bounds = {} }: { input?: JsonValue; bounds?: Partial<Bounds> } = {}) {
  const definition = define(config);
  let seq = 1;
  let last: Step = start(definition, { seq, at: 0, input, bounds: { ...defaultBounds, ...bounds } });
  const fold = (type: string, data: Loose, at = seq) => {
    seq += 1;
    last = step(last.system, { seq, at, type, data });
    return last;
  };
  return {
    definition,
    get last() {
      return last;
    },
    get system() {
      return last.system;
    },
    get effects() {
      return told(last.effects);
    },
    signal: (type: string, more: object = {}) => fold('signal', { id: String(seq), from: 'out', event: { type, ...more } }),
    ok: (address: string, result: JsonValue = null, incarnation = 1) => fold('member.settled', { member: address, incarnation, attempt: 1, outcome: { status: 'ok', output: result } }),
    fail: (address: string, message: string, incarnation = 1) =>
      fold('member.settled', { member: address, incarnation, attempt: 1, outcome: { status: 'error', error: { name: 'Error', message }, class: 'failed' } }),
    fire: (index = 0) => {
      const timer = timers(last.system)[index];
      return fold('timer.fired', timer, timer?.dueAt);
    },
    fold,
  };
}

/** Effects in one line each. */
function told(effects: readonly Effect[]): string[] {
  return effects.map((effect) => {
    switch (effect.type) {
      case 'emit':
      case 'log':
        return `${effect.type} ${JSON.stringify(effect.type === 'emit' ? effect.event : effect.value)}`;
      case 'deadLetter':
        return `dead ${effect.from} > ${effect.to}: ${effect.event.type} (${effect.reason})`;
      case 'end':
        return `end ${effect.status}`;
      case 'deliver':
        return `deliver ${effect.address}: ${effect.event.type} from ${JSON.stringify(effect.from)}`;
      case 'setTimer':
        return `setTimer ${effect.timer} at ${effect.dueAt}`;
      case 'clearTimer':
        return `clearTimer ${effect.timer}`;
      default:
        return `${effect.type} ${effect.address}#${effect.incarnation}`;
    }
  });
}

const spawn = (id: string, input: Loose = { prompt: id }) => spawnChild('member' as Loose, { id, input } as Loose);

describe('members', () => {
  const fan = machine({
    context: { results: [] },
    entry: [spawn('a'), spawn('b')],
    on: {
      'xstate.done.actor.*': { actions: assign({ results: ({ context, event }: Loose) => [...context.results, event.output] }) },
      'xstate.error.actor.*': { actions: assign({ results: ({ context, event }: Loose) => [...context.results, event.error.message] }) },
      hello: { actions: sendTo('a', { type: 'greet', text: 'hi' } as Loose) },
      drop: { actions: stopChild('a') },
      again: { actions: [stopChild('a'), spawn('a', { prompt: 'again' })] },
    },
  });

  test('are asked for by their start, in order, and wanted until they settle', () => {
    const one = group(fan);
    expect(one.effects).toEqual(['invoke a#1', 'invoke b#1']);
    expect(one.last.effects.map(({ id }) => id)).toEqual(['1:0', '1:1']);
    expect(wants(one.system)).toEqual([
      { address: 'a', incarnation: 1, input: { prompt: 'a' } },
      { address: 'b', incarnation: 1, input: { prompt: 'b' } },
    ]);
    one.ok('a', 'fine');
    expect(wants(one.system).map(({ address }) => address)).toEqual(['b']);
  });

  test('settle as done and error events that the coordinator hears', () => {
    const one = group(fan);
    one.ok('a', 'fine');
    expect(one.last.derived).toMatchObject([{ from: 'a', to: '', event: { type: 'xstate.done.actor.a' } }]);
    one.fail('b', 'broken');
    expect(snapshotAt(one.system, '')).toMatchObject({ context: { results: ['fine', 'broken'] } });
  });

  test('settle once: later, stale and unknown settlements are dead letters that change no actor', () => {
    const one = group(fan);
    one.ok('a', 'fine');
    for (const [address, incarnation, reason] of [
      ['a', 1, 'the member is settled already'],
      ['b', 2, 'incarnation 2 was stopped; now there is 1'],
      ['c', 1, 'no such member'],
      ['', 1, 'the actor is not a member'],
    ] as const) {
      const before = actors(one.system);
      one.ok(address, 'late', incarnation);
      expect(one.effects).toEqual([`dead ${address} > ${address}: troupe.settled (${reason})`]);
      expect(one.last.derived).toEqual([]);
      expect(actors(one.system)).toEqual(before);
    }
  });

  test('that are stopped are cancelled, and their results are dead letters', () => {
    const one = group(fan);
    expect(told(one.signal('drop').effects)).toEqual(['cancel a#1']);
    expect(snapshotAt(one.system, 'a')).toBeUndefined();
    expect(told(one.ok('a').effects)).toEqual(['dead a > a: troupe.settled (the member was stopped)']);
  });

  test('spawned again under the same id are the next incarnation', () => {
    const one = group(fan);
    expect(told(one.signal('again').effects)).toEqual(['cancel a#1', 'invoke a#2']);
    one.ok('a', 'old', 1);
    expect(one.effects).toEqual(['dead a > a: troupe.settled (incarnation 1 was stopped; now there is 2)']);
    one.ok('a', 'new', 2);
    expect(snapshotAt(one.system, '')).toMatchObject({ context: { results: ['new'] } });
  });

  test('get what is sent to them as deliveries, and it is a dead letter once they have settled', () => {
    const one = group(fan);
    expect(told(one.signal('hello').effects)).toEqual(['deliver a: greet from ""']);
    one.ok('a');
    expect(told(one.signal('hello').effects)).toEqual(['dead  > a: greet (the actor has settled)']);
  });

  test('keep their last progress; progress of others is nothing', () => {
    const one = group(fan);
    one.fold('member.progress', { member: 'a', incarnation: 1, attempt: 1, progress: { line: 'half' } });
    expect(snapshotAt(one.system, 'a')).toMatchObject({ progress: { line: 'half' } });
    const before = one.system;
    one.fold('member.progress', { member: 'a', incarnation: 2, attempt: 1, progress: { line: 'x' } });
    expect(one.system).toBe(before);
  });

  test('with an input that is not JSON fail, and the coordinator hears why', () => {
    const one = group(machine({ context: { why: '' }, entry: spawn('a', { at: new Date(0) }), on: { 'xstate.error.actor.a': { actions: assign({ why: ({ event }: Loose) => event.error.message }) } } }));
    expect(one.effects).toEqual([]);
    expect(snapshotAt(one.system, '')).toMatchObject({ context: { why: 'NOT_JSON: input of member `a`.at: expected JSON, got a Date' } });
  });
});

describe('messages and signals', () => {
  const talk = machine({
    context: { heard: [] },
    entry: [spawn('a')],
    on: { finding: { actions: assign({ heard: ({ context, event }: Loose) => [...context.heard, event] }) } },
  });

  test('a message is heard as a plain event with type, from, body and id', () => {
    const one = group(talk);
    one.fold('message', { id: 'm1', from: 'a', to: '', type: 'finding', body: { line: 3 } });
    expect(snapshotAt(one.system, '')).toMatchObject({ context: { heard: [{ type: 'finding', from: 'a', body: { line: 3 }, id: 'm1' }] } });
  });

  test('a message to a member is delivered to its harness', () => {
    const one = group(talk);
    one.fold('message', { id: 'm1', from: 'b', to: 'a', type: 'hint', body: 'look' });
    expect(one.last.effects).toMatchObject([{ type: 'deliver', address: 'a', incarnation: 1, from: 'b', event: { type: 'hint', from: 'b', body: 'look', id: 'm1' } }]);
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

  test('a coordinator cannot settle its member by sending it the event', () => {
    const one = group(machine({ entry: spawn('a'), on: { forge: { actions: sendTo('a', { type: 'troupe.settled', outcome: { status: 'ok', output: 1 } } as Loose) } } }));
    one.signal('forge');
    expect(status(one.system)).toMatchObject({ status: 'failed', error: { code: 'RESERVED_EVENT' } });
  });

  test('what is not for the actors returns the same system', () => {
    const one = group(talk);
    const before = one.system;
    expect(one.fold('attempt.queued', { member: 'a', incarnation: 1, attempt: 1, harness: 'x' })).toEqual({ system: before, effects: [], derived: [] });
    expect(one.system).toBe(before);
  });
});

describe('timers', () => {
  const clock = machine({
    context: { n: 0 },
    initial: 'on',
    states: { on: { after: { 10: 'off' }, on: { stop: 'off' } }, off: { after: { 5: 'on' } } },
    on: {
      later: { actions: raise({ type: 'tick' } as Loose, { id: 't', delay: 7 } as Loose) },
      never: { actions: cancel('t') },
      tick: { actions: assign({ n: ({ context }: Loose) => context.n + 1 }) },
    },
  });

  test('are due at the time of their entry plus the delay, and fire once', () => {
    const one = group(clock);
    expect(one.effects).toEqual(['setTimer xstate.after.10.group.on at 10']);
    const timer = timers(one.system)[0];
    one.fire();
    expect(snapshotAt(one.system, '')).toMatchObject({ value: 'off' });
    expect(one.effects).toEqual(['setTimer xstate.after.5.group.off at 15']);
    const before = one.system;
    one.fold('timer.fired', timer);
    expect(one.system).toBe(before);
  });

  test('are cleared when their state is left', () => {
    const one = group(clock);
    one.signal('stop');
    expect(one.effects).toEqual(['clearTimer xstate.after.10.group.on', 'setTimer xstate.after.5.group.off at 6']);
  });

  test('set again under one id both fire, as in XState, and only the last can be cancelled', () => {
    const one = group(clock);
    one.signal('later');
    one.signal('later');
    expect(one.effects).toEqual(['setTimer t#2 at 9']);
    one.signal('never');
    expect(one.effects).toEqual(['clearTimer t#2']);
    expect(timers(one.system).map(({ timer, dueAt }) => [timer, dueAt])).toEqual([['t', 8], ['xstate.after.10.group.on', 10]]);
    one.fire();
    expect(snapshotAt(one.system, '')).toMatchObject({ context: { n: 1 } });
  });

  test('a delay that is no number of milliseconds fails the actor', () => {
    const one = group(machine({ initial: 'a', states: { a: { after: { odd: 'a' } } } }, { delays: { odd: () => Number.NaN } }));
    expect(status(one.system)).toMatchObject({ status: 'failed', error: { message: 'machine `group`: the delay of `xstate.after.odd.group.a` is NaN: expected a finite number of milliseconds' } });
  });
});

describe('nested coordinators', () => {
  const inner = machine({
    id: 'inner',
    initial: 'work',
    states: { work: { entry: [spawn('leaf')], on: { 'xstate.done.actor.leaf': 'end' } }, end: { type: 'final' } },
    on: { shout: { actions: sendParent({ type: 'heard' }) }, tell: { actions: sendTo('leaf', { type: 'note' } as Loose) } },
    output: 'inner output',
  });
  const outer = machine(
    {
      context: { results: [], heard: 0 },
      entry: spawnChild('inner' as Loose, { id: 'team' } as Loose),
      on: {
        'xstate.done.actor.team': { actions: assign({ results: ({ context, event }: Loose) => [...context.results, event.output] }) },
        heard: { actions: assign({ heard: ({ context }: Loose) => context.heard + 1 }) },
        ask: { actions: sendTo('team', { type: 'shout' } as Loose) },
        drop: { actions: stopChild('team') },
      },
    },
    { actors: { inner } },
  );

  test('live at addresses below each other', () => {
    const one = group(outer);
    expect(one.effects).toEqual(['invoke team::leaf#1']);
    expect(actors(one.system).map(({ address, kind }) => [address, kind])).toEqual([['', 'coordinator'], ['team', 'coordinator'], ['team::leaf', 'member']]);
  });

  test('tell their parent of their end and hear it in between', () => {
    const one = group(outer);
    one.signal('ask');
    expect(one.last.derived.map(({ from, to, event }) => `${from}>${to}:${event.type}`)).toEqual(['>team:shout', 'team>:heard']);
    one.ok('team::leaf');
    expect(snapshotAt(one.system, '')).toMatchObject({ context: { results: ['inner output'], heard: 1 } });
  });

  test('that are stopped take everything below with them', () => {
    const one = group(outer);
    expect(told(one.signal('drop').effects)).toEqual(['cancel team::leaf#1']);
    expect(wants(one.system)).toEqual([]);
  });

  test('that throw stop their members and tell their parent', () => {
    const broken = machine({
      id: 'broken',
      entry: spawn('leaf'),
      on: { break: { actions: assign(() => { throw new Error('on purpose'); }) } },
    });
    const one = group(machine({ entry: spawnChild('broken' as Loose, { id: 'team' } as Loose), on: { 'xstate.error.actor.*': {}, break: { actions: sendTo('team', { type: 'break' } as Loose) } } }, { actors: { broken } }));
    one.signal('break');
    expect(one.effects).toEqual(['cancel team::leaf#1']);
    expect(status(one.system)).toEqual({ status: 'active' });
    expect(snapshotAt(one.system, 'team')).toMatchObject({ status: 'error', error: { name: 'Error', message: 'on purpose' } });
  });
});

describe('the end of a group', () => {
  const ending = machine({
    initial: 'on',
    states: { on: { entry: [spawn('a'), spawn('b')], on: { finish: 'done', odd: 'odd' }, after: { 10: 'done' } }, done: { type: 'final' }, odd: { type: 'final' } },
    output: ({ event }: Loose) => ({ by: event.type }),
  });

  test('completed: wants are retracted, the output is told last', () => {
    const one = group(ending);
    one.signal('finish');
    expect(one.effects).toEqual(['clearTimer xstate.after.10.group.on', 'cancel a#1', 'cancel b#1', 'end completed']);
    expect(output(one.system)).toEqual({ by: 'xstate.done.state.group.done' });
    expect([wants(one.system), timers(one.system)]).toEqual([[], []]);
  });

  test('cancelled: with its reason', () => {
    const one = group(ending);
    one.fold('group.cancelled', { reason: 'enough' });
    expect(one.effects).toEqual(['cancel a#1', 'cancel b#1', 'clearTimer xstate.after.10.group.on', 'end cancelled']);
    expect(status(one.system)).toEqual({ status: 'cancelled', reason: 'enough' });
  });

  test('failed: by a failure that nobody handles', () => {
    const one = group(machine({ entry: [spawn('a'), spawn('b')] }));
    one.fail('a', 'broken');
    expect(one.effects).toEqual(['cancel b#1', 'end failed']);
    expect(status(one.system)).toEqual({ status: 'failed', error: { name: 'Error', message: 'broken' } });
  });

  test('failed: by an output that is not JSON', () => {
    const one = group(machine({ initial: 'a', states: { a: { type: 'final' } }, output: () => new Map() }));
    expect(status(one.system)).toMatchObject({ status: 'failed', error: { code: 'NOT_JSON', message: 'NOT_JSON: machine `group`: output: expected JSON, got a Map' } });
  });

  test('is terminal: what comes later is a dead letter or nothing', () => {
    const one = group(ending);
    const timer = timers(one.system)[0];
    one.signal('finish');
    const end = status(one.system);
    one.ok('a');
    expect(one.effects).toEqual(['dead a > a: troupe.settled (the group has completed)']);
    one.signal('more');
    expect(one.effects).toEqual(['dead out > : more (the group has completed)']);
    for (const [type, data] of [['timer.fired', timer], ['group.cancelled', { reason: 'x' }]] as const) {
      const before = one.system;
      one.fold(type, data);
      expect(one.system).toBe(before);
    }
    expect(status(one.system)).toEqual(end);
  });
});

describe('what leaves the group', () => {
  test('checkpoints, emits and logs, in their order', () => {
    const one = group(
      machine({
        context: { n: 2 },
        entry: [log('starting'), checkpoint(({ context }: Loose) => ({ name: 'half', settled: context.n, total: 4 })) as Loose, emit({ type: 'note', n: 1 })],
      }),
    );
    expect(one.effects).toEqual(['log "starting"', 'emit {"name":"half","settled":2,"total":4,"type":"troupe.checkpoint"}', 'emit {"type":"note","n":1}']);
  });

  test('is JSON, or its actor fails', () => {
    const one = group(machine({ on: { go: { actions: emit({ type: 'note', at: new Date(0) } as Loose) } } }));
    one.signal('go');
    expect(status(one.system)).toMatchObject({ error: { message: 'NOT_JSON: machine `group`: emitted event.at: expected JSON, got a Date' } });
  });
});

describe('what the linter cannot see fails the group at run time, the same in every replay', () => {
  const cases: [string, Loose, string, RegExp][] = [
    ['a spawn without an id', enqueueActions(({ enqueue }: Loose) => enqueue.spawnChild('member')), 'MACHINE_UNSUPPORTED', /spawned actor `member` has no id/],
    ['an id that is no address', assign(({ spawn }: Loose) => ({ ref: spawn('member', { id: 'a::b' }) })), 'MACHINE_UNSUPPORTED', /has the id `a::b`/],
    ['an inline actor', assign(({ spawn }: Loose) => ({ ref: spawn(fromTransition((n: number) => n, 0), { id: 'a' }) })), 'MACHINE_UNSUPPORTED', /spawned actor has no string `src`/],
    ['a timer without an id', enqueueActions(({ enqueue }: Loose) => enqueue.raise({ type: 'x' }, { delay: 5 })), 'MACHINE_UNSUPPORTED', /a delayed `x` has no id/],
    ['a custom action', enqueueActions(({ enqueue }: Loose) => enqueue(() => {})), 'MACHINE_UNSUPPORTED', /is a function of its own/],
    ['two living actors of one id', enqueueActions(({ enqueue }: Loose) => { enqueue(spawn('a')); enqueue(spawn('a')); }), 'DUPLICATE_NAME', /actor `a` was spawned while an actor of that id is alive/],
  ];
  test.each(cases)('%s', (_what, action, code, message) => {
    for (const parallel of [false, true]) {
      const one = group(machine({ context: {}, entry: [spawn('z')], on: { go: { actions: action } }, ...(parallel ? { type: 'parallel', states: { p: {}, q: {} } } : {}) }));
      const before = actors(one.system);
      one.signal('go');
      expect(status(one.system)).toMatchObject({ status: 'failed', error: { code, message: expect.stringMatching(message) as string } });
      expect(one.effects).toEqual(['cancel z#1', 'end failed']);
      expect(actors(one.system)).toEqual(before);
    }
  });
});

describe('bounds', () => {
  const loop = machine({ on: { go: { actions: raise({ type: 'go' }) } } });
  const pingPong = machine({ on: { go: { actions: sendTo(({ self }: Loose) => self, { type: 'go' }) } } });
  const many = machine({ on: { go: { actions: enqueueActions(({ enqueue, event }: Loose) => { for (let n = 0; n < 5; n += 1) enqueue(spawn(`${event.at}-${n}`)); }) } } });
  const later = machine({ on: { go: { actions: enqueueActions(({ enqueue }: Loose) => { for (let n = 0; n < 5; n += 1) enqueue.raise({ type: 'x' }, { id: `${n}`, delay: 9 }); }) } } });
  const again = machine({ on: { go: { actions: [stopChild('a'), spawn('a')] } } });
  test.each([
    ['microstepsMax', loop, 1],
    ['deliveriesPerTurnMax', pingPong, 1],
    ['membersMax', many, 1],
    ['timersMax', later, 1],
    ['incarnationsMax', again, 5],
  ] as const)('over %s the group fails with LIMIT, in each replay the same', (bound, config, times) => {
    const digests = [1, 2].map(() => {
      const one = group(config, { bounds: { [bound]: 4 } });
      for (let n = 0; n < times; n += 1) one.signal('go', { at: n });
      expect(status(one.system)).toMatchObject({ status: 'failed', error: { code: 'LIMIT', message: expect.stringContaining(`over the bound \`${bound}\` of 4`) as string } });
      return digest(one.system);
    });
    expect(digests[0]).toBe(digests[1]);
  });

  test('groups nest no deeper than depthMax', () => {
    const leaf = machine({ id: 'leaf' });
    const inner = machine({ id: 'inner', entry: spawnChild('leaf' as Loose, { id: 'c' } as Loose) }, { actors: { leaf } });
    const outer = machine({ entry: spawnChild('inner' as Loose, { id: 'b' } as Loose) }, { actors: { inner } });
    expect(status(group(outer, { bounds: { depthMax: 2 } }).system)).toEqual({ status: 'active' });
    expect(status(group(outer, { bounds: { depthMax: 1 } }).system)).toMatchObject({ status: 'failed', error: { code: 'LIMIT' } });
  });

  test('a long chain of actors that each send before they return stops at deliveryDepthMax, not at the stack', () => {
    const link = machine({ id: 'link', context: ({ input }: Loose) => ({ next: input.next }), on: { go: { actions: sendTo(({ system, context }: Loose) => system.get(`l${context.next}`), { type: 'go' }) } } });
    const chain = machine(
      {
        entry: enqueueActions(({ enqueue }: Loose) => { for (let n = 0; n < 800; n += 1) enqueue.spawnChild('link', { id: `l${n}`, systemId: `l${n}`, input: { next: n + 1 } }); }),
        on: { go: { actions: sendTo('l0', { type: 'go' }) } },
      },
      { actors: { link } },
    );
    const one = group(chain);
    one.signal('go');
    expect(status(one.system)).toMatchObject({ status: 'failed', error: { code: 'LIMIT', message: expect.stringContaining('`deliveryDepthMax` of 500') as string } });
  });
});

describe('a system is a value', () => {
  const counter = machine({
    context: ({ spawn: make }: Loose) => ({ n: 0, ref: make('member', { id: 'first' }), maybe: undefined }),
    on: {
      add: { actions: [assign({ n: ({ context }: Loose) => context.n + 1 }), enqueueActions(({ enqueue, context }: Loose) => enqueue(spawn(`m${context.n}`)))] },
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
    const branch = step(old, { seq: 2, at: 0, type: 'signal', data: { id: 'x', from: 'out', event: { type: 'tell' } } });
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
    const one = group(machine({ context: { list: [] }, on: { go: { actions: assign({ list: () => [{ when: new Date(0) }] }) } } }));
    one.signal('go');
    expect(() => persist(one.system)).toThrow('NOT_JSON: machine `group`: context.list[0].when: expected JSON, got a Date');
  });

  test('one of another machine, format or shape is not read', () => {
    const one = group(counter);
    const written = persist(one.system) as Loose;
    expect(() => restore(define(machine({ id: 'other' })), written)).toThrow('GROUP_MISMATCH');
    expect(() => restore(one.definition, { ...written, format: 99 })).toThrow('JOURNAL_FORMAT');
    expect(() => restore(one.definition, { ...written, actors: written.actors.map((actor: Loose) => ({ ...actor, src: 'nobody' })) })).toThrow('JOURNAL_CORRUPT');
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
