/** An agent that tries a model call again by itself: progress, but not without end. */
import { beforeAll, expect, test } from 'vitest';
import { finished } from '../../support/running.ts';
import { outcomeOf, playing, recorded } from './playing.ts';

// Loading takes real time, of which a hand clock knows nothing.
beforeAll(() => import('../../../src/harness/agent/perform.ts'));

test('who tells of nothing but tries fails as what it waits for does; who was answered between them goes on', async () => {
  const message = 'Connection failed: error sending request';
  const play = playing(
    async ({ emit, turn, signal }) => {
      for (let tries = 0; tries < 40 && !signal.aborted; tries += 1) {
        emit({ type: 'retry', attempt: 1, class: 'overloaded', message });
        if (turn === 2 && tries === 20) emit({ type: 'text', text: 'Half of it.', isDelta: false });
        await new Promise<void>((resolve) => play.clock.wakeAt(play.clock.now() + 25_000, resolve));
      }
      return 'Done.';
    },
    { invocations: [{ retry: { attempts: 2 } }] },
  );
  await finished(play);
  expect(await recorded(play, 'attempt.failed')).toMatchObject([
    { class: 'overloaded', error: { message: `fake has tried again for 600000 ms in vain: ${message}` } },
  ]);
  expect(await outcomeOf(play)).toMatchObject({ output: 'Done.' });
});
