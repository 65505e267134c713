/** Rare words of XState, through live actors and through the fold side by side, written and read again before every event. */
import { assign, createMachine, emit, fromTransition, raise, sendParent, sendTo, spawnChild, stopChild } from 'xstate';
import { expect, test } from 'vitest';
import { digest, persist, restore, snapshotAt, step, timers } from '../../src/group/step.ts';
import type { JsonValue } from '../../src/json.ts';
import { group, machine, told, type Loose } from './group-under-test.ts';
import { sideBySide } from './side-by-side.ts';

test('one object in two places of a context is one after a restart: it is found, and taken out, by identity', () => {
  const tasks = machine({
    context: ({ input }: Loose) => ({
      tasks: input.map((name: string) => ({ name })),
      current: undefined,
      list: [undefined],
    }),
    on: {
      take: { actions: assign({ current: ({ context }: Loose) => context.tasks[0] }) },
      finish: {
        guard: ({ context }: Loose) => context.tasks.includes(context.current),
        actions: [
          assign({ tasks: ({ context }: Loose) => context.tasks.filter((task: Loose) => task !== context.current) }),
          emit(({ context }: Loose) => ({ type: 'left', count: context.tasks.length })),
        ],
      },
    },
  });
  const seen = sideBySide(tasks, ['take', 'finish', 'take', 'finish', 'finish'], ['a', 'b']);
  expect(seen.flatMap(({ emitted }) => emitted)).toEqual([
    { type: 'left', count: 1 },
    { type: 'left', count: 0 },
  ]);
});

test('and so is one that a parent and its child have in hand', () => {
  const worker = createMachine({
    id: 'worker',
    context: ({ input }: Loose) => ({ task: input.task }),
    on: { go: { actions: sendParent(({ context }: Loose) => ({ type: 'back', task: context.task })) } },
  } as Loose);
  const tasks = machine(
    {
      context: { tasks: [{ name: 'a' }, { name: 'b' }] },
      entry: spawnChild(
        'worker' as Loose,
        { id: 'w', input: ({ context }: Loose) => ({ task: context.tasks[0] }) } as Loose,
      ),
      on: {
        go: { actions: sendTo('w', { type: 'go' }) },
        back: {
          actions: assign({
            tasks: ({ context, event }: Loose) => context.tasks.filter((task: Loose) => task !== event.task),
          }),
        },
      },
    },
    { actors: { worker } },
  );
  expect(sideBySide(tasks, ['go']).at(-1)?.context).toEqual({ tasks: [{ name: 'b' }] });
});

test('and so is one that waits in a timer, for the parent or for its child', () => {
  const remind = raise(({ context }: Loose) => ({ type: 'over', task: context.tasks[0] }), {
    id: 'over',
    delay: 5,
  } as Loose);
  const over = {
    actions: [
      assign({ tasks: ({ context, event }: Loose) => context.tasks.filter((task: Loose) => task !== event.task) }),
      emit(({ context }: Loose) => ({ type: 'left', count: context.tasks.length })),
    ],
  };
  const context = ({ input }: Loose) => ({ tasks: [...input] });
  const child = createMachine({ id: 'child', context, entry: remind, on: { over } } as Loose);
  const parent = machine(
    {
      context,
      entry: [
        remind,
        raise(({ context: { tasks } }: Loose) => tasks[1], { id: 'itself', delay: 9 } as Loose),
        spawnChild('child' as Loose, { id: 'c', input: ({ context: { tasks } }: Loose) => tasks } as Loose),
      ],
      on: {
        over,
        second: { actions: emit(({ context: { tasks }, event }: Loose) => ({ type: 'is', one: tasks[0] === event })) },
      },
    },
    { actors: { child } },
  );
  const one = group(parent, { input: [{ type: 'first' }, { type: 'second' }] });
  const left: string[] = [];
  for (let system = one.system; timers(system).length > 0;) {
    const written = JSON.parse(JSON.stringify(persist(system))) as JsonValue;
    const [timer] = timers(system);
    const fired = { seq: 2, at: 9, type: 'timer.fired', data: timer as unknown as JsonValue };
    const next = step(restore(one.definition, written), fired);
    left.push(...told(next.effects));
    expect(digest(next.system)).toBe(digest(step(system, fired).system));
    ({ system } = next);
  }
  expect(left).toEqual([
    'emit {"type":"left","count":1}',
    'emit {"type":"left","count":1}',
    'emit {"type":"is","one":true}',
  ]);
});

test('and so is one that a child has ended with', () => {
  const child = createMachine({
    id: 'child',
    initial: 'over',
    context: { found: { n: 1 } },
    states: { over: { type: 'final' } },
    output: ({ context }: Loose) => context.found,
  } as Loose);
  const parent = machine(
    {
      context: { found: undefined },
      entry: spawnChild('child' as Loose, { id: 'c' } as Loose),
      on: {
        'xstate.done.actor.c': { actions: assign({ found: ({ event }: Loose) => event.output }) },
        'ask': {
          actions: emit(({ context, self }: Loose) => {
            const { output, context: own } = self.getSnapshot().children.c.getSnapshot();
            return { type: 'is', one: context.found === output && output === own.found };
          }),
        },
      },
    },
    { actors: { child } },
  );
  expect(sideBySide(parent, ['ask']).at(-1)?.emitted).toEqual([{ type: 'is', one: true }]);
});

test('a snapshot of the forms before is read, one of a later form is not', () => {
  const one = group(machine({ context: { list: [{ n: 1 }] } }));
  const written = persist(one.system) as Loose;
  for (const format of [1, 2]) expect(persist(restore(one.definition, { ...written, format }))).toEqual(written);
  const shared = group(machine({ context: ({ input }: Loose) => ({ a: input, b: input }) }), { input: { n: 1 } });
  // Until then outputs and errors had no numbers.
  const second = JSON.stringify({ ...(persist(shared.system) as Loose), format: 2 }).replace('"same",3', '"same",1');
  const { a, b } = (snapshotAt(restore(shared.definition, JSON.parse(second) as JsonValue), '') as Loose).context;
  expect(a).toEqual({ n: 1 });
  expect(b).toBe(a);
  for (const format of [0, 4, null, 'x'])
    expect(() => restore(one.definition, { ...written, format } as Loose)).toThrow('JOURNAL_FORMAT');
});

test('a guard that is null is none', () => {
  const seen = sideBySide(machine({ on: { go: { guard: null, actions: emit({ type: 'gone' }) } } }), ['go']);
  expect(seen.at(-1)?.emitted).toEqual([{ type: 'gone' }]);
});

test('an eventless transition that stops nobody goes round and round, as in XState, instead of once', () => {
  const spinning = machine({
    options: { maxIterations: 20 },
    context: { isOn: false },
    on: { go: { actions: assign({ isOn: true }) } },
    always: { guard: ({ context }: Loose) => context.isOn, actions: stopChild('nobody') },
  });
  expect(sideBySide(spinning, ['go']).at(-1)?.error).toContain('Infinite loop detected');
});

test('what a transition function emits is emitted', () => {
  const echo = fromTransition((state: object, event: Loose, { emit: tell }: Loose) => {
    if (event.type === 'say') tell({ type: 'said', what: event.what });
    return state;
  }, {});
  const talking = machine(
    {
      entry: spawnChild('echo' as Loose, { id: 'echo' } as Loose),
      on: {
        go: {
          actions: [
            sendTo('echo', { type: 'say', what: 1 }),
            emit({ type: 'own' }),
            sendTo('echo', { type: 'say', what: 2 }),
          ],
        },
      },
    },
    { actors: { echo } },
  );
  const seen = sideBySide(talking, ['go']);
  expect(seen.at(-1)?.emitted).toEqual([{ type: 'said', what: 1 }, { type: 'own' }, { type: 'said', what: 2 }]);
});

test('a context that stands in the machine is each actor’s own, also where an assign changes it in place', () => {
  for (const parallel of [false, true]) {
    const listing = machine({
      context: { list: [] as number[], last: undefined },
      ...(parallel ? { type: 'parallel', states: { p: {}, q: {} } } : {}),
      on: { go: { actions: assign(({ context }: Loose) => void context.list.push(context.list.length)) } },
    });
    const contexts = [1, 2].map(() => {
      const one = group(listing);
      one.signal('go');
      return (snapshotAt(one.system, '') as Loose).context;
    });
    expect(contexts).toStrictEqual([1, 2].map(() => ({ list: [0], last: undefined })));
    expect((listing.config as Loose).context.list).toEqual([]);
  }
});

test('an event of type `*` that an older journal holds is heard the same under both builds', () => {
  const one = group(machine({ initial: 'a', states: { a: { on: { '*': 'b' } }, b: {} } }));
  one.signal('*');
  expect(snapshotAt(one.system, '')).toMatchObject({ status: 'active', value: 'b' });
});
