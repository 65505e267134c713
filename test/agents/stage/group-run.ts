/** A group of agents in a real run: file journal, real programs, in the stage's folder. */
import { fanOut, type FanOutMember, type FanOutOutput } from '../../../machines/fan-out.ts';
import { defineProcess, openRun, verifyRun, type Harnesses, type Run } from '../../../src/index.ts';
import { fileStore } from '../../../src/journal/index.ts';
import { textOf } from '../model/question.ts';
import { dataOf, followRun, type FollowedRun } from './follow-run.ts';
import type { Stage } from './stage.ts';

const runName = 'run';

/** A group that is under way. */
export interface GroupRun extends FollowedRun {
  readonly run: Run;
  /** What the coordinator came to. Rejects when the run did not complete. */
  readonly output: Promise<FanOutOutput>;
}

const process = defineProcess(
  'agents',
  (ctx, input: { readonly members: readonly FanOutMember[] }) =>
    ctx.group('group', fanOut, { members: input.members }).output,
);

/** Starts the group `group` of these members; whoever starts it awaits its output, or cancels it. */
export async function startGroup(
  stage: Stage,
  { members, harnesses }: { readonly members: readonly FanOutMember[]; readonly harnesses: Harnesses },
): Promise<GroupRun> {
  const store = fileStore({ dir: dataOf(stage) });
  const run = await openRun({ store, process, run: runName, input: { members }, harnesses, cwd: stage.work });
  const output = run.drive().then(async (result) => {
    await run.close();
    // Whatever a test is about: the journal it leaves proves itself.
    await verifyRun({ store, run: runName, process });
    if (result.status === 'completed') return result.output as unknown as FanOutOutput;
    throw new Error(`the run has ${result.status}: ${JSON.stringify(result)}`);
  });
  output.catch(() => {});
  return { run, output, ...followRun(stage, runName) };
}

/** The only member's output. Throws with its error when it failed. */
export function onlyOutput({ results, failed }: FanOutOutput): string {
  if (failed[0] !== undefined) throw new Error(`${failed[0].id}: ${JSON.stringify(failed[0].error)}`);
  return textOf(results[0]?.output);
}
