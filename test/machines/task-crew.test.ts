import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { taskCrew, type BoardTask } from '../../machines/index.ts';
import { fail, hold } from '../../src/harness/index.ts';
import { runGroup } from './run-group.ts';
import { asked, drive, emitted, simulate, who, type Letter, type Simulation } from './simulate.ts';

const workers = [{ id: 'w', prompt: 'work' }, { id: 'v' }];
const tasks: readonly BoardTask[] = [
  { id: 'a', prompt: 'do a' },
  { id: 'b', after: ['a'] },
  { id: 'c', priority: 1 },
];

/** What a worker was sent, in order. */
function told(
  { happenings }: Simulation,
  member: string,
): readonly { readonly type: string; readonly task?: unknown }[] {
  return happenings.flatMap((one) => (one.what === 'told' && one.member === member ? [one.event] : []));
}
const says = (from: string, type: string, body: Letter['body'] = null) => ({
  type,
  from,
  body: body as NonNullable<typeof body> | null,
});

describe('task crew', () => {
  test('workers claim ready tasks, highest priority first, and are given what came before', () => {
    const group = simulate(taskCrew, { workers, tasks, previous: 'plan' });
    expect(asked(group, 'w')).toEqual({ prompt: 'work', input: { previous: 'plan', worker: 'w' } });
    for (const id of ['v', 'w']) group.send(says(id, 'claim'));
    expect(told(group, 'v')).toEqual([{ type: 'task', task: 'c', attempt: 1, work: {}, results: [] }]);
    expect(told(group, 'w')).toEqual([{ type: 'task', task: 'a', attempt: 1, work: { prompt: 'do a' }, results: [] }]);
    group.send(says('v', 'complete', { task: 'c', output: 'C' }));
    group.send(says('v', 'claim'));
    expect(told(group, 'v')).toHaveLength(1);
    group.restart();
    group.send(says('w', 'complete', { task: 'a', output: 'A' }));
    expect(told(group, 'v').at(-1)).toMatchObject({ task: 'b', results: [{ id: 'a', output: 'A' }] });
    group.send(says('v', 'complete', { task: 'b' }));
    expect(group.output()).toMatchObject({
      done: 3,
      tasks: [{ id: 'a', worker: 'w', output: 'A' }, { id: 'b', worker: 'v', output: null }, { id: 'c' }],
    });
    expect(who(group, 'cancelled')).toEqual(['w', 'v']);
  });

  test('a worker has one task at a time, and only its holder can complete, fail or renew a task', () => {
    const group = simulate(taskCrew, { workers, tasks: [{ id: 'a' }, { id: 'b' }], leaseMs: 100 });
    group.send(says('w', 'claim'));
    group.send(says('w', 'claim'));
    expect(told(group, 'w')).toHaveLength(1);
    const before = group.timers();
    for (const from of ['v', 'stranger'])
      for (const type of ['complete', 'fail', 'renew', 'claim'].slice(0, 3))
        group.send(says(from, type, { task: 'a' }));
    for (const body of [null, [], 'a', { task: 7 }, { task: 'x' }, {}]) group.send(says('w', 'complete', body));
    group.send(says('stranger', 'claim'));
    expect(group.timers()).toEqual(before);
    group.send(says('w', 'renew', { task: 'a' }));
    expect(group.timers()[0]?.dueAt).toBeGreaterThan(before[0]?.dueAt ?? 0);
    expect(group.timers()).toHaveLength(1);
  });

  test('a claim is answered once: without another claim a worker gets no other task', () => {
    const group = simulate(taskCrew, { workers, ends: 'when-told' });
    group.send(says('v', 'claim'));
    group.send(says('v', 'claim'));
    group.send({ type: 'add', tasks: [{ id: 'a' }, { id: 'b' }] });
    group.send(says('v', 'complete', { task: 'a' }));
    expect(told(group, 'v')).toHaveLength(1);
    group.send(says('v', 'claim'));
    expect(told(group, 'v').at(-1)).toMatchObject({ task: 'b' });
  });

  test('a worker that has ended is given nothing, though it had claimed; without work left the others may all go', () => {
    const group = simulate(taskCrew, { workers, ends: 'when-told' });
    group.send(says('v', 'claim'));
    group.settle('v', null);
    group.send({ type: 'add', tasks: [{ id: 'a' }] });
    expect(told(group, 'v')).toEqual([]);
    group.send(says('w', 'claim'));
    group.send(says('w', 'complete', { task: 'a' }));
    group.settle('w', null);
    expect(group.end).toBeUndefined();
    group.send({ type: 'close' });
    expect(group.output()).toMatchObject({ done: 1 });
  });

  test('a lease ends with its claim: when the task is completed or failed, or the worker ends', () => {
    const group = simulate(taskCrew, { workers, tasks: [{ id: 'a' }, { id: 'b' }], leaseMs: 100, attempts: 3 });
    for (const id of ['w', 'v']) group.send(says(id, 'claim'));
    expect(group.timers().map(({ timer }) => timer)).toEqual(['lease a', 'lease b']);
    group.send(says('w', 'complete', { task: 'a' }));
    expect(group.timers().map(({ timer }) => timer)).toEqual(['lease b']);
    group.send(says('v', 'fail', { task: 'b' }));
    expect(group.timers()).toEqual([]);
    group.send(says('v', 'claim'));
    group.settle('v', null);
    expect(group.timers()).toEqual([]);
  });

  test('a lost lease: the task is stolen by the next who claims, and what the first says of it then changes nothing', () => {
    const group = simulate(taskCrew, { workers, tasks: [{ id: 'a' }], leaseMs: 100, attempts: 2 });
    group.send(says('w', 'claim'));
    group.send(says('v', 'claim'));
    group.restart();
    group.fire();
    expect(told(group, 'w').at(-1)).toEqual({ type: 'lost', task: 'a' });
    expect(told(group, 'v').at(-1)).toMatchObject({ type: 'task', task: 'a', attempt: 2 });
    group.send(says('w', 'complete', { task: 'a', output: 'late' }));
    expect(group.end).toBeUndefined();
    group.send(says('v', 'complete', { task: 'a', output: 'stolen' }));
    expect(group.output().tasks).toMatchObject([{ worker: 'v', attempts: 2, output: 'stolen' }]);
  });

  test('a task that fails as often as it may has failed, and blocks what waits for it', () => {
    const group = simulate(taskCrew, { workers, tasks: tasks.slice(0, 2), attempts: 2 });
    for (const message of ['no', 'never']) {
      group.send(says('w', 'claim'));
      group.send(says('w', 'fail', { task: 'a', message }));
    }
    expect(group.output()).toMatchObject({
      failed: 1,
      blocked: 1,
      tasks: [{ attempts: 2, error: { message: 'never' } }, { status: 'blocked' }],
    });
  });

  test('what a worker leaves behind when it ends goes to another; when all have ended the group fails', () => {
    const group = simulate(taskCrew, { workers, tasks: [{ id: 'a' }], attempts: 3 });
    group.send(says('v', 'claim'));
    group.send(says('w', 'claim'));
    group.settle('v', 'tired');
    expect(told(group, 'w').at(-1)).toMatchObject({ task: 'a', attempt: 2 });
    group.break('w', 'crashed');
    expect(group.failure()).toBe('all 2 workers have ended, and 1 tasks are not over: v: worker `v` ended; w: crashed');
  });

  test('members and outsiders add tasks; what makes no sense is refused', () => {
    const group = simulate(taskCrew, { workers, ends: 'when-told', checkpointEvery: 1 });
    group.send(says('w', 'claim'));
    group.send({ type: 'add', tasks: [{ id: 'a' }] });
    group.send(says('w', 'add', { tasks: [{ id: 'a' }] }));
    expect(emitted(group, 'refused')).toMatchObject([{ from: 'w' }]);
    group.send({ type: 'close' });
    group.send(says('w', 'complete', { task: 'a' }));
    expect(group.output()).toMatchObject({ done: 1 });
    expect(emitted(group)).toMatchObject([{ name: 'over 1', settled: 1, total: 1 }]);
  });

  test('whatever workers say and whenever they end: a task has one holder at a time, and is done once', () => {
    const options = fc.record({
      attempts: fc.integer({ min: 1, max: 3 }),
      isLeased: fc.boolean(),
      restartAfter: fc.nat(20),
    });
    fc.assert(
      fc.property(
        options,
        fc.array(fc.nat(), { minLength: 3, maxLength: 12 }),
        ({ attempts, isLeased, restartAfter }, choices) => {
          const crew = [...workers, { id: 'u' }];
          const group = simulate(taskCrew, { workers: crew, tasks, attempts, ...(isLeased ? { leaseMs: 100 } : {}) });
          let left = 60;
          drive(group, {
            choices,
            restartAfter,
            stepsMax: 70,
            outcome: () => fail(),
            letters: () =>
              (left -= 1) < 0
                ? []
                : crew.flatMap(({ id }) => [
                    says(id, 'claim'),
                    ...tasks.flatMap((task) => [
                      says(id, 'complete', { task: task.id, output: id }),
                      says(id, 'fail', { task: task.id }),
                    ]),
                  ]),
          });
          const given = new Map<string, number>();
          for (const one of group.happenings) {
            if (one.what !== 'told' || one.event.type !== 'task') continue;
            const task = one.event['task'] as string;
            given.set(task, (given.get(task) ?? 0) + 1);
            expect(one.event['attempt']).toBe(given.get(task));
            expect(given.get(task)).toBeLessThanOrEqual(attempts);
          }
          if (group.end?.status === 'failed') return;
          for (const { status, worker, output } of group.output().tasks)
            if (status === 'done') expect(output).toBe(worker);
        },
      ),
    );
  });

  test.each([
    [{ workers: [] }, '`workers` to hold at least 1'],
    [{ workers, leaseMs: 0 }, '`leaseMs` to be a number of milliseconds >= 1, got `0`'],
    [{ workers, ends: 'never' as 'when-done' }, '`ends` to be when-done or when-told'],
  ])('bad input is one clear sentence: %#', (input, sentence) => {
    expect(simulate(taskCrew, input).failure()).toContain(sentence);
  });

  test('in a run: when the last worker ends with work left, the group fails', async () => {
    const run = await runGroup(
      taskCrew,
      { workers, tasks },
      { script: { w: fail(), v: fail() }, dies: { script: { w: hold, v: fail() }, when: [{ member: 'w', count: 1 }] } },
    );
    expect(run.result).toMatchObject({ status: 'failed' });
    expect(run.performed).toEqual(['w', 'v', 'w']);
  });
});
