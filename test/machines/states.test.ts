/**
 * Every order in which three members can succeed, fail, be late or talk, for each machine: the exact number of states, what
 * holds in all of them, and what is reached in some. A number that changes says that the machine now does something else.
 */
import { expect, test } from 'vitest';
import {
  debate,
  election,
  escalation,
  mapReduce,
  pipeline,
  quorum,
  race,
  saga,
  supervisor,
  taskBoard,
} from '../../machines/index.ts';
import { fail, ok } from '../../src/harness/index.ts';
import { explore } from './explore.ts';

const members = [{ id: 'a' }, { id: 'b' }, { id: 'c' }];
const bad = fail('failed', { name: 'Error', message: 'bad' });
const fine = [ok('fine'), bad];
const judged = [ok(true), ok(false), bad];

test('race: one winner, or everybody has failed', () => {
  const found = explore(race, { members, timeoutMs: 1 }, { outcomes: () => fine });
  expect(found).toMatchObject({ states: 41, completed: 15, failed: 16, mostAtOnce: 3, stuck: [] });
});

test('quorum: agreed on what two said, or impossible', () => {
  const found = explore(quorum, { members, atLeast: 2 }, { outcomes: () => [ok('x'), ok('y'), bad] });
  expect(found).toMatchObject({ states: 124, completed: 48, failed: 42, mostAtOnce: 3, stuck: [] });
  expect(new Set([...found.outputs].map((text) => (JSON.parse(text) as { readonly value: string }).value))).toEqual(
    new Set(['x', 'y']),
  );
});

test('map-reduce: two at a time, then reduced', () => {
  const found = explore(mapReduce, { members, reduce: {}, reduceEvery: 2, concurrency: 2 }, { outcomes: () => fine });
  expect(found).toMatchObject({ states: 60, completed: 10, failed: 18, mostAtOnce: 2, stuck: [] });
});

test('pipeline: a step of two, then one', () => {
  const steps = [{ id: 's', members: members.slice(0, 2), policy: 'best-effort' as const }, { id: 'c' }];
  const found = explore(pipeline, { steps }, { outcomes: () => fine });
  expect(found).toMatchObject({ states: 17, completed: 4, failed: 4, mostAtOnce: 2, stuck: [] });
});

test('debate: two rounds of a proposer, a critic and a judge', () => {
  const input = { proposers: [{ id: 'a' }], critics: [{ id: 'b' }], judge: { id: 'c' }, rounds: 2 };
  const found = explore(debate, input, { outcomes: (member) => (member === 'c' ? judged : fine) });
  expect(found).toMatchObject({ states: 31, completed: 10, failed: 9, mostAtOnce: 1, stuck: [] });
});

test('escalation: two levels with a clock, a judge and a gate', () => {
  const levels = [{ id: 'a', withinMs: 1 }, { id: 'b' }, { id: 'g', gate: { question: '?' }, withinMs: 1 }];
  const letters = [
    { type: 'approved', gate: 'g' },
    { type: 'rejected', gate: 'g' },
  ];
  const found = explore(
    escalation,
    { levels, judge: { id: 'c' } },
    { outcomes: (member) => (member === 'c' ? judged : fine), letters },
  );
  expect(found).toMatchObject({ states: 63, completed: 41, failed: 0, mostAtOnce: 1, stuck: [] });
});

test('saga: three steps that can be undone, each compensation tried twice, aborted at any time', () => {
  const steps = members.map((one) => ({ ...one, compensate: {}, undoWhenFailed: one.id === 'b' }));
  const found = explore(
    saga,
    { steps, compensationAttempts: 2 },
    { outcomes: () => fine, letters: [{ type: 'abort' }] },
  );
  expect(found).toMatchObject({ states: 58, completed: 19, failed: 0, mostAtOnce: 1, stuck: [] });
  for (const text of found.outputs) {
    const { completed, results, compensated, uncompensated } = JSON.parse(text) as {
      readonly completed: boolean;
      readonly results: readonly { readonly id: string }[];
      readonly compensated: readonly string[];
      readonly uncompensated: readonly { readonly id: string }[];
    };
    const handled = [...compensated, ...uncompensated.map(({ id }) => id)];
    expect(new Set(handled).size).toBe(handled.length);
    if (!completed) for (const { id } of results) expect(handled).toContain(id);
  }
});

test('supervisor: three children, one for all, two restarts', () => {
  const children = members.map((one) => ({ ...one, restart: 'transient' as const }));
  const found = explore(
    supervisor,
    { children, strategy: 'one-for-all', intensity: { restarts: 2 } },
    { outcomes: () => fine, isTimed: false },
  );
  expect(found).toMatchObject({ states: 446, completed: 67, failed: 192, mostAtOnce: 3, stuck: [] });
});

test('election: never two leaders, whoever fails, resigns or is silent', () => {
  const letters = members.flatMap(({ id: from }) => [
    { type: 'resign', from },
    { type: 'alive', from },
  ]);
  const found = explore(election, { members, termsMax: 5, leaseMs: 1 }, { outcomes: () => fine, letters });
  expect(found).toMatchObject({ states: 404, completed: 121, failed: 162, mostAtOnce: 1, stuck: [] });
});

test('task board: two workers, a task behind two others, leases and two attempts', () => {
  const tasks = [{ id: 'a' }, { id: 'b' }, { id: 'c', after: ['a', 'b'] }];
  const found = explore(taskBoard, { tasks, workers: 2, attempts: 2, leaseMs: 1 }, { outcomes: () => fine });
  expect(found).toMatchObject({ states: 145, completed: 92, failed: 0, mostAtOnce: 2, stuck: [] });
});
