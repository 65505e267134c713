/**
 * Run directories of babysitter, by us and by its SDK: append, load, commit, iterate, on runs of 100, 1,000 and 5,000 effects. Left out
 * where the SDK is not installed (`npm run test:babysitter` installs it).
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { passesOf } from '../../src/babysitter/passes.ts';
import type { LoadedSdk } from '../../src/babysitter/run/load-sdk.ts';
import { layoutVersion } from '../../src/babysitter/run/names.ts';
import { readEvents } from '../../src/babysitter/run/read-run.ts';
import { openRunFolder, type RunFolder } from '../../src/babysitter/run/run-folder.ts';
import { isSdkInstalled, sdkPackage, sdkVersion } from '../babysitter/sdk/install.ts';
import { inTurns, rowOf, type Bench, type Target } from './measure/row.ts';
import { inFolder } from './measure/work-folder.ts';

/** What is used of the SDK. */
interface Rival {
  appendEvent(options: object): Promise<unknown>;
  loadJournal(runDir: string): Promise<readonly unknown[]>;
  orchestrateIteration(options: { readonly runDir: string }): Promise<{ readonly status: string }>;
  commitEffectResult(options: object): Promise<unknown>;
}

const task = `const task = { id: 'work', build: () => ({ kind: 'work', title: 'work' }) };
export async function process(inputs, ctx) {
  let sum = 0;
  for (let index = 0; index < inputs.count; index += 1) sum += (await ctx.task(task, { index })).index;
  await ctx.parallel.map(Array.from({ length: inputs.open }, (_, index) => index), (index) => ctx.task(task, { open: index }));
  return sum;
}
`;
const keyOf = (place: number) => `bench:S${String(place).padStart(6, '0')}:work`;

/** A run with `count` resolved effects, and `open` ones that wait. */
async function runOf(project: string, count: number, open: number): Promise<RunFolder> {
  const runDir = join(project, '.a5c/runs', `run-${count}`);
  for (const name of ['journal', 'tasks', 'state']) mkdirSync(join(runDir, name), { recursive: true });
  writeFileSync(join(project, 'process.mjs'), task);
  const entrypoint = { importPath: '../../../process.mjs', exportName: 'process' };
  const facts = { runId: `run-${count}`, request: 'bench', processId: 'bench', entrypoint, layoutVersion };
  writeFileSync(join(runDir, 'run.json'), JSON.stringify({ ...facts, createdAt: new Date().toISOString() }));
  writeFileSync(join(runDir, 'inputs.json'), JSON.stringify({ count, open }));
  const folder = openRunFolder(runDir);
  const events = [
    { type: 'RUN_CREATED', data: { runId: facts.runId, processId: 'bench', inputsRef: 'inputs.json' } },
  ] as {
    type: string;
    data: Record<string, string>;
  }[];
  for (let index = 0; index < count + open; index += 1) {
    const effectId = `effect-${index}`;
    const dir = join(runDir, 'tasks', effectId);
    mkdirSync(dir);
    const about = { effectId, taskId: 'work', invocationKey: keyOf(index + 1) };
    const inputs = index < count ? { index } : { open: index - count };
    const ref = `tasks/${effectId}/task.json`;
    const stepId = `S${String(index + 1).padStart(6, '0')}`;
    writeFileSync(
      join(dir, 'task.json'),
      JSON.stringify({ schemaVersion: '2026.01.tasks-v1', ...about, stepId, kind: 'work', inputs }),
    );
    events.push({ type: 'EFFECT_REQUESTED', data: { ...about, stepId, kind: 'work', label: 'work', taskDefRef: ref } });
    if (index >= count) continue;
    const result = { schemaVersion: '2026.01.results-v1', ...about, status: 'ok', result: { index }, value: { index } };
    writeFileSync(join(dir, 'result.json'), JSON.stringify(result));
    events.push({
      type: 'EFFECT_RESOLVED',
      data: { effectId, status: 'ok', resultRef: `tasks/${effectId}/result.json` },
    });
  }
  await folder.append(events);
  return folder;
}

async function timed(work: () => unknown): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

/** The bench. */
export const babysitterBench: Bench = async ({ smoke, row }) => {
  if (!isSdkInstalled) {
    process.stderr.write('  left out: babysitter’s SDK is not installed; npm run test:babysitter installs it\n');
    return;
  }
  process.env['BABYSITTER_LOG_LEVEL'] = 'error';
  const sdk = createRequire(import.meta.url)(join(sdkPackage, 'dist/index.js')) as Rival;
  const loaded = { sdk, version: sdkVersion, folder: sdkPackage } as unknown as LoadedSdk;
  for (const count of smoke ? [100] : [100, 1_000, 5_000]) {
    const rounds = smoke ? 1 : count >= 5_000 ? 2 : 5;
    await inFolder(async (project) => {
      const open = 4 * (rounds + 1);
      const folder = await runOf(project, count, open);
      const { runDir } = folder;
      const { process: work } = (await import(join(project, 'process.mjs'))) as { process: never };
      const passes = passesOf({ folder, sdk: loaded, body: work });
      let next = 0;
      const say = (name: string, note: string, target?: Target) => ({
        name: `babysitter, ${count.toLocaleString('en')} effects: ${name}`,
        unit: 'ms',
        level: 'D2' as const,
        rivalName: `its SDK ${sdkVersion}`,
        note,
        ...(target === undefined || count !== 1_000 ? {} : { target }),
      });
      const event = (index: number) => ({ type: 'GROUP_CHECKPOINT', data: { groupId: 'grp_bench', name: 'x', index } });

      const iterated = await inTurns(rounds, {
        ours: () => timed(() => passes.next(Promise.resolve())),
        theirs: () => timed(() => sdk.orchestrateIteration({ runDir })),
      });
      row(
        rowOf(
          say('iterate', 'a pass is the SDK’s own in both: the format allows more, its replay does not', undefined),
          iterated.ours,
          iterated.theirs,
        ),
      );

      const read = await inTurns(rounds, {
        ours: () => timed(() => readEvents(runDir)),
        theirs: () => timed(() => sdk.loadJournal(runDir)),
      });
      row(rowOf(say('load', 'all events, parsed', { atMost: 0.1 }), read.ours, read.theirs));

      const result = { status: 'ok', value: { index: 0 } } as const;
      const take = () => {
        next += 1;
        return count + next - 1;
      };
      const committed = await inTurns(rounds, {
        ours: () => timed(() => folder.commit(`effect-${take()}`, result)),
        theirs: () =>
          timed(() => {
            const index = take();
            return sdk.commitEffectResult({
              runDir,
              effectId: `effect-${index}`,
              invocationKey: keyOf(index + 1),
              result,
            });
          }),
      });
      row(
        rowOf(
          say('commit', 'checked against the journal, result and event flushed', { atMost: 0.1 }),
          committed.ours,
          committed.theirs,
        ),
      );

      const appended = await inTurns(rounds * 4, {
        ours: () => timed(() => folder.append([event(0)])),
        theirs: () => timed(() => sdk.appendEvent({ runDir, eventType: 'GROUP_CHECKPOINT', event: event(0).data })),
      });
      row(
        rowOf(
          say(
            'append one event',
            'under the lock, flushed; the rival takes no lock. Two flushes and a look at the folder are the format’s',
          ),
          appended.ours,
          appended.theirs,
        ),
      );
      const batch = 50;
      const batched = await inTurns(rounds, {
        ours: async () =>
          (await timed(() => folder.append(Array.from({ length: batch }, (_, index) => event(index))))) / batch,
        async theirs() {
          const ms = await timed(async () => {
            for (let index = 0; index < batch; index += 1)
              await sdk.appendEvent({ runDir, eventType: 'GROUP_CHECKPOINT', event: event(index).data });
          });
          return ms / batch;
        },
      });
      row(
        rowOf(
          say(
            `append ${batch} events, each`,
            'one lock and one look at the folder for all of ours; each file is flushed, as the format has it',
          ),
          batched.ours,
          batched.theirs,
        ),
      );
    });
  }
};
