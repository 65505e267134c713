/** A run directory of babysitter, for one who writes in it beside babysitter's own programs. */
import { resolve } from 'node:path';
import { TroupeError } from '../../error.ts';
import { diskError, onDisk } from './disk-error.ts';
import type { EventData } from './event-text.ts';
import { emptyIndex, foldEvent, type EffectIndex } from './effects.ts';
import { withRunLock, type LockOptions } from './lock.ts';
import type { EventName } from './names.ts';
import { readFurther, readRunFacts, type RunEvent, type RunFacts } from './read-run.ts';
import { writeResult, type EffectResult } from './result-file.ts';
import { removeLeftovers } from './staging.ts';
import { writeEvents, type NewEvent } from './write-events.ts';

/** A run directory. */
export interface RunFolder {
  /** Absolute. */
  readonly runDir: string;
  readonly facts: RunFacts;
  /** All events, as of now: those read before are not read again, unless their files have other names (a repair). Codes: JOURNAL_CORRUPT, JOURNAL_IO. */
  events(): readonly RunEvent[];
  /** Effects and end, as of now. Codes: JOURNAL_CORRUPT, JOURNAL_IO. */
  index(): EffectIndex;
  /** Appends under the run's lock, durably. Codes: RUN_BUSY, LIMIT, JOURNAL_CORRUPT, JOURNAL_IO. */
  append(events: readonly NewEvent[]): Promise<readonly EventName[]>;
  /**
   * Records an effect's result, once: result file first, then the event, both durable. True when it is recorded by this call; false when the
   * effect had been resolved before, which is then left as it is. Codes: those of `append`, BAD_INPUT (no such effect).
   */
  commit(effectId: string, result: EffectResult): Promise<boolean>;
  /**
   * Calls `work` while nothing here holds the lock or waits for it: for the SDK's own functions, which take it themselves, look at it every
   * 250 ms only, and fail when it goes away under their eyes.
   */
  alone<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Removes what writers that were killed have left, under the lock; names of files that would have bricked the run. */
  mend(): Promise<readonly string[]>;
}

/** Opens a run directory. Codes: RUN_UNKNOWN, JOURNAL_FORMAT, JOURNAL_CORRUPT. */
export function openRunFolder(folder: string, options: LockOptions = {}): RunFolder {
  const runDir = resolve(folder);
  const facts = readRunFacts(runDir);
  let known: RunEvent[] = [];
  let folded = emptyIndex();

  const events = (): readonly RunEvent[] => {
    const fresh = onDisk(runDir, () => readFurther(runDir, known));
    if (fresh === undefined) {
      // Renumbered meanwhile: everything is another file.
      known = [];
      folded = emptyIndex();
      return events();
    }
    for (const event of fresh) {
      known.push(event);
      foldEvent(folded, event);
    }
    return known;
  };

  let last: Promise<unknown> = Promise.resolve();
  const alone = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const result = last.then(work);
    last = result.catch(() => {});
    return result;
  };
  const locked = <Result>(owner: string, work: () => Promise<Result> | Result) =>
    alone(() =>
      withRunLock(runDir, `troupe:${owner}`, work, options).catch((error: unknown) => {
        throw diskError(error, runDir);
      }),
    );

  return {
    runDir,
    facts,
    alone,
    events,
    index() {
      events();
      return folded;
    },
    append: (added) => locked('append', () => writeEvents(runDir, added, facts.harness)),
    commit: (effectId, result) =>
      locked('commit', async () => {
        events();
        const effect = folded.effects.get(effectId);
        if (effect === undefined)
          throw new TroupeError('BAD_INPUT', `run ${facts.runId} has no effect \`${effectId}\`.`, { effectId });
        if (effect.status !== 'pending') return false;
        const refs = writeResult(runDir, effect, result);
        const { startedAt, finishedAt } = result;
        const data: EventData = {
          effectId,
          status: result.status,
          resultRef: refs.resultRef,
          ...(result.status === 'error' ? { error: result.error } : {}),
          ...(refs.stdoutRef === undefined ? {} : { stdoutRef: refs.stdoutRef }),
          ...(refs.stderrRef === undefined ? {} : { stderrRef: refs.stderrRef }),
          ...(startedAt === undefined ? {} : { startedAt }),
          ...(finishedAt === undefined ? {} : { finishedAt }),
        };
        await writeEvents(runDir, [{ type: 'EFFECT_RESOLVED', data }], facts.harness);
        return true;
      }),
    mend: () => locked('mend', () => removeLeftovers(runDir)),
  };
}
