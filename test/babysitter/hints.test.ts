/**
 * Scheduler hints that newer versions of babysitter's SDK give, and the one on npm does not: the SDK is played here, by a function that
 * tells what a run waits for; everything else is real.
 */
import { describe, expect, test } from 'vitest';
import { openRunFolder } from 'troupe/babysitter';
import { fn } from 'troupe/harness';
import { babysit } from '../../src/babysitter/babysit.ts';
import type { Action, Iterated } from '../../src/babysitter/run/load-sdk.ts';
import { shareHarnesses } from '../../src/babysitter/share-harnesses.ts';
import { systemClock } from '../../src/clock.ts';
import { newRunDir, temporary } from './place.ts';

type Hints = NonNullable<Action['schedulerHints']>;

/** Drives a run that waits for these effects at once; `most` is how many were performed at the same time. */
async function driven(tasks: readonly { readonly hints?: Hints; readonly taskDef?: object }[], concurrency?: number) {
  const runDir = await newRunDir(temporary());
  const folder = openRunFolder(runDir);
  const actions = tasks.map(({ hints, taskDef }, index): Action => {
    const about = {
      effectId: `effect-${index}`,
      invocationKey: `key-${index}`,
      kind: 'agent',
      taskId: `task-${index}`,
    };
    const section = { agent: { prompt: `task ${index}` }, ...taskDef };
    return { ...about, taskDef: section, ...(hints === undefined ? {} : { schedulerHints: hints }) };
  });
  await folder.append(
    actions.map(({ effectId, invocationKey, kind, taskId = '' }) => ({
      type: 'EFFECT_REQUESTED',
      data: { effectId, invocationKey, kind, taskId, stepId: 'S1', taskDefRef: 'x' },
    })),
  );
  let running = 0;
  let most = 0;
  const performed: string[] = [];
  const performer = (name: string) =>
    fn(
      async ({ prompt = '' }, { signal }) => {
        running += 1;
        most = Math.max(most, running);
        performed.push(`${name}: ${prompt}`);
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, prompt === 'never' ? 30_000 : 30);
          const onAbort = () => {
            clearTimeout(timer);
            resolve();
          };
          signal.addEventListener('abort', onAbort, { once: true });
        });
        running -= 1;
        return signal.aborted ? undefined : prompt;
      },
      concurrency === undefined ? {} : { concurrency },
    );
  const { harnesses, close } = shareHarnesses({ claude: performer('claude'), other: performer('other') });
  const orchestrateIteration = (): Promise<Iterated> => {
    const { effects } = folder.index();
    const nextActions = actions.filter(({ effectId }) => effects.get(effectId)?.status === 'pending');
    return Promise.resolve(
      nextActions.length > 0 ? { status: 'waiting', nextActions } : { status: 'completed', output: null },
    );
  };
  const end = await babysit({
    folder,
    sdk: { sdk: { orchestrateIteration }, version: '6.0.0', folder: '' },
    body: () => null,
    harnesses,
    rules: { defaultHarness: 'other' },
    settings: {},
    clock: systemClock,
    signal: AbortSignal.timeout(20_000),
  });
  await close();
  return { end, most, performed, results: [...folder.index().effects.values()].map(({ status }) => status) };
}

describe('scheduler hints', () => {
  test('no more of one parallel.all at once than it says; all of them without a bound', async () => {
    const bounded = { parallelGroupId: 'p', maxConcurrency: 2 };
    expect(await driven(Array.from({ length: 6 }, () => ({ hints: bounded })))).toMatchObject({
      end: { status: 'completed' },
      most: 2,
    });
    expect((await driven(Array.from({ length: 6 }, () => ({ hints: { parallelGroupId: 'p' } })))).most).toBe(6);
  });

  test('what is in the background waits for nobody', async () => {
    const hints = { parallelGroupId: 'p', maxConcurrency: 1, background: true };
    expect((await driven(Array.from({ length: 3 }, () => ({ hints })))).most).toBe(3);
  });

  test('a harness takes no more than it says, over all hosts of the process', async () => {
    expect(
      (
        await driven(
          Array.from({ length: 4 }, () => ({})),
          1,
        )
      ).most,
    ).toBe(1);
  });

  test('the preferred harness first, by its name or babysitter’s; then the task’s own; then the default', async () => {
    const { performed } = await driven([
      { hints: { preferredHarness: 'claude-code' }, taskDef: { execution: { harness: 'other' } } },
      { taskDef: { execution: { harness: 'claude' } } },
      { taskDef: { execution: { harness: 'nobody' } } },
      {},
    ]);
    expect(performed.toSorted()).toEqual(['claude: task 0', 'claude: task 1', 'other: task 2', 'other: task 3']);
  });

  test('an effect that takes longer than its timeoutMs fails, and its siblings do not', async () => {
    const { end, results } = await driven([{ hints: { timeoutMs: 50 }, taskDef: { agent: { prompt: 'never' } } }, {}]);
    expect(end).toEqual({ status: 'completed', output: null });
    expect(results).toEqual(['error', 'ok']);
  });
});
