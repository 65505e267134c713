/** A pass under the guard, when what was recorded of an effect cannot be read. */
import { expect, test } from 'vitest';
import { guardedPass, type GuardedContext } from '../../src/babysitter/guard.ts';
import { TroupeError } from '../../src/error.ts';

const damaged = new TroupeError('JOURNAL_CORRUPT', 'task.json: expected JSON.');
const ctx: GuardedContext = { task: async () => 'done', parallel: { all: async () => [] } };

/** What a pass of one effect that has its result is refused with. */
function refusedWith(recorded: () => never): Promise<TroupeError> {
  return new Promise((resolve, reject) => {
    const body = (guarded: GuardedContext) => guarded.task({ id: 'say' }, { word: 'one' });
    guardedPass(body, ctx, { refuse: resolve, recorded }).then(
      () => reject(new Error('the pass ended')),
      () => reject(new Error('the pass failed, and the run with it')),
    );
  });
}

test('is refused: thrown into the process it would end the run for good', async () => {
  const thrown = () => {
    throw damaged;
  };
  expect(await refusedWith(thrown)).toBe(damaged);
});
