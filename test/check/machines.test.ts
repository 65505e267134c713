/**
 * Every machine of the library is proven for at least three members, one crash of the host and one duplicate: its properties (see
 * `models/library.ts`), and what is checked by default: no deadlock, an end that can always be reached, nothing unheard, no stale timer,
 * the same steps in every replay. A count that changes says that the machine, or the world around it, now does something else.
 */
import { expect, test } from 'vitest';
import type { Coordinator } from 'troupe';
import { check, fail, ok, outcomes, protocol } from 'troupe/check';
import { mapReduce, pipeline, quorum, race } from 'troupe/machines';
import { isMachine } from '../../src/group/kind.ts';
import * as machines from '../../machines/index.ts';
import { explore } from '../machines/explore.ts';
import { library } from './models/library.ts';

/** States in which no machine rests: they decide, and are left at once. */
const neverRestedIn: Readonly<Record<string, readonly string[]>> = { escalation: ['escalation.choosing'] };

test.each(library)('%s holds in each of its states', async (name, model, distinct, generated, depth) => {
  const result = await check(model);
  expect(result).toMatchObject({ violations: [], verdict: 'verified', complete: true, distinct, generated, depth });
  expect(result.bounds).toContain('crash 1, dup 1');
  const unvisited = Object.values(result.stats.coverage).flatMap((one) => one.unvisited);
  expect(unvisited).toEqual(neverRestedIn[name] ?? []);
});

const bad = fail('failed', { name: 'Error', message: 'bad' });
const members = ['a', 'b', 'c'].map((id) => ({ id }));

test.each([
  ['race', race, { members, timeoutMs: 1 }, [ok('fine'), bad]],
  ['quorum', quorum, { members, atLeast: 2 }, [ok('x'), ok('y'), bad]],
  ['map-reduce', mapReduce, { members, reduce: {}, reduceEvery: 2, concurrency: 2 }, [ok('fine'), bad]],
  [
    'pipeline',
    pipeline,
    { steps: [{ id: 's', members: members.slice(0, 2), policy: 'best-effort' }, { id: 'c' }] },
    [ok('fine'), bad],
  ],
] as const)(
  '%s: its coordinator comes to the states that a search without a world finds',
  async (_name, machine, input, ways) => {
    const coordinator = machine as Coordinator<unknown, unknown>;
    const found = explore(coordinator, input as never, { outcomes: () => ways });
    const result = await check(
      protocol({
        coordinator,
        input,
        members: { '*': outcomes(...ways) },
        faults: { hostCrash: 1, duplicate: 1, late: 1 },
      }),
    );
    expect(result.verdict).toBe('verified');
    expect(result.stats.figures).toMatchObject({ locals: found.states });
  },
);

test('no machine is left out', () => {
  const known = new Set(library.map(([, model]) => model.options.coordinator));
  const all = Object.entries(machines).filter(([, value]) => isMachine(value));
  expect(all.length).toBeGreaterThan(10);
  expect(all.filter(([, machine]) => !known.has(machine as never)).map(([name]) => name)).toEqual([]);
});
