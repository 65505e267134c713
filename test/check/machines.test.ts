/**
 * Every machine of the library is proven for at least three members, one crash of the host and one duplicate: its properties (see
 * `models/library.ts`), and what is checked by default: no deadlock, an end that can always be reached, nothing unheard, no stale timer,
 * the same steps in every replay. A count that changes says that the machine, or the world around it, now does something else.
 */
import { expect, test } from 'vitest';
import { check } from 'troupe/check';
import { isMachine } from '../../src/group/kind.ts';
import * as machines from '../../machines/index.ts';
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

test('no machine is left out', () => {
  const known = new Set(library.map(([, model]) => model.options.coordinator));
  const all = Object.entries(machines).filter(([, value]) => isMachine(value));
  expect(all.length).toBeGreaterThan(10);
  expect(all.filter(([, machine]) => !known.has(machine as never)).map(([name]) => name)).toEqual([]);
});
