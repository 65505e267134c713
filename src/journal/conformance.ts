/**
 * What every journal promises, as a suite that any adapter's author can run (under vitest or anything with the same three functions):
 *
 *     import { describe, expect, it } from 'vitest';
 *     journalConformance({ name: 'mine', open: async () => ({ store, dispose }) }, { describe, it, expect });
 */
import { appending, runs } from './conformance-appending.ts';
import { holding, reading, snapshots } from './conformance-holding.ts';
import type { ConformanceAdapter, ConformanceKit, TestApi } from './conformance-kit.ts';

export type { ConformanceAdapter, ConformancePlace, TestApi } from './conformance-kit.ts';

/** Declares the suite. */
export function journalConformance(adapter: ConformanceAdapter, { describe, it, expect }: TestApi): void {
  const kit: ConformanceKit = {
    expect,
    promise: (name, body) =>
      void it(name, async () => {
        const place = await adapter.open();
        try {
          await body(place);
        } finally {
          await place.dispose?.();
        }
      }),
  };
  describe(`journal conformance: ${adapter.name}`, () => {
    describe('runs', () => runs(kit));
    describe('appending', () => appending(kit));
    describe('the lease', () => holding(kit));
    describe('reading', () => reading(kit));
    describe('snapshots', () => snapshots(kit));
  });
}
