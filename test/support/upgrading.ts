/** A run under an older version of its machine, and how it goes on under other code. */
import { expect } from 'vitest';
import { defineProcess, type Coordinator, type Migration, type Process, type RunResult } from 'troupe';
import { hold, ok } from 'troupe/harness';
import { passing, settle } from './hand-clock.ts';
import { driven, open, stage, type Stage } from './running.ts';
import { first, type CollectInput } from './versions.ts';

/** What it is given. */
export const input: CollectInput = { ids: ['a', 'b', 'c'] };

/** A process of one group of this machine. */
export function collecting(
  machine: Coordinator<CollectInput, unknown>,
  given: CollectInput = input,
): Process<never, unknown> {
  return defineProcess('collecting', async (ctx) => ctx.group('group', machine, given).output);
}

/** A run of the first version in which `a` has settled, `b` and `c` are under way, and a note was heard; its host is gone. */
export async function begun(version = first()): Promise<Stage> {
  const play = stage(collecting(version), { a: ok('A'), b: hold, c: hold });
  const { run } = await driven(play);
  await run.signal('group', { type: 'note', text: 'hm' } as { type: string }, { id: 'note' });
  await settle();
  await run.close();
  return play;
}

/** The same stage with other code. */
export const withCode = (play: Stage, process: Process<never, unknown>): Stage => ({ ...play, process });

/** Takes over from the first version's state. */
export const fromState: Migration = {
  from: first(),
  state: ({ value, context }) => {
    expect(value).toBe('collecting');
    const { ids, came } = context as { readonly ids: readonly string[]; readonly came: readonly string[] };
    const results = Object.fromEntries(came.map((one) => [one.toLowerCase(), one]));
    return { value: 'gathering', context: { ids, results, verdict: null, told: [] } };
  },
};
/** Takes over by the first version's inputs; it heard notes, which nobody does any more. */
export const fromEvents: Migration = {
  from: first(),
  events: ({ type, data }) => (type === 'signal' ? undefined : data),
};

/** How the second version ends. */
export const judged = (told: readonly unknown[]) => ({
  status: 'completed',
  output: { ids: ['a', 'b', 'c'], results: { a: 'A', b: 'B', c: 'C' }, verdict: 'fine', told },
});

/** Lets everybody settle, and answers the gate. */
export async function ended(play: Stage): Promise<RunResult> {
  const script = { a: ok('A'), b: ok('B'), c: ok('C'), judge: ok('fine') } as const;
  const staged = stage(play.process, script);
  const next: Stage = { ...play, harness: staged.harness };
  const run = await open(next);
  const end = run.drive();
  end.catch(() => {});
  await settle();
  await run.answer({ gate: 'ship', approved: true, note: '' }).catch(() => {});
  try {
    return await passing(play.clock, end);
  } finally {
    await passing(play.clock, run.close());
  }
}
