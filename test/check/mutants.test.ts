/**
 * Bugs that coordinators really have, seeded one by one: each is found, by the property named, in the fewest steps there are; and without
 * it the same protocol is verified. A search that no longer finds one, or finds it later, is a search that was broken.
 */
import { expect, test } from 'vitest';
import { check } from 'troupe/check';
import { collectorMutants } from './mutants/collectors.ts';
import { keyMutants } from './mutants/keys.ts';
import { sequenceMutants } from './mutants/sequences.ts';
import { timeMutants } from './mutants/time.ts';
import { waitMutants } from './mutants/waits.ts';

const mutants = [...collectorMutants, ...sequenceMutants, ...keyMutants, ...timeMutants, ...waitMutants];

const all = mutants.map((one) => [one.name, one.foundBy, one.steps, one] as const);

test.each(all)('%s: found by %s in %i steps', async (_name, foundBy, steps, { mutant, sound }) => {
  const { verdict, violations } = await check(mutant);
  expect(verdict).toBe('violated');
  expect(violations.map(({ property }) => property)).toEqual([foundBy]);
  // The first step is the beginning.
  expect((violations[0]?.trace?.steps.length ?? 0) - 1).toBe(steps);
  expect(await check(sound)).toMatchObject({ violations: [], verdict: 'verified', complete: true });
});

test('no bug is seeded twice', () => {
  expect(mutants.length).toBeGreaterThanOrEqual(35);
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
});
