/** The library under plain XState: live actors, no kernel and no host, come to the same as a group does. */
import fc from 'fast-check';
import { createActor, type AnyActorRef } from 'xstate';
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
  withMachines,
} from '../../machines/index.ts';
import type { Coordinator, Outcome } from '../../src/index.ts';
import { toPlainError } from '../../src/group/plain-error.ts';
import { fail, ok } from '../../src/harness/index.ts';
import { drive, simulate } from './simulate.ts';

const members = ['a', 'b', 'c', 'd'].map((id) => ({ id }));
const nested = { id: 'n', machine: 'race', input: { members } };

const cases: readonly (readonly [Coordinator<never>, unknown])[] = [
  [debate, { proposers: members.slice(0, 2), critics: [{ id: 'c' }], judge: { id: 'j' } }],
  [election, { members, termsMax: 6 }],
  [escalation, { levels: members, judge: { id: 'j' } }],
  [fanOut, { members, concurrency: 2, checkpointEvery: 1 }],
  [mapReduce, { members, reduce: {}, reduceEvery: 2, concurrency: 3 }],
  [withMachines(pipeline, { race }), { steps: [{ id: 's', members }, { id: 't', policy: 'best-effort' }, nested] }],
  [withMachines(quorum, { race }), { members: [...members, nested], atLeast: 2, field: 'vote' }],
  [race, { members }],
  [saga, { steps: members.map((one) => ({ ...one, compensate: {} })), compensationAttempts: 1 }],
  [supervisor, { children: members.map((one) => ({ ...one, restart: 'transient' })), strategy: 'rest-for-one' }],
  [taskBoard, { tasks: [{ id: 'a' }, { id: 'b', after: ['a'] }, { id: 'c' }], workers: 2, attempts: 2 }],
];

function childOf(root: AnyActorRef, address: string): AnyActorRef {
  return address.split('::').reduce((ref, id) => {
    const { children } = ref.getSnapshot() as { readonly children: Readonly<Record<string, AnyActorRef | undefined>> };
    const child = children[id];
    if (child === undefined) throw new Error(`the live actor has no child \`${id}\``);
    return child;
  }, root);
}

/** A nested machine's error is an Error object among live actors; the kernel makes data of it. */
function plain(value: unknown): unknown {
  if (value instanceof Error) return plain(toPlainError(value));
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]));
}

test.each(cases.map(([machine, input]) => [machine.id, machine, input] as const))(
  '%s ends alike as live XState actors',
  (_id, machine, input) => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 1, maxLength: 9 }), fc.func(fc.nat(3)), (choices, luck) => {
        const group = simulate(machine, input as never);
        const settlements: { readonly address: string; readonly outcome: Outcome }[] = [];
        drive(group, {
          choices,
          stepsMax: 60,
          isTimed: false,
          outcome: ({ address, incarnation }) => {
            const number = luck(address, incarnation);
            const outcome =
              number === 0
                ? fail('failed', { name: 'Error', message: 'bad luck' })
                : ok({ accept: number === 3, vote: number });
            settlements.push({ address, outcome });
            return outcome;
          },
        });
        const live = createActor(machine, { input: input as never });
        live.subscribe({ error: () => {} });
        live.start();
        for (const { address, outcome } of settlements)
          childOf(live, address).send({ type: 'troupe.settled', outcome });
        const { status, output, error } = live.getSnapshot() as {
          readonly status: string;
          readonly output: unknown;
          readonly error: unknown;
        };
        if (group.end?.status === 'completed')
          expect({ status, output: plain(output) }).toEqual({ status: 'done', output: group.output() });
        else
          expect({ status, message: (error as Error).message }).toEqual({ status: 'error', message: group.failure() });
        live.stop();
      }),
      { numRuns: 30 },
    );
  },
);
