/** A host that closes closes its harnesses. */
import { describe, expect, test } from 'vitest';
import { ok } from 'troupe/harness';
import { calling, finished, stage } from '../support/running.ts';

describe('a host that closes', () => {
  test('closes each harness once', async () => {
    let closed = 0;
    const still = stage(
      calling({ until: 0 }),
      {},
      { harnesses: { scripted: { perform: async () => ok(), close: async () => void (closed += 1) } } },
    );
    await finished(still);
    expect(closed).toBe(1);
  });

  test('waits for a harness that never closes, or cannot, no longer than for one that does not end; the run is free then', async () => {
    const harness = (close: () => Promise<void>) => ({ perform: async () => ok(), close });
    const broken = () => {
      throw new Error('a bug');
    };
    const still = stage(
      calling({ until: 0 }),
      {},
      {
        harnesses: {
          scripted: harness(() => new Promise(() => {})),
          throws: harness(broken),
          rejects: harness(async () => broken()),
        },
      },
    );
    const startedAt = still.clock.now();
    await finished(still);
    expect(still.clock.now() - startedAt).toBe(30_000);
    await (await still.store.open('run')).lease();
  });
});
