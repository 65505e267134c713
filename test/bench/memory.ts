/** What lives in memory: members of one group, and groups that wait, beside the same actors live in XState. */
import { createActor, type AnyActorRef } from 'xstate';
import { defaultBounds } from '../../src/group/bounds.ts';
import { define } from '../../src/group/definition.ts';
import { openHost } from '../../src/group/host.ts';
import { start } from '../../src/group/step.ts';
import { memoryStore } from '../../src/journal/memory.ts';
import { inTurns, rowOf, type Bench } from './measure/row.ts';
import { deskMachine } from './work/desk.ts';

/** A machine of its own each time: what is remembered of one counts every time. */
const newDefinition = () => define(deskMachine.provide({}));

/** Bytes that what `make` returns holds, each of `count`. */
async function bytesEach(count: number, make: () => unknown): Promise<number> {
  if (globalThis.gc === undefined) throw new Error('memory is measured with node --expose-gc');
  const settle = async () => {
    // The kernel keeps hold of its last turn until the next: a small one lets the large one go.
    start(newDefinition(), { seq: 1, at: 0, input: { members: 0 }, bounds: defaultBounds });
    for (let turn = 0; turn < 3; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      globalThis.gc?.();
    }
    return process.memoryUsage().heapUsed;
  };
  const before = await settle();
  const held = await make();
  const after = await settle();
  kept.push(held);
  kept.length = 0;
  return (after - before) / count;
}

/** Keeps what is measured alive until it is measured. */
const kept: unknown[] = [];

/** The bench. */
export const memory: Bench = async ({ smoke, row }) => {
  const rounds = smoke ? 1 : 3;
  for (const members of smoke ? [1_000] : [1_000, 10_000]) {
    const measured = await inTurns(rounds, {
      ours: () =>
        bytesEach(members, () => start(newDefinition(), { seq: 1, at: 0, input: { members }, bounds: defaultBounds })),
      live: () =>
        bytesEach(members, () => {
          const actor: AnyActorRef = createActor(deskMachine, { input: { members } });
          actor.start();
          return actor;
        }),
    });
    row(
      rowOf(
        {
          name: `memory of a live member, ${members.toLocaleString('en')} in one group`,
          unit: 'bytes',
          level: 'D0',
          rivalName: 'live XState',
        },
        measured.ours,
        measured.live,
      ),
    );
  }
  const groups = smoke ? 100 : 1_000;
  const open = async () => {
    const definition = newDefinition();
    const journal = await memoryStore().open('memory', { create: true });
    const lease = await journal.lease();
    const host = await openHost({ journal, lease, harnesses: {}, performs: false, applied: () => {} });
    for (let number = 1; number <= groups; number += 1) {
      await host.open({
        name: `group-${number}`,
        definition,
        input: { members: 0 },
        concurrency: 256,
        bounds: defaultBounds,
      });
    }
    return host;
  };
  const idle = await inTurns(rounds, {
    ours: () => bytesEach(groups, open),
    live: () =>
      bytesEach(groups, () =>
        Array.from({ length: groups }, () => createActor(deskMachine, { input: { members: 0 } }).start()),
      ),
  });
  row(
    rowOf(
      {
        name: 'memory of an idle group (no members)',
        unit: 'bytes',
        level: 'D0',
        rivalName: 'live XState root',
        note: `${groups} groups of one host; its part of the journal in memory (one entry) included`,
      },
      idle.ours,
      idle.live,
    ),
  );
};
