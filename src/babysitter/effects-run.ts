/**
 * The effects of a babysitter run that are no groups: each a task of one troupe run in `<run dir>/troupe`, under its effect's id. So what
 * ended and was not told to babysitter before a crash is told afterwards and not done again; questions are gates that `troupe approve` answers.
 */
import { isoText, type Clock } from '../clock.ts';
import { isTroupeError, TroupeError } from '../error.ts';
import type { Invocation, PlainError } from '../harness/port.ts';
import type { JsonValue } from '../json.ts';
import type { Context } from '../process/context.ts';
import { defineProcess } from '../process/define-process.ts';
import { openRun, type RunResult } from '../process/run.ts';
import { storeOf, type Performers } from './drive-group.ts';
import type { EffectResult } from './run/result-file.ts';
import type { RunFolder } from './run/run-folder.ts';

/** Id of that run. */
export const effectsRunId = 'effects';

/** Effects under way. */
export interface EffectsRun {
  /** Performs an effect, or takes it up: its result when it has one; never settles when the run is stopped first. */
  perform(effectId: string, invocation: Invocation): Promise<EffectResult>;
  /** Asks whoever may answer (`troupe approve effects <gate>`); the same gate is the same question. */
  ask(gate: string, question: string, data: JsonValue): Promise<{ readonly approved: boolean; readonly note: string }>;
  /** Rejects when the run cannot go on (its disk, its lease). */
  readonly failure: Promise<never>;
  /** Stops what is under way; it goes on when the run is opened again. */
  close(reason: string): Promise<void>;
}

/** Takes the effects of a run in hand. Codes: RUN_BUSY (another `troupe babysit` has them), and those of `openRun`. */
export async function openEffects(folder: RunFolder, performers: Performers, clock: Clock): Promise<EffectsRun> {
  const { harnesses, rules, settings, observer, requests } = performers;
  let begin: (ctx: Context) => void = () => {};
  const context = new Promise<Context>((resolve) => {
    begin = resolve;
  });
  const letters = requests?.(effectsRunId);
  const run = await openRun({
    ...settings,
    ...rules,
    groupsMax: Number.MAX_SAFE_INTEGER,
    store: storeOf(folder.runDir),
    // It has no end of its own: the babysitter run has.
    process: defineProcess('babysitter.effects', (ctx) => {
      begin(ctx);
      return new Promise<never>(() => {});
    }),
    run: effectsRunId,
    input: { run: folder.facts.runId },
    harnesses,
    ...(observer === undefined ? {} : { observer }),
    ...(letters === undefined ? {} : { requests: letters }),
  }).catch((error: unknown) => {
    if (!isTroupeError(error, 'RUN_BUSY')) throw error;
    // Its name is ours; who started this knows the other one.
    const { pid, host } = error.details as { readonly pid?: number; readonly host?: string };
    const by = pid === undefined ? '' : `: process ${pid} on ${host}`;
    const message = `run ${folder.facts.runId} is driven by another troupe babysit${by}.`;
    throw new TroupeError('RUN_BUSY', message, error.details, error);
  });
  let fail: (error: unknown) => void = () => {};
  const failure = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failure.catch(() => {});
  run.drive().then((result: RunResult) => {
    if (result.status !== 'stopped') fail(new Error(`the run of the effects ended: ${result.status}`));
  }, fail);

  return {
    failure,
    async perform(effectId, invocation) {
      const ctx = await context;
      const startedAt = isoText(clock.now());
      const end = await ctx.task(effectId, invocation).then(
        (output): EffectResult => okResult(output),
        (error: unknown): EffectResult => ({ status: 'error', error: errorOf(error) }),
      );
      return { ...end, startedAt, finishedAt: isoText(clock.now()) };
    },
    async ask(gate, question, data) {
      return await (await context).breakpoint(gate, { question, data });
    },
    async close(reason) {
      await run.stop(reason).catch(() => {});
      await run.close();
    },
  };
}

/** What a program printed stands beside its value, as babysitter has it. */
function okResult(output: JsonValue): EffectResult {
  const { stdout, stderr, exitCode } = (output ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof stdout !== 'string' || typeof stderr !== 'string' || typeof exitCode !== 'number')
    return { status: 'ok', value: output };
  return { status: 'ok', value: output, stdout, stderr };
}

/** What the process is thrown: what went wrong with the work, not that a task did. */
function errorOf(thrown: unknown): { readonly name: string; readonly message: string; readonly data?: JsonValue } {
  const inner = isTroupeError(thrown, 'GROUP_FAILED') ? (thrown.details['error'] as PlainError | undefined) : undefined;
  const { name, message, code } = inner ?? (thrown as PlainError);
  return { name, message, ...(code === undefined ? {} : { data: { code } }) };
}
