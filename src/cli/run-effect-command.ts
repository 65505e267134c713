/** `troupe run-effect`: performs one group of a run of babysitter, whoever drives that run. */
import { driveGroup, resultOf } from '../babysitter/drive-group.ts';
import { readResult, readTask } from '../babysitter/run/effect-files.ts';
import type { EffectResult } from '../babysitter/run/result-file.ts';
import { TroupeError } from '../error.ts';
import { plainText } from '../harness/program/last-line.ts';
import { declaredIn, openBabysitterRun, type BabysitterRun } from './babysit-run.ts';
import { captureConsole } from './capture-console.ts';
import { exitCodes } from './exit-codes.ts';
import { onInterrupt } from './interrupts.ts';
import { complain, print } from './terminal.ts';
import { unlessStray } from './unless-stray.ts';

/** Options of `troupe run-effect`. */
export interface RunEffectCommandOptions {
  readonly runDir: string;
  readonly effect: string;
  /** Leave the result to the caller. */
  readonly print?: boolean;
  readonly sdk?: string;
}

/**
 * Drives the group of an effect to its end, prints its result as JSON on standard output, and commits it unless the caller does.
 * Returns the exit code: 0 when the group completed, or its failure is a value.
 */
export async function runEffectCommand(options: RunEffectCommandOptions): Promise<number> {
  const release = captureConsole((line) => complain(line));
  const stop = new AbortController();
  const stopListening = onInterrupt((by) => stop.abort(`interrupted by ${by}`));
  try {
    const run = await openBabysitterRun(options.runDir, options.sdk);
    try {
      const code = await unlessStray({
        file: run.file,
        work: () => performed(run, options, stop.signal),
        stop: () => stop.abort('an error that nothing waits for'),
        isStopped: (ended) => ended === undefined,
        tell: complain,
      });
      return code ?? exitCodes.interrupted;
    } finally {
      await run.close();
    }
  } finally {
    release();
    stopListening();
  }
}

/** Performs it, unless it has its result; undefined when it was stopped first. */
async function performed(
  run: BabysitterRun,
  options: RunEffectCommandOptions,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { folder, performers } = run;
  await folder.mend();
  const effect = folder.index().effects.get(options.effect);
  const { group: about } = (readTask(folder.runDir, options.effect)?.['metadata'] ?? {}) as {
    readonly group?: { readonly name: string; readonly failure: 'throw' | 'value' };
  };
  if (effect === undefined || about === undefined) {
    throw new TroupeError(
      'BAD_INPUT',
      `expected --effect to name an effect of run ${folder.facts.runId} that is a group, got \`${options.effect}\`.`,
    );
  }
  const known = effect.status === 'pending' ? undefined : readResult(folder.runDir, options.effect);
  if (known !== undefined) return told(known);
  const declared = (await declaredIn(run)).get(about.name);
  if (declared === undefined) {
    throw new TroupeError(
      'BAD_INPUT',
      `the process of run ${folder.facts.runId} does not come to group \`${about.name}\` any more, which effect \`${options.effect}\` asks for.`,
    );
  }
  const tell = (line: string) => complain(plainText(line));
  const driven = await driveGroup({ ...performers, folder, declared, signal, tell });
  if (driven === undefined) return undefined;
  const result = resultOf(driven, about.failure);
  if (options.print !== true && !(await folder.commit(options.effect, result)))
    complain('the effect was resolved by somebody else; that stands');
  return told(result);
}

function told(result: EffectResult): number {
  print(JSON.stringify(result.status === 'ok' ? result.value : (result.error.data ?? result.error)));
  return result.status === 'ok' ? exitCodes.ok : exitCodes.failed;
}
