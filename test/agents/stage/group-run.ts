/** A group of agents in a real run: file journal, real programs, in the stage's folder. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fanOut, type FanOutMember, type FanOutOutput } from '../../../machines/fan-out.ts';
import { defineProcess, openRun, verifyRun, type Entry, type Harnesses, type Run } from '../../../src/index.ts';
import { fileStore } from '../../../src/journal/index.ts';
import { objectOf, textOf, type JsonObject } from '../model/question.ts';
import type { Stage } from './stage.ts';

/** The one run and group of a stage. */
export const runName = 'run';
const groupName = 'group';

/** A group that is under way. */
export interface GroupRun {
  readonly run: Run;
  /** What the coordinator came to. Rejects when the run did not complete. */
  readonly output: Promise<FanOutOutput>;
  /** Data of the entries of this type so far, oldest first. */
  entries(type: string): Promise<readonly JsonObject[]>;
  /** Waits for the first entry of this type that fits, 30 s at most. */
  until(type: string, fits?: (data: JsonObject) => boolean): Promise<JsonObject>;
}

/** Where the stage's runs are kept. */
export const dataOf = (stage: Stage) => join(stage.folder, 'data');

/** All entries of the stage's run, in journal order. */
export async function entriesOf(stage: Stage): Promise<readonly Entry[]> {
  const journal = await fileStore({ dir: dataOf(stage) }).open(runName);
  try {
    const entries: Entry[] = [];
    for await (const batch of journal.read()) entries.push(...batch);
    return entries;
  } finally {
    await journal.close();
  }
}

const process = defineProcess(
  'agents',
  (ctx, input: { readonly members: readonly FanOutMember[] }) =>
    ctx.group(groupName, fanOut, { members: input.members }).output,
);

/** Starts a group of these members; whoever starts it awaits its output, or cancels and closes it. */
export async function startGroup(
  stage: Stage,
  { members, harnesses }: { readonly members: readonly FanOutMember[]; readonly harnesses: Harnesses },
): Promise<GroupRun> {
  const store = fileStore({ dir: dataOf(stage) });
  const run = await openRun({ store, process, run: runName, input: { members }, harnesses, cwd: stage.work });
  const driven = run.drive();
  const output = driven.then(async (result) => {
    await run.close();
    // Whatever a test is about: the journal it leaves proves itself.
    await verifyRun({ store, run: runName, process });
    if (result.status === 'completed') return result.output as unknown as FanOutOutput;
    throw new Error(`the run has ${result.status}: ${JSON.stringify(result)}`);
  });
  output.catch(() => {});
  const entries: GroupRun['entries'] = async (type) =>
    (await entriesOf(stage)).flatMap((entry) => (entry.type === type ? [objectOf(entry.data)] : []));
  return {
    run,
    output,
    entries,
    async until(type, fits = () => true) {
      for (const untilMs = performance.now() + 30_000; performance.now() < untilMs; await delay(20)) {
        const found = (await entries(type)).find(fits);
        if (found !== undefined) return found;
      }
      const types = (await entriesOf(stage)).map((entry) => entry.type).join(', ');
      throw new Error(`no entry ${type} that fits within 30 s; there are: ${types}`);
    },
  };
}

/** The only member's output. Throws with its error when it failed. */
export function onlyOutput({ results, failed }: FanOutOutput): string {
  if (failed[0] !== undefined) throw new Error(`${failed[0].id}: ${JSON.stringify(failed[0].error)}`);
  return textOf(results[0]?.output);
}
