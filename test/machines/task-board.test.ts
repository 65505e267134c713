import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { race, taskBoard, withMachines, type BoardTask } from '../../machines/index.ts';
import { othersNames } from '../../src/group/address.ts';
import { fail, hold, ok } from '../../src/harness/index.ts';
import type { JsonValue } from '../../src/index.ts';
import { runGroup } from './run-group.ts';
import { asked, drive, emitted, mostAtOnce, simulate, who } from './simulate.ts';

const tasks: readonly BoardTask[] = [
  { id: 'client', after: ['schema'] },
  { id: 'server', after: ['schema'], prompt: 'serve', input: { own: 1 } },
  { id: 'schema' },
  { id: 'release', after: ['client', 'server'] },
];

describe('task board', () => {
  test('a task is claimed when those before it are done, and is given what they came to', () => {
    const group = simulate(taskBoard, {
      tasks,
      workers: [{ id: 'w', harness: 'fast', input: { team: 't' } }, { id: 'v' }],
    });
    expect(group.open()).toEqual(['schema']);
    group.settle('schema', 'S');
    expect(group.open()).toEqual(['client', 'server']);
    expect(asked(group, 'server')).toEqual({
      prompt: 'serve',
      harness: 'fast',
      input: { team: 't', own: 1, task: 'server', worker: 'w', attempt: 1, results: [{ id: 'schema', output: 'S' }] },
    });
    group.settle('client', 'C');
    group.settle('server', 'R');
    expect(asked(group, 'release').input).toMatchObject({
      results: [
        { id: 'client', output: 'C' },
        { id: 'server', output: 'R' },
      ],
    });
    group.settle('release', 'done');
    expect(group.output()).toMatchObject({ done: 4, failed: 0, blocked: 0 });
    expect(group.output().tasks.map(({ id, status, output }) => [id, status, output])).toEqual([
      ['client', 'done', 'C'],
      ['server', 'done', 'R'],
      ['schema', 'done', 'S'],
      ['release', 'done', 'done'],
    ]);
  });

  test('higher priority first, then in the order in which they became ready', () => {
    const group = simulate(taskBoard, {
      workers: 1,
      tasks: [{ id: 'a' }, { id: 'b', priority: 2 }, { id: 'c', priority: -1 }, { id: 'd', priority: 2 }, { id: 'e' }],
    });
    drive(group, { choices: [0], stepsMax: 5 });
    expect(who(group, 'asked')).toEqual(['b', 'd', 'a', 'e', 'c']);
  });

  test('a task that fails is tried again; after its last attempt it has failed, and what waits for it is blocked', () => {
    const group = simulate(taskBoard, { tasks: [...tasks, { id: 'logo' }], workers: 1, attempts: 2 });
    group.break('schema');
    group.settle('logo', 1);
    group.break('schema', 'no');
    expect(group.output()).toMatchObject({ done: 1, failed: 1, blocked: 3 });
    expect(group.output().tasks).toMatchObject([
      { id: 'client', status: 'blocked', attempts: 0, worker: null },
      { id: 'server', status: 'blocked' },
      { id: 'schema', status: 'failed', attempts: 2, worker: 'worker-1', error: { message: 'no' } },
      { id: 'release', status: 'blocked' },
      { id: 'logo', status: 'done' },
    ]);
  });

  test('a lease that is not renewed is lost: the task is stolen by the next free worker', () => {
    const group = simulate(taskBoard, { tasks: [{ id: 'a' }, { id: 'b' }], workers: 3, leaseMs: 1_000, attempts: 2 });
    expect(asked(group, 'a').input).toMatchObject({ worker: 'worker-1' });
    group.restart();
    group.fire('lease a');
    expect(asked(group, 'a').input).toMatchObject({ worker: 'worker-3', attempt: 2 });
    expect(who(group, 'cancelled')).toEqual(['a']);
    group.settle('b', 1);
    group.fire('lease a');
    expect(group.output().tasks).toMatchObject([
      {
        id: 'a',
        status: 'failed',
        error: { name: 'LeaseLost', message: 'worker `worker-3` did not renew its lease in 1000 ms' },
      },
      { id: 'b', status: 'done' },
    ]);
  });

  test('only its own member renews a lease', () => {
    const group = simulate(taskBoard, { tasks: [{ id: 'a' }, { id: 'b' }], workers: 2, leaseMs: 1_000 });
    const dueAt = (timer: string) => group.timers().find((one) => one.timer === timer)?.dueAt ?? 0;
    const before = dueAt('lease a');
    group.send({ type: 'renew', from: 'b' });
    expect(dueAt('lease a')).toBe(before);
    expect(dueAt('lease b')).toBeGreaterThan(before);
    group.send({ type: 'renew', from: 'a' });
    expect(dueAt('lease a')).toBeGreaterThan(before);
    expect(group.timers()).toHaveLength(2);
  });

  test('members and outsiders add tasks while it runs; with `when-told` it waits for `close`', () => {
    const group = simulate(taskBoard, { workers: 1, ends: 'when-told' });
    group.send({ type: 'add', tasks: [{ id: 'a' }, { id: 'b', after: ['a'] }] });
    group.send({ type: 'add', from: 'a', body: { tasks: [{ id: 'c', after: ['a'], priority: 1 }] } });
    for (const id of ['a', 'c', 'b']) group.settle(id, id);
    expect(group.end).toBeUndefined();
    group.send({ type: 'add', tasks: [{ id: 'd', after: ['b'] }] });
    group.send({ type: 'close' });
    group.settle('d', 1);
    expect(group.output().tasks.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd']);
  });

  test('a task that is added behind a failed one is blocked', () => {
    const group = simulate(taskBoard, { workers: 1, tasks: [{ id: 'a' }], ends: 'when-told' });
    group.break('a');
    group.send({
      type: 'add',
      tasks: [
        { id: 'c', after: ['b'] },
        { id: 'b', after: ['a'] },
      ],
    });
    group.send({ type: 'close' });
    expect(group.output()).toMatchObject({ failed: 1, blocked: 2 });
  });

  test.each<[JsonValue, string]>([
    [[{ id: 'a' }], 'there is a task `a` already'],
    [[{ id: 'b' }, { id: 'b' }], 'two of `tasks` are called `b`'],
    [[{ id: 'b', after: ['x'] }], 'task `b` comes after task `x`, which is not on the board'],
    [
      [
        { id: 'b', after: ['c'] },
        { id: 'c', after: ['b'] },
      ],
      'in a circle',
    ],
    ['nothing', 'expected `tasks` to be a list of members, got `"nothing"` (string)'],
    [null, 'expected `tasks` to be a list of members, got `null`'],
    [[null], 'expected the id of each of `tasks`'],
    // Only where they are spawned could these be found out, and the group would fail then.
    [[{ id: 'b' }, { id: 'c', machine: 'nope' }], 'member `c`: there is no machine `"nope"` (string) in this one'],
    [[{ id: 'b', machine: 1 }], 'member `b`: there is no machine `1` (number) in this one'],
    [[{ id: '\ud800' }], 'expected an id without half characters'],
    ...[...othersNames].map((id): [JsonValue, string] => [[{ id }], `which are somebody else's; got \`"${id}"\``]),
  ])('an `add` that makes no sense is refused as a whole, and the board goes on: %j', (added, reason) => {
    const group = simulate(taskBoard, { workers: 1, tasks: [{ id: 'a' }] });
    group.send({ type: 'add', from: 'a', body: { tasks: added } });
    expect(emitted(group, 'refused')).toEqual([
      { type: 'refused', from: 'a', reason: expect.stringContaining(reason) as string },
    ]);
    group.settle('a', 1);
    expect(group.output().tasks).toHaveLength(1);
  });

  test('a task for a machine that the board has is added', () => {
    const group = simulate(withMachines(taskBoard, { race }), { workers: 1, tasks: [{ id: 'a' }] });
    group.send({ type: 'add', tasks: [{ id: 'b', machine: 'race', input: { members: [{ id: 'x' }] } }] });
    group.settle('a', 1);
    group.settle('b::x', 2);
    expect(emitted(group, 'refused')).toEqual([]);
    expect(group.output()).toMatchObject({ done: 2 });
  });

  test('a circle among the tasks is refused, and named', () => {
    const circular = [
      { id: 'x' },
      { id: 'a', after: ['c', 'x'] },
      { id: 'b', after: ['a'] },
      { id: 'c', after: ['b'] },
      { id: 'y', after: ['a'] },
    ];
    expect(simulate(taskBoard, { workers: 1, tasks: circular }).failure()).toContain(
      'tasks wait for one another in a circle, each for the next: a → c → b → a',
    );
    expect(simulate(taskBoard, { workers: 1, tasks: [{ id: 'a', after: ['a'] }] }).failure()).toContain('a → a');
  });

  test.each([
    [{ workers: 0 }, '`workers` to be a whole number from 1 to 256, got `0`'],
    [{ workers: [] }, '`workers` to hold at least 1'],
    [
      { workers: 1, tasks: [{ id: 'a', priority: 1.5 }] },
      '`tasks.a.priority` to be a whole number from -100 to 100, got `1.5`',
    ],
    [{ workers: 1, tasks: [{ id: 'a', after: ['b', 'b'] }, { id: 'b' }] }, 'task `a` names a task twice in `after`'],
    [{ workers: 1, leaseMs: 0 }, '`leaseMs`'],
  ])('bad input is one clear sentence: %#', (input, sentence) => {
    expect(simulate(taskBoard, input).failure()).toContain(sentence);
  });

  test('without tasks it is done at once', () => {
    expect(simulate(taskBoard, { workers: 1 }).output()).toEqual({ tasks: [], done: 0, failed: 0, blocked: 0 });
  });

  test('whatever happens: no task starts before those before it are done, no worker has two, and each task ends as it must', () => {
    const shapes = fc.array(
      fc.record({ after: fc.array(fc.nat(), { maxLength: 3 }), priority: fc.integer({ min: -2, max: 2 }) }),
      { minLength: 1, maxLength: 8 },
    );
    const options = fc.record({
      workers: fc.integer({ min: 1, max: 4 }),
      attempts: fc.integer({ min: 1, max: 3 }),
      isLeased: fc.boolean(),
      restartAfter: fc.nat(12),
    });
    fc.assert(
      fc.property(
        shapes,
        options,
        fc.array(fc.nat(), { minLength: 1, maxLength: 9 }),
        fc.func(fc.nat(2)),
        (shape, { workers, attempts, isLeased, restartAfter }, choices, luck) => {
          const made = shape.map(({ after, priority }, index) => ({
            id: `t${index}`,
            priority,
            after: index === 0 ? [] : [...new Set(after.map((one) => `t${one % index}`))],
          }));
          const group = simulate(taskBoard, { tasks: made, workers, attempts, ...(isLeased ? { leaseMs: 100 } : {}) });
          drive(group, {
            choices,
            restartAfter,
            stepsMax: made.length * attempts,
            outcome: ({ address, incarnation }) => (luck(address, incarnation) === 0 ? fail() : ok(address)),
          });
          const done = new Set<string>();
          const held = new Map<string, string>();
          for (const one of group.happenings) {
            if (one.what === 'asked') {
              const { worker } = one.invocation.input as { readonly worker: string };
              for (const before of made.find(({ id }) => id === one.member)?.after ?? [])
                expect(done).toContain(before);
              expect([...held.values()]).not.toContain(worker);
              held.set(one.member, worker);
            } else if (one.what === 'ok' || one.what === 'error' || one.what === 'cancelled') {
              held.delete(one.member);
              if (one.what === 'ok') done.add(one.member);
            }
          }
          expect(mostAtOnce(group)).toBeLessThanOrEqual(workers);
          const output = group.output();
          const statusOf = new Map(output.tasks.map(({ id, status }) => [id, status]));
          for (const { id, status, attempts: tried } of output.tasks) {
            const before = made.find((one) => one.id === id)?.after ?? [];
            expect(status === 'blocked').toBe(before.some((one) => statusOf.get(one) !== 'done'));
            expect(tried).toBe(who(group, 'asked').filter((one) => one === id).length);
            expect(tried).toBeLessThanOrEqual(attempts);
            if (status === 'failed') expect(tried).toBe(attempts);
            expect(status === 'done').toBe(done.has(id));
          }
        },
      ),
    );
  });

  test('3,000 tasks behind one', () => {
    const many = Array.from({ length: 3_000 }, (_, index) => ({ id: `t${index}`, after: ['first'] }));
    const group = simulate(taskBoard, { tasks: [...many, { id: 'first' }], workers: 8, checkpointEvery: 500 });
    for (let id = group.oldest(); id !== undefined; id = group.oldest()) group.settle(id, null);
    expect(group.output()).toMatchObject({ done: 3_001 });
    expect(emitted(group)).toHaveLength(6);
  });

  test('in a run whose host dies in the middle: what is done is not done again', async () => {
    const run = await runGroup(
      taskBoard,
      { tasks, workers: 2 },
      { script: { '*': ({ member }) => ok(member) }, heldAtFirst: ['server'] },
    );
    expect(run.output()).toMatchObject({ done: 4 });
    for (const id of ['schema', 'client', 'release']) expect(run.performed.filter((one) => one === id)).toHaveLength(1);
  });

  test('in a run: a lease runs out, and the task is stolen', async () => {
    const run = await runGroup(
      taskBoard,
      { tasks: [{ id: 'a' }], workers: 2, leaseMs: 60_000, attempts: 2 },
      {
        script: { a: ({ key }) => (key.includes('#1/') ? hold : ok('second')) },
        isHurried: true,
      },
    );
    expect(run.output().tasks).toMatchObject([{ status: 'done', attempts: 2, worker: 'worker-2', output: 'second' }]);
    expect(run.cancelled).toEqual(['a']);
  });
});
