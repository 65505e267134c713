/** Unusual machines do the same live and folded, written and read again before every event. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { sideBySide } from './side-by-side.ts';
import { unusualCharts } from './unusual-charts.ts';
import { unusualChildren } from './unusual-children.ts';
import { unusualWords } from './unusual-words.ts';

const types = ['A', 'B', 'C', 'A.b'];

// XState's development build warns of wildcards inside descriptors.
let warn: { mockRestore(): void };
beforeAll(() => {
  warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
});
afterAll(() => warn.mockRestore());

test.each(Object.entries({ ...unusualCharts, ...unusualWords, ...unusualChildren }))('%s', (_name, make) => {
  for (const one of types)
    for (const two of types)
      for (const three of types) expect(sideBySide(make(), [one, two, three, 'A.b.c', 'A'], 5)).toHaveLength(6);
});
