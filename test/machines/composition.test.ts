import { describe, expect, test } from 'vitest';
import { setup } from 'xstate';
import { coordinator, member } from '../../src/index.ts';
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
  withMachines,
} from '../../machines/index.ts';
import { fail, ok } from '../../src/harness/index.ts';
import { runGroup } from './run-group.ts';
import { asked, drive, simulate, who } from './simulate.ts';

const quorumOfRaces = withMachines(quorum, { race });
const composed = withMachines(pipeline, { quorum: quorumOfRaces });

/** A step that is a quorum of two of three, each a race of two. */
function step(id: string) {
  const voter = (name: string) => ({ id: name, machine: 'race', input: { members: [{ id: 'fast' }, { id: 'slow' }] } });
  return { id, machine: 'quorum', input: { members: ['x', 'y', 'z'].map(voter), atLeast: 2, field: 'output' } };
}
const input = { steps: [step('plan'), step('build')], previous: 'idea' };

describe('machines compose', () => {
  test('a pipeline of quorums of races: each level ends by its own rule, and what is not needed is cancelled all the way down', () => {
    const group = simulate(composed, input);
    expect(group.open()).toEqual(['x', 'y', 'z'].flatMap((voter) => [`plan::${voter}::fast`, `plan::${voter}::slow`]));
    group.settle('plan::x::fast', 'A');
    expect(who(group, 'cancelled')).toEqual(['plan::x::slow']);
    group.settle('plan::z::slow', 'A');
    expect(who(group, 'cancelled')).toEqual(['plan::x::slow', 'plan::z::fast', 'plan::y::fast', 'plan::y::slow']);
    expect(group.open()).toEqual(
      ['x', 'y', 'z'].flatMap((voter) => [`build::${voter}::fast`, `build::${voter}::slow`]),
    );
    group.restart();
    group.break('build::y::fast');
    group.settle('build::y::slow', 'B');
    group.settle('build::x::fast', 'C');
    group.settle('build::z::slow', 'B');
    expect(group.output()).toMatchObject({
      output: { value: 'B', agreed: ['y', 'z'] },
      steps: [{ id: 'plan' }, { id: 'build' }],
    });
  });

  test('a machine that nobody added is told with how to add it', async () => {
    const steps = [{ id: 'plan', machine: 'quorun', input: {} }];
    const { result } = await runGroup(withMachines(pipeline, { quorum }), { steps }, { script: {} });
    expect(JSON.stringify(result)).toContain(
      'BAD_INPUT: member `plan`: there is no machine `quorun` in this one; add it with withMachines(machine, { quorun }).',
    );
  });

  test('what came before is handed down to the members of nested machines', () => {
    const group = simulate(composed, input);
    expect(asked(group, 'plan::x::fast').input).toEqual({ previous: 'idea' });
    group.settle('plan::x::fast', 'A');
    group.settle('plan::y::fast', 'A');
    expect(asked(group, 'build::x::slow').input).toMatchObject({ previous: { value: 'A', agreed: ['x', 'y'] } });
  });

  test.each([
    ['debate', { proposers: [{ id: 'm' }], judge: { id: 'j' } }],
    ['election', { members: [{ id: 'm' }] }],
    ['escalation', { levels: [{ id: 'm' }] }],
    ['mapReduce', { members: [{ id: 'm' }], reduce: {} }],
    ['pipeline', { steps: [{ id: 'm' }] }],
    ['quorum', { members: [{ id: 'm' }] }],
    ['race', { members: [{ id: 'm' }] }],
    ['saga', { steps: [{ id: 'm' }] }],
    ['supervisor', { children: [{ id: 'm' }] }],
    ['taskBoard', { tasks: [{ id: 'm' }], workers: 1 }],
  ] as const)('a step that is a %s hands on what came before', (machine, own) => {
    const steps = [{ id: 'first' }, { id: 's', machine, input: own }];
    const group = simulate(
      withMachines(pipeline, {
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
      }),
      { steps },
    );
    group.settle('first', 'plan');
    expect(asked(group, 's::m').input).toMatchObject({ previous: 'plan' });
  });

  test('a failure goes up as far as nobody has a use for it', () => {
    const group = simulate(composed, input);
    for (const voter of ['x', 'y']) for (const id of ['fast', 'slow']) group.break(`plan::${voter}::${id}`);
    expect(group.failure()).toContain('member `plan` failed: no quorum is possible any more');
    expect(who(group, 'cancelled')).toEqual(['plan::z::fast', 'plan::z::slow']);
  });

  test('a nested machine whose input is wrong is a member that failed', () => {
    const group = simulate(withMachines(pipeline, { race }), {
      steps: [{ id: 'a', machine: 'race', input: { members: [] } }],
    });
    expect(group.failure()).toContain('member `a` failed: BAD_INPUT: race: expected `members` to hold at least 1');
  });

  test('a machine that is not registered is an error that names it', () => {
    expect(simulate(pipeline, { steps: [{ id: 'a', machine: 'race' }] }).failure()).toContain('race');
  });

  test('supervised, escalated, on a board: any member of any machine can be a machine', () => {
    const supervised = simulate(withMachines(supervisor, { race }), {
      children: [{ id: 's', machine: 'race', input: { members: [{ id: 'm' }] }, restart: 'transient' }],
    });
    supervised.break('s::m');
    supervised.settle('s::m', 1);
    expect(supervised.output().children).toMatchObject([{ restarts: 1, output: { winner: 'm' } }]);

    const escalated = simulate(withMachines(escalation, { race }), {
      levels: [{ id: 'l', machine: 'race', input: { members: [{ id: 'm' }] } }],
    });
    escalated.settle('l::m', 1);
    expect(escalated.output()).toMatchObject({ level: 'l', output: { winner: 'm' } });

    const board = simulate(withMachines(taskBoard, { race }), {
      workers: [{ id: 'w', harness: 'h' }],
      tasks: [{ id: 't', machine: 'race', input: { members: [{ id: 'm' }] } }],
    });
    board.settle('t::m', 1);
    expect(board.output()).toMatchObject({ done: 1 });

    const fanned = simulate(withMachines(fanOut, { race }), {
      members: [{ id: 'f', machine: 'race', input: { members: [{ id: 'm' }] } }, { id: 'plain' }],
    });
    fanned.settle('f::m', 1);
    fanned.settle('plain', 2);
    expect(fanned.output().results).toMatchObject([{ output: { winner: 'm' } }, { output: 2 }]);
  });

  test('in a machine of your own they are actors like any others', () => {
    const own = coordinator(
      setup({ actors: { member, race, quorum } }).createMachine({
        id: 'own',
        initial: 'racing',
        states: {
          racing: {
            invoke: {
              src: 'race',
              id: 'race',
              input: { members: [{ id: 'a' }, { id: 'b' }] },
              onDone: 'voting',
              onError: 'voting',
            },
          },
          voting: { invoke: { src: 'quorum', id: 'quorum', input: { members: [{ id: 'a' }] }, onDone: 'done' } },
          done: { type: 'final' },
        },
      }),
    );
    const group = simulate(own, undefined as never);
    group.settle('race::b', 1);
    group.settle('quorum::a', 1);
    expect(group.end?.status).toBe('completed');
  });

  test('in a run whose host dies between two steps’ members: nothing that settled is run again', async () => {
    const run = await runGroup(composed, input, {
      script: { '*': ({ member: address }) => (address.endsWith('::slow') ? fail() : ok('A')) },
      heldAtFirst: ['build::y::fast', 'build::z::fast'],
    });
    expect(run.output()).toMatchObject({ output: { value: 'A' } });
    expect(run.performed.filter((id) => id === 'build::x::fast')).toHaveLength(1);
  });

  test('in any order it ends, and nothing is left running', () => {
    for (let seed = 0; seed < 30; seed += 1) {
      const choices = Array.from({ length: 11 }, (_, index) => (seed * 7_919 + index * 104_729) % 997);
      const group = simulate(composed, input);
      drive(group, {
        choices,
        stepsMax: 24,
        outcome: ({ address }, choice) => (choice % 5 === 0 ? fail() : ok(address.endsWith('fast') ? 'A' : 'B')),
      });
      expect(group.wants()).toEqual([]);
    }
  });
});
