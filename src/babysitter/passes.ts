/** Passes of a run's process through its own SDK, one at a time, under a guard where that SDK needs one. */
import type { TroupeError } from '../error.ts';
import { guardedPass, textOf, type GuardedContext } from './guard.ts';
import { guardFile, setPass, type ProcessFunction } from './run/guard-file.ts';
import { diskError, onDisk } from './run/disk-error.ts';
import { readTask } from './run/effect-files.ts';
import { releaseOwnLock } from './run/lock.ts';
import type { Iterated, LoadedSdk } from './run/load-sdk.ts';
import type { RunFolder } from './run/run-folder.ts';

/** Passes of one run. */
export interface Passes {
  /** One pass, when `before` is done. Codes: BAD_INPUT for a pass that must not go on; the run is as it was; JOURNAL_CORRUPT, JOURNAL_IO. */
  next(before: Promise<unknown>): Promise<Iterated>;
}

/** What passes need. */
export interface PassesOptions {
  readonly folder: RunFolder;
  readonly sdk: LoadedSdk;
  readonly body: ProcessFunction;
}

/** SDKs that tell effects apart by counting calls, and find out what a process threw by its class. */
const needsGuard = (version: string) => version.startsWith('0.');

/** Passes over a run. */
export function passesOf({ folder, sdk: { sdk, version }, body }: PassesOptions): Passes {
  let refuse: (error: TroupeError) => void = () => {};
  const { runDir, facts } = folder;
  const refused = new Promise<never>((_, reject) => {
    refuse = (error) => {
      // The pass never ends, and would keep it.
      releaseOwnLock(runDir);
      reject(error);
    };
  });
  refused.catch(() => {});
  /** Inputs by effect: what was asked for does not change. */
  const inputs = new Map<string, string>();
  const inputsOf = (effectId: string): string => {
    const known = inputs.get(effectId) ?? textOf(onDisk(runDir, () => readTask(runDir, effectId))?.['inputs']) ?? '';
    inputs.set(effectId, known);
    return known;
  };

  /** The effect that was just asked for: the SDK has counted the calls. */
  const recorded = (task: string) => {
    const { replayCursor } = (sdk.getActiveProcessContext?.() ?? {}) as { readonly replayCursor?: { value?: unknown } };
    const place = replayCursor?.value;
    if (typeof place !== 'number') return undefined;
    const found = byKey.get(`${facts.processId}:S${String(place).padStart(6, '0')}:${task}`);
    if (found === undefined) return undefined;
    const others = () => (byTask.get(task) ?? []).filter((effectId) => effectId !== found);
    return { inputs: inputsOf(found), isOthers: (text: string) => others().some((one) => inputsOf(one) === text) };
  };
  /** What was recorded before this pass. */
  let byKey = new Map<string, string>();
  let byTask = new Map<string, string[]>();
  const look = () => {
    byKey = new Map();
    byTask = new Map();
    for (const { invocationKey, effectId, taskId } of folder.index().effects.values()) {
      byKey.set(invocationKey, effectId);
      const known = byTask.get(taskId);
      if (known === undefined) byTask.set(taskId, [effectId]);
      else known.push(effectId);
    }
  };

  const guard = { refuse: (error: TroupeError) => refuse(error), recorded };
  const isGuarded = needsGuard(version);
  const pass: ProcessFunction = (given, ctx, extra) =>
    guardedPass((guarded) => body(given, guarded as never, extra), ctx as GuardedContext, guard);

  const iterate = (): Promise<Iterated> => {
    if (!isGuarded) return sdk.orchestrateIteration({ runDir });
    look();
    setPass(pass);
    return sdk.orchestrateIteration({ runDir, process: { importPath: guardFile(runDir), exportName: 'process' } });
  };

  return {
    async next(before) {
      await before;
      for (let turn = 1; ; turn += 1) {
        try {
          return await folder.alone(() => Promise.race([iterate(), refused]));
        } catch (error) {
          if (turn >= lockTurnsMax || !isLockTrouble(error)) throw diskError(error, runDir);
        }
      }
    },
  };
}

/** How often a pass is begun that came to nothing because of the lock; babysitter itself waits 10 s each time that it is held. */
const lockTurnsMax = 5;

/** Babysitter's own trouble with a lock that another process gives back, or has not written yet, while it looks; nothing has been done then. */
function isLockTrouble(error: unknown): boolean {
  const { code, path, message, name } = (error ?? {}) as Readonly<Record<string, unknown>>;
  if (code === 'ENOENT') return typeof path === 'string' && path.endsWith('run.lock');
  return (
    (name === 'SyntaxError' && String(message).includes('JSON')) || String(message).startsWith('run.lock already held')
  );
}
