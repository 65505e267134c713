import { expect, test } from 'vitest';
import {
  debate,
  election,
  escalation,
  fanOut,
  mapReduce,
  pipeline,
  quorum,
  race,
  saga,
  supervisor,
  taskBoard,
  taskCrew,
  withMachines,
} from '../../machines/index.ts';
import { othersNames } from '../../src/group/address.ts';
import type { Coordinator } from '../../src/index.ts';
import { simulate, who } from './simulate.ts';

const machines: readonly Coordinator<never>[] = [
  taskCrew,
  debate,
  election,
  escalation,
  fanOut,
  mapReduce,
  pipeline,
  quorum,
  race,
  saga,
  supervisor,
  taskBoard,
];

test.each(machines.map((machine) => [machine.id, machine] as const))(
  '%s says what is wrong with an input that is none, or has no list',
  (id, machine) => {
    for (const input of [undefined, [], 'text']) {
      expect(simulate(machine, input as never).failure()).toMatch(
        `BAD_INPUT: ${id}: expected its input to be an object, got \``,
      );
    }
    expect(simulate(machine, {} as never).failure()).toMatch(
      /^BAD_INPUT: [\w-]+: expected `\w+` to be .*, got `undefined` \(undefined\)\.$/,
    );
    expect(
      simulate(machine, {
        members: [null],
        steps: [null],
        levels: [null],
        children: [null],
        proposers: [null],
        workers: [null],
      } as never).failure(),
    ).toMatch(/^BAD_INPUT: /);
  },
);

/** Inputs in which a member that is called so would be spawned last, when others have worked. */
const late: readonly (readonly [Coordinator<never>, (id: string) => object])[] = [
  [debate, (id) => ({ proposers: [{ id: 'a' }], judge: { id } })],
  [election, (id) => ({ members: [{ id: 'a' }, { id }] })],
  [escalation, (id) => ({ levels: [{ id: 'a' }, { id }] })],
  [fanOut, (id) => ({ members: [{ id: 'a' }, { id }], concurrency: 1 })],
  [mapReduce, (id) => ({ members: [{ id: 'a' }, { id }], concurrency: 1, reduce: {} })],
  [pipeline, (id) => ({ steps: [{ id: 'a' }, { id }] })],
  [quorum, (id) => ({ members: [{ id: 'a' }, { id }], concurrency: 1 })],
  [saga, (id) => ({ steps: [{ id: 'a', compensate: {} }, { id }] })],
  [taskBoard, (id) => ({ workers: 1, tasks: [{ id: 'a' }, { id }] })],
];

// A saga that had failed at such a step would have undone nothing.
test.each(late.map(([machine, inputOf]) => [machine.id, machine, inputOf] as const))(
  '%s says before anybody works that a name is somebody else’s',
  (id, machine, inputOf) => {
    for (const name of [...othersNames, '\ud800']) {
      const group = simulate(machine, inputOf(name) as never);
      expect(group.failure()).toMatch(`BAD_INPUT: ${id}: expected an id without half characters, and other than`);
      expect(who(group, 'asked')).toEqual([]);
    }
    const outer = simulate(withMachines(pipeline, { inner: machine }), {
      steps: [{ id: 'outer', machine: 'inner', input: inputOf('process') as never }],
    });
    expect(outer.end).toBeUndefined();
    expect(who(outer, 'asked')).toEqual(['outer::a']);
  },
);

test('what is spawned for a step of several has the step in its name', () => {
  const group = simulate(pipeline, { steps: [{ id: 'process', members: [{ id: 'outside' }] }] });
  expect(who(group, 'asked')).toEqual(['process/outside']);
});
