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
} from '../../machines/index.ts';
import type { Coordinator } from '../../src/index.ts';
import { simulate } from './simulate.ts';

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
