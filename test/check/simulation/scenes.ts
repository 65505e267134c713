/** The library's machines as whole runs to be simulated, and what must hold of each when it has ended. */
import assert from 'node:assert/strict';
import { defineProcess, isTroupeError, type Coordinator, type GroupEvents, type JsonValue, type Process } from 'troupe';
import { fail, ok } from 'troupe/check';
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
} from 'troupe/machines';
import type { Simulated, SimulateOptions } from 'troupe/check';

/** A scene. */
export interface Scene {
  readonly options: Omit<SimulateOptions, 'seed'>;
  /** Throws when what this machine promises does not hold. */
  holds(played: Simulated): void;
}

const ids = ['a', 'b', 'c', 'd'];
const members = ids.map((id) => ({ id, retry: { attempts: 2, minMs: 100 } }));

/** A process of one group, whose failure is its output. */
const alone = (name: string, machine: Coordinator<never, unknown>, input: unknown): Process<never, unknown> =>
  defineProcess(name, async (ctx) => {
    try {
      return (await ctx.group('group', machine as Coordinator<unknown, unknown>, input).output) as JsonValue;
    } catch (error) {
      if (isTroupeError(error)) throw error;
      return String(error);
    }
  }) as Process<never, unknown>;

/** Members that came to a good end, by the journal. */
function succeeded({ entries }: Simulated): readonly string[] {
  return entries.flatMap(({ type, data }) => {
    if (type !== 'member.settled') return [];
    const { member, outcome } = data as unknown as GroupEvents['member.settled'];
    return outcome.status === 'ok' ? [member] : [];
  });
}

const outputOf = <Output>(played: Simulated): Output | undefined =>
  played.status === 'completed' ? (played.output as unknown as Output) : undefined;

const ended = ({ status, entries }: Simulated) => {
  assert.notEqual(status, 'waiting', `it waits at entry ${entries.length}`);
};

/** The library. */
export const scenes: Readonly<Record<string, Scene>> = {
  'fan-out': {
    options: { process: alone('fan-out', fanOut, { members, concurrency: 2, checkpointEvery: 2 }) },
    holds(played) {
      ended(played);
      const output = outputOf<{ results: { id: string }[]; failed: unknown[]; settled: number }>(played);
      assert.ok(output !== undefined, 'a fan-out that collects failures completes');
      assert.equal(output.settled, 4);
      assert.deepEqual(output.results.map(({ id }) => id).sort(), [...succeeded(played)].sort());
    },
  },
  'race': {
    options: { process: alone('race', race, { members, timeoutMs: 30_000 }) },
    holds(played) {
      ended(played);
      const output = outputOf<{ winner: string }>(played);
      if (output !== undefined)
        assert.deepEqual(succeeded(played).slice(0, 1), [output.winner], 'the first to succeed wins');
    },
  },
  'quorum': {
    options: { process: alone('quorum', quorum, { members, atLeast: 2, by: 'success' }) },
    holds(played) {
      ended(played);
      const output = outputOf<{ agreed: string[] }>(played);
      if (output !== undefined)
        assert.ok(output.agreed.length >= 2 && output.agreed.every((id) => succeeded(played).includes(id)));
    },
  },
  'map-reduce': {
    options: { process: alone('map-reduce', mapReduce, { members, reduce: {}, reduceEvery: 2, concurrency: 2 }) },
    holds(played) {
      ended(played);
      const output = outputOf<{ mapped: number; failed: unknown[] }>(played);
      if (output !== undefined) assert.equal(output.mapped + output.failed.length, 4);
    },
  },
  'pipeline': {
    options: {
      process: alone('pipeline', pipeline, {
        steps: [{ id: 's', members: members.slice(0, 2), policy: 'best-effort' }, { id: 'c' }],
      }),
    },
    holds: ended,
  },
  'debate': {
    options: {
      process: alone('debate', debate, {
        proposers: [{ id: 'a' }, { id: 'd' }],
        critics: [{ id: 'b' }],
        judge: { id: 'c' },
        rounds: 3,
      }),
      outcome: ({ member }, random) =>
        random.below(8) === 0 ? fail('crashed') : ok(member.endsWith('c') ? random.below(2) === 0 : 'a proposal'),
    },
    holds(played) {
      ended(played);
      const output = outputOf<{ rounds: number }>(played);
      if (output !== undefined) assert.ok(output.rounds <= 3);
    },
  },
  'election': {
    options: { process: alone('election', election, { members, termsMax: 4, leaseMs: 5_000 }) },
    holds: ended,
  },
  'escalation': {
    options: {
      process: alone('escalation', escalation, {
        levels: [{ id: 'a', withinMs: 3_000 }, { id: 'b' }, { id: 'g', gate: { question: 'Ship it?' } }],
      }),
    },
    holds: ended,
  },
  'saga': {
    options: {
      process: alone('saga', saga, {
        steps: members.map((one) => ({ ...one, compensate: {} })),
        compensationAttempts: 3,
      }),
    },
    holds(played) {
      ended(played);
      const output = outputOf<{
        completed: boolean;
        results: { id: string }[];
        compensated: string[];
        uncompensated: { id: string }[];
      }>(played);
      if (output === undefined || output.completed) return;
      for (const { id } of output.results)
        assert.ok(
          output.compensated.includes(id) || output.uncompensated.some((one) => one.id === id),
          `step ${id} is neither undone nor told`,
        );
      assert.equal(new Set(output.compensated).size, output.compensated.length, 'nothing is undone twice');
    },
  },
  'supervisor': {
    options: {
      process: alone('supervisor', supervisor, {
        children: members.map(({ id }) => ({ id, restart: 'transient' })),
        strategy: 'one-for-all',
        intensity: { restarts: 3, withinMs: 60_000 },
      }),
    },
    holds: ended,
  },
  'task-board': {
    options: {
      process: alone('task-board', taskBoard, {
        tasks: [{ id: 't1' }, { id: 't2', after: ['t1'] }, { id: 't3' }, { id: 't4', after: ['t2', 't3'] }],
        workers: 2,
        leaseMs: 20_000,
        attempts: 2,
      }),
    },
    holds: ended,
  },
};
